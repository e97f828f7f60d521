"""An agent with readings that cost nothing and a publisher that records."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from support.choices import DECODERS

from sentinel.errors import BusError
from sentinel.model.sample import RUN
from sentinel.probe import HostReading
from sentinel.settings import AgentSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.model.sample import Sample

INTERVAL = 0.02


def reading() -> HostReading:
    """A sound reading that costs nothing."""
    return HostReading(12.5, 40.0, {"load1": 0.5})


def decoded(payloads: Sequence[bytes]) -> list[Sample]:
    """The samples in payloads, all of them sound."""
    samples, rejected, _ = DECODERS["msgspec"](payloads)
    assert rejected == []
    return samples


def counted(samples: Sequence[Sample]) -> list[int | None]:
    """The samples' numbers, from the first of their run."""
    return [None if sample.seq is None else sample.seq % RUN for sample in samples]


class FakePublisher:
    """Records what it takes; refuses a batch of which `refuses(numbers)` is true; numbers from the run's first."""

    def __init__(self, refuses: Callable[[list[int | None]], bool] = lambda _: False) -> None:
        self.refuses = refuses
        self.batches: list[list[bytes]] = []
        self.refused = threading.Event()
        self.closed = False

    def publish(self, payloads: Sequence[bytes]) -> int:
        """As bus.Publisher."""
        if self.refuses(counted(decoded(payloads))):
            self.refused.set()
            raise BusError("Redis at redis://nowhere: away")
        self.batches.append(list(payloads))
        return len(payloads)

    def close(self) -> None:
        """As bus.Publisher."""
        self.closed = True

    @property
    def samples(self) -> list[Sample]:
        """What was taken."""
        return decoded([payload for batch in self.batches for payload in batch])

    @property
    def numbers(self) -> list[int | None]:
        """Sequence numbers of what was taken."""
        return counted(self.samples)


def settings(**changes: object) -> AgentSettings:
    """Settings for a quick agent."""
    return AgentSettings(**({"interval": INTERVAL, "host": "h1"} | changes))  # type: ignore[arg-type]
