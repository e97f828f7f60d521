"""The probe: what it tells is meaningful from the first reading on, and what it cannot tell it leaves out."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from sentinel.errors import SentinelError
from sentinel.probe import (
    CPU_WINDOW,
    FIELDS,
    CpuTimes,
    HostProbe,
    HostView,
    ProcessProbe,
    cpu_times,
    devices,
    machine,
)
from sentinel.probe.counters import rates


def of_one_device(counters: dict[str, int]) -> dict[str, dict[str, int]]:
    """Each counter as that of a single device."""
    return {name: {"one": value} for name, value in counters.items()}


class Counters:
    """Counters as a test wants them; `values` may be exchanged between readings."""

    def __init__(self, **values: int) -> None:
        self.values = values

    def __call__(self) -> dict[str, dict[str, int]]:
        """As `host_counters`, of one device."""
        return of_one_device(self.values)


def test_first_reading_is_meaningful() -> None:
    """The first reading is finite and within its range, with a CPU figure other than psutil's first 0.0."""
    reading = HostProbe().read()
    assert 0.0 < reading.cpu <= 100.0
    assert 0.0 < reading.mem <= 100.0
    assert all(math.isfinite(value) for value in reading.fields.values())


def test_every_field_has_a_unit() -> None:
    """What this host tells is in the table of units, rates included from the first reading on."""
    fields = HostProbe().read().fields
    assert set() == set(fields) - set(FIELDS)
    assert {"disk_percent", "processes"} <= set(fields)
    assert set(devices.host_counters()) <= set(fields)


def test_reading_from_another_thread() -> None:
    """A probe made in one thread reads as well in another (psutil's own cpu_percent would start over)."""
    host = HostProbe(times=iter([CpuTimes(0, 10, 0, 10), CpuTimes(5, 15, 0, 20)]).__next__)
    readings = []
    thread = threading.Thread(target=lambda: readings.append(host.read(time.monotonic() + CPU_WINDOW)))
    thread.start()
    thread.join()
    assert readings[0].cpu == 50.0


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (CpuTimes(5.5, 8.5, 0, 14), 75.0),
        (CpuTimes(3.5, 9.5, 1, 14), 50.0),  # half of it stolen
        (CpuTimes(2.5, 11.5, 0, 14), 0.0),
        (CpuTimes(4, 7, 0, 11), 100.0),  # idle went back
        (CpuTimes(2.5, 7.5, 0, 10), 25.0),  # nothing moved: the mean since boot stands
        (CpuTimes(0, 1, 0, 1), 25.0),  # the counters began anew
    ],
)
def test_cpu_from_counters(later: CpuTimes, expected: float) -> None:
    """CPU is the share of time that was not idle, in 0..100, and the last known where the counters say nothing."""
    host = HostProbe(Counters(), iter([CpuTimes(2.5, 7.5, 0, 10), later]).__next__)
    assert expected == host.read(time.monotonic() + 1.0).cpu


def test_cpu_within_the_window_stands() -> None:
    """Readings closer than the window do not divide one tick by another: they repeat the last figure."""
    host = HostProbe(Counters(), iter([CpuTimes(1, 9, 0, 10)]).__next__)
    assert [host.read().cpu, host.read().cpu] == [10.0, 10.0]


def test_rates_per_second() -> None:
    """A rate is the counter's growth over monotonic time."""
    counters = Counters(net_sent_bytes_per_s=100)
    host = HostProbe(counters)
    now = time.monotonic()
    host.read(now)
    counters.values["net_sent_bytes_per_s"] = 1100
    assert host.read(now + 2.0).fields["net_sent_bytes_per_s"] == 500.0


def test_reset_leaves_the_rate_out_once() -> None:
    """A counter that went back has no rate in that reading, and a true one in the next."""
    counters = Counters(disk_read_bytes_per_s=4_000, disk_write_bytes_per_s=0)
    host = HostProbe(counters)
    now = time.monotonic()
    host.read(now)
    counters.values = {"disk_read_bytes_per_s": 10, "disk_write_bytes_per_s": 7}
    fields = host.read(now + 1.0).fields
    assert (fields.get("disk_read_bytes_per_s"), fields["disk_write_bytes_per_s"]) == (None, 7.0)
    counters.values = {"disk_read_bytes_per_s": 30, "disk_write_bytes_per_s": 7}
    assert host.read(now + 2.0).fields["disk_read_bytes_per_s"] == 20.0


@pytest.mark.parametrize(
    ("before", "after", "seconds", "expected"),
    [
        ({"a": 1}, {"a": 3}, 2.0, {"a": 1.0}),
        ({"a": 1}, {"a": 1}, 2.0, {"a": 0.0}),
        ({"a": 1}, {"a": 0}, 2.0, {}),
        ({}, {"a": 5}, 2.0, {}),
        ({"a": 5}, {}, 2.0, {}),
        ({"a": 1}, {"a": 3}, 0.0, {}),
        ({"a": 1}, {"a": 3}, -1.0, {}),
    ],
)
def test_rates(before: dict[str, int], after: dict[str, int], seconds: float, expected: dict[str, float]) -> None:
    """Only what both readings hold, and what did not go back, over time that passed, has a rate."""
    assert expected == rates(of_one_device(before), of_one_device(after), seconds)


def test_a_device_that_comes_or_goes_moves_no_rate() -> None:
    """A disk that appears with a history is no burst, one that goes takes nothing along."""
    before = {"disk_read_bytes_per_s": {"sda": 100, "sdb": 10**10}}
    after = {"disk_read_bytes_per_s": {"sda": 400, "sdc": 10 * 2**30}}
    assert rates(before, after, 1.0) == {"disk_read_bytes_per_s": 300.0}
    assert rates(before, {"disk_read_bytes_per_s": {"sdc": 5}}, 1.0) == {}


def test_only_whole_disks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes through a mapper or a partition counts once, on its disk."""
    for name in ("sda/device", "cciss!c0d0/device", "dm-0/slaves/sda", "loop0", "md0"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(devices, "_BLOCK_DEVICES", tmp_path)
    count = SimpleNamespace(read_bytes=7, write_bytes=7, read_count=7, write_count=7)
    names = ("sda", "sda1", "cciss/c0d0", "dm-0", "loop0", "md0")
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: dict.fromkeys(names, count))
    assert {"sda": 7, "cciss/c0d0": 7} == devices.host_counters()["disk_read_bytes_per_s"]


SOUND = {"stat", "meminfo"}
"""What CPU and memory are read from."""
MEMORY = ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "Shmem", "Active", "Inactive")
BROKEN = [
    ("meminfo", ""),
    ("meminfo", "MemTotal: 100 kB\nMemFree: 50 kB\nMemAvailable: 50 kB\n\0\0\0\n"),
    ("meminfo", "".join(f"{name}: 0 kB\n" for name in MEMORY)),
    ("stat", ""),
    ("stat", "cpu\n"),
    ("stat", "cpu  1 2 3\n"),
    ("loadavg", ""),
    ("loadavg", "0.01\n"),
    ("net/dev", "a\nb\n eth0: 1 2 3\n"),
    ("net/dev", "a\nb\n no colon\n"),
    ("diskstats", "8 0 sda\n"),
    ("1/net/dev", "a\nb\n eth0: 1 2 3\n"),
]


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_files_of_proc_that_cannot_be_understood(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they would tell is left out; of CPU and memory it is one error in words."""
    for each in ("stat", "meminfo", "loadavg", "net/dev", "diskstats", "vmstat"):
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_bytes(Path("/proc", each).read_bytes())
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    monkeypatch.setattr("sentinel.probe.host._LOAD", tmp_path / "loadavg")
    view = HostView(tmp_path if name.startswith("1/") else None, tmp_path)
    if name in SOUND:
        with pytest.raises(SentinelError, match="CPU and memory of this host cannot be read"):
            HostProbe(view=view)
    else:
        lacking = {"loadavg": "processes_running", "diskstats": "disk_read"}.get(name, "net_")
        host = HostProbe(view=view)
        assert [] == [each for each in host.read(time.monotonic() + 1).fields if each.startswith(lacking)]
    machine()


def test_what_a_platform_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without disks, swap or leave to look yields fewer fields, no zeros and no error."""

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: None)
    monkeypatch.setattr(psutil, "disk_usage", denied)
    monkeypatch.setattr(psutil, "swap_memory", denied)
    fields = HostProbe().read().fields
    assert set() == {name for name in fields if name.startswith(("disk", "swap"))}
    assert "processes" in fields


def test_a_host_seen_from_a_container(tmp_path: Path) -> None:
    """Network and processes come from where the host's /proc is mounted, and disk space from a file of its root."""
    heading = "Inter-| Receive | Transmit\n face |bytes"
    table = f"{heading}\n    lo: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n  eth0:5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n"
    for name in ("1/net", "27", "300", "self", "sys"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "1/net/dev").write_text(table)
    view = HostView(tmp_path, tmp_path / "1/net/dev")
    counters = devices.host_counters(view)
    assert counters["net_sent_bytes_per_s"] == {"lo": 20, "eth0": 7}
    assert counters["net_recv_bytes_per_s"] == {"lo": 10, "eth0": 5}
    fields = HostProbe(view=view).read().fields
    assert 3 == fields["processes"]
    assert fields["disk_percent"] == pytest.approx(psutil.disk_usage(str(tmp_path)).percent, abs=1.0)


def test_a_host_that_hides_its_processes_has_fewer_fields(tmp_path: Path) -> None:
    """What cannot be seen from a container is left out, not taken from the container itself."""
    fields = HostProbe(view=HostView(tmp_path / "none", tmp_path / "none")).read().fields
    assert set() == {name for name in fields if name.startswith(("net", "disk_percent")) or name == "processes"}


def test_no_proc_is_said_in_words() -> None:
    """Where not even CPU can be read the user hears why, as one of our errors."""

    def denied() -> CpuTimes:
        raise PermissionError(13, "denied", "/proc/stat")

    with pytest.raises(SentinelError, match=r"CPU and memory of this host cannot be read: .*/proc/stat"):
        HostProbe(times=denied)


def test_cpu_times_add_up() -> None:
    """Busy, idle and steal make the total, and the total grows with time and CPUs, guests not counted twice."""
    times = cpu_times()
    assert times.total == pytest.approx(times.busy + times.idle + times.steal)
    assert min(times) >= 0


def test_process_probe_reads_this_process() -> None:
    """This process has used CPU, holds memory and has at least this thread."""
    reading = ProcessProbe().read()
    assert reading is not None
    assert reading.cpu_seconds > 0
    assert reading.rss_bytes > 1_000_000
    assert reading.threads >= 1


def test_process_probe_of_a_pid_that_never_was() -> None:
    """A number without a process reads as None."""
    assert ProcessProbe(2**31 - 1).read() is None


def test_process_probe_of_an_ended_process() -> None:
    """A process reads while it lives, and as None once it has ended, also before its parent has reaped it."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        process = ProcessProbe(child.pid)
        assert process.read() is not None
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.read() is None
    finally:
        child.kill()
        child.wait()
    assert process.read() is None


def test_machine_is_plain_data() -> None:
    """The machine's description holds what a reader needs, as values that JSON can hold."""
    facts = machine()
    assert {str, int, list, type(None)} >= {type(value) for value in facts.values()}
    assert facts["cpu_count_logical"] >= 1
    assert facts["memory_bytes"] > 2**20
    assert facts["cpu_model"]
