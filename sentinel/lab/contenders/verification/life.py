"""One life of a contender under verification: a key, a tag and a tap of its own, from its start to its end."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, Self

from sentinel import bus, store
from sentinel.bus.administration import Depth, depth
from sentinel.lab.contenders.contender import BY_PROBE
from sentinel.lab.contenders.program import Program, Task
from sentinel.lab.contenders.wire import delivered
from sentinel.lab.contenders.wire.opened import Knock, OpenTap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.contenders.wire.delivered import Delivered
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

BATCH = 1000
"""Most points in one write, as the contender is told: several batches of what is sent."""
SETTLE = 8.0
"""Seconds without one more point after which no more is expected."""
LOOK = 0.05


class Place:
    """Where lives are led: a stack, a folder for what they leave, and a supervisor.

    Args:
        stack: Bus and store.
        folder: Receives a folder for every life.
        supervisor: Starts their processes.
        check: Called while something is waited for; what it raises ends the life.
    """

    def __init__(self, stack: Stack, folder: Path, supervisor: Supervisor, check: Callable[[], object]) -> None:
        self.stack = stack
        self.folder = folder
        self.supervisor = supervisor
        self.check = check
        self.server = store.identify(stack.store)


class Life:
    """One started contender; `with` ends it and all that it left, whatever happens.

    Args:
        place: Where.
        contender: Whose life it is.
        spoken: Transport and codec.
        after: An earlier life, whose key, tag and name in the group it goes on with.
    """

    def __init__(self, place: Place, contender: Contender, spoken: str, after: Life | None = None) -> None:
        self.place = place
        self.contender = contender
        self.spoken = spoken
        self.transport, self.codec = spoken.split("/")
        self.run: str = after.run if after else f"verify.{uuid.uuid4().hex[:12]}"
        self.bus = place.stack.bus.keyed(f"lab:{self.run}")
        self._before = after.probes() if after else 0
        self.folder = place.folder / f"{spoken.replace('/', '-')}-{self.run[-4:]}{'-again' if after else ''}"

    def __enter__(self) -> Self:
        place = self.place
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tap = OpenTap(self.folder / "tap", place.stack.store, place.supervisor)
        target = store.write_target(place.stack.store, place.server)
        task = Task(self.transport, self.codec, BATCH, self.run, self.bus, self.tap.store, target)
        self.program = Program(self.contender, task, self.folder / "consumer", place.supervisor)
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()
        self.tap.close()

    def await_ready(self) -> None:
        """Wait until it reads.

        Raises:
            TrialError: it ended, or was not ready in time.
        """
        self.program.await_ready(self.place.check, Knock(self.tap, self.bus, self.transport, self.codec))

    def publish(self, payloads: Sequence[bytes]) -> None:
        """Put messages on the bus."""
        publisher = bus.open_publisher(self.bus, self.transport)
        try:
            publisher.publish(payloads)
        finally:
            publisher.close()

    def settled(self, wanted: int) -> int:
        """Points that the store holds of it, once they are as many as `wanted`, or do not grow any more."""
        held, since = -1, time.monotonic()
        while held < wanted and time.monotonic() - since < SETTLE:
            self.place.check()
            if (now := self.stored()) != held:
                held, since = now, time.monotonic()
            if self.program.child.poll() is not None:
                return self.stored()
            time.sleep(LOOK)
        return held

    def stored(self) -> int:
        """Points that the store holds of it, those of a first `ready` probe left out."""
        held = store.count(self.place.stack.store, self.place.server, self.run)
        return held - self.probes() - self._before

    def probes(self) -> int:
        """Points of messages that only asked whether it reads."""
        return self.wire().probes if self.contender.manifest.ready == BY_PROBE else 0

    @property
    def reads_back(self) -> bool:
        """Whether the store gives points back by InfluxQL."""
        return self.place.server.dialect != "victoria"

    def rows(self) -> list[dict[str, Any]]:
        """The points that the store holds of it."""
        connection = store.StoreClient(self.place.stack.store)
        try:
            series = connection.query(f"SELECT * FROM system_stats WHERE run = '{self.run}'")  # noqa: S608 - our own
        finally:
            connection.close()
        return [dict(zip(item["columns"], values, strict=True)) for item in series for values in item["values"]]

    def wire(self) -> Delivered:
        """What has passed its tap so far."""
        return delivered.read(self.tap.folder)

    def depth(self) -> Depth:
        """What is left on its stream."""
        return depth(self.bus)

    def forget(self) -> None:
        """Take its keys off the bus."""
        bus.remove(self.bus)
