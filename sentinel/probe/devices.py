"""Where the host is seen from, and what its disks and networks have counted so far."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from sentinel.probe.known import known

if TYPE_CHECKING:
    from sentinel.probe.counters import Counters


class HostView(NamedTuple):
    """Where the host's own files are found: inside a container not all of /proc and / belongs to the host."""

    proc: Path | None = None
    """The host's /proc, where it is mounted elsewhere."""
    root: Path = Path("/")
    """Anything on the host's root file system."""


AT_HOME = HostView()
"""Outside a container."""


def host_counters(view: HostView = AT_HOME) -> Counters:
    """Counters that only grow: by the name of the rate that they yield, then by device."""
    counters: dict[str, dict[str, int]] = {}
    # nowrap=True would hide a reset behind state kept for the whole process, at a higher cost.
    if disks := known(lambda: psutil.disk_io_counters(perdisk=True, nowrap=False)):
        whole = {name: disk for name, disk in disks.items() if _is_whole_disk(name)}
        for rate, count in _DISK_COUNTS.items():
            counters[rate] = {name: getattr(disk, count) for name, disk in whole.items()}
    if net := known(lambda: _network(view.proc)):
        counters["net_sent_bytes_per_s"] = {name: sent for name, (sent, _) in net.items()}
        counters["net_recv_bytes_per_s"] = {name: received for name, (_, received) in net.items()}
    return counters


_DISK_COUNTS = {
    "disk_read_bytes_per_s": "read_bytes",
    "disk_write_bytes_per_s": "write_bytes",
    "disk_read_ops_per_s": "read_count",
    "disk_write_ops_per_s": "write_count",
}
_BLOCK_DEVICES = Path("/sys/block")


def _is_whole_disk(name: str) -> bool:
    """Whether it is no partition, and no loop, mapped or RAID device, whose bytes are those of disks once more."""
    return platform.system() != "Linux" or (_BLOCK_DEVICES / name.replace("/", "!") / "device").exists()


def _network(proc: Path | None) -> dict[str, tuple[int, int]]:
    """Bytes sent and received, by interface."""
    if proc is None:
        net = psutil.net_io_counters(pernic=True, nowrap=False)
        return {name: (each.bytes_sent, each.bytes_recv) for name, each in net.items()}
    # /proc/net is the reader's own network, wherever /proc is mounted; the host's is that of its first process.
    lines = (proc / "1/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    counts = {name.strip(): rest.split() for name, _, rest in (line.rpartition(":") for line in lines)}
    return {name: (int(each[8]), int(each[0])) for name, each in counts.items()}
