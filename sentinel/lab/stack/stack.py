"""The stack: a bus and a store that answer, whoever runs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab.process.helper import SLACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.process.child import Child
    from sentinel.settings import BusSettings, StoreSettings

LAB_BUCKET = "sentinel_lab"
"""Benchmarks write here, never among real metrics."""


@dataclass(frozen=True)
class Stack:
    """A bus and a store that answer."""

    kind: str
    bus: BusSettings
    store: StoreSettings
    bus_version: str
    """Name and version, such as `Valkey 9.1.2`."""
    store_version: str
    """Name and version, such as `InfluxDB 1.6.7~rc0`."""
    write_path: str
    """Where the store takes points, such as `/api/v2/write`."""
    pids: Mapping[str, int] = field(default_factory=dict)
    """`bus` and `store` to process id, for sampling; empty if the servers are not ours."""
    servers: tuple[Child, ...] = ()
    """Processes that must run as long as the stack is used; empty if the servers are not ours."""
    background: bool = False
    """Whether the store runs in the background (SCHED_BATCH); unknown and False if the servers are not ours."""
    guarantee: str = ""
    """What the store's acknowledgement is worth, where that is less than usual."""
    warning: str = ""
    """What whoever runs the store should change, or empty."""
    reason: str = ""
    """Why `auto` chose this kind, in words; empty if it was asked for."""
    acknowledgement: str = ""
    """What the store's acknowledgement stands for, in words, where that was chosen."""

    @property
    def description(self) -> str:
        """Versions, write path, and what of the store was chosen or is not as usual: guarantee, scheduling, flags."""
        text = f"{self.bus_version} and {self.store_version}, points posted to {self.write_path}"
        if self.acknowledgement:
            text = f"{text}, {self.acknowledgement}; those of influxdb-client to /api/v2/write, which always waits"
        scheduled = f"the store scheduled in the background (SCHED_BATCH, timer slack {SLACK / 1e6:g} ms)"
        text = ", ".join(filter(None, [text, self.guarantee, scheduled if self.background else ""]))
        return f"{text}. {self.warning}" if self.warning else text

    @property
    def label(self) -> str:
        """One sentence: kind and description."""
        return f"{self.kind} stack: {self.description}."


def stack_behind(kind: str, bus_settings: BusSettings, store_settings: StoreSettings) -> Stack:
    """The stack behind URLs, its bucket ready to be written to.

    Args:
        kind: `Stack.kind`.
        bus_settings: Where the bus answers.
        store_settings: Where the store answers, and the bucket, which is made if it is not there.

    Raises:
        BusError: the bus does not answer.
        StoreError: the store does not answer or does not let us write and read.
    """
    from sentinel import bus, store

    bus_version = bus.server_version(bus_settings)
    server = store.ready(store_settings)
    store.count(store_settings, server, run="none")  # trials end with a count: rather be refused now
    versions = bus_version, str(server), server.write_path
    return Stack(
        kind,
        bus_settings,
        store_settings,
        *versions,
        guarantee=server.guarantee,
        warning=server.warning,
        acknowledgement=store.acknowledgement(store_settings, server),
    )
