"""Sample: one reading of one host at one time, as it travels.

Pure: no clock, no socket. The wire names (`cpu_usage`, `send_time_unix_nano`…) are SentinelStream's; the short names
are ours. What a sample may hold is said once, here, so that every decoder accepts and rejects the same messages.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

MEASUREMENT = "system_stats"
MOST_SERIES = 1 << 20
"""Sources followed beside those with a small number: a hostile sender must not fill the memory."""
RUN = 1 << 20
"""Every run of a sender numbers from a multiple of this: such a number out of its turn begins a new sequence."""
AGENT: Final = "sentinel_agent"
"""Measurement of what an agent says about itself."""

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 2)]
"""Since the Unix epoch; the upper end is InfluxDB's."""
Name = Annotated[str, msgspec.Meta(max_length=255)]
Names = tuple[str, ...]
"""Of the further fields of a message, in its order."""
Pairs = tuple[tuple[str, str], ...]
"""Tags and their values, sorted."""

UNTAGGED = 4
"""Parts of the key of a series without tags."""
LONGEST_NAME = 255
"""Characters of a name."""
RESERVED_FIELDS = frozenset({"cpu", "mem", "time"})
RESERVED_TAGS = RESERVED_FIELDS | {"host", "run", "source", "_field", "_measurement"}
"""What a point has already, and what stores keep for themselves."""

_WIRE_NAMES = {"cpu": "cpu_usage", "mem": "mem_usage", "sent": "send_time_unix_nano"}


class Sample(msgspec.Struct, rename=_WIRE_NAMES, omit_defaults=True, gc=False):
    """One reading. `sent` is the *intended* send time under an open-loop load; 0 where the sender gave none."""

    timestamp: Annotated[int, msgspec.Meta(ge=0, le=9_223_372_036)]
    """Seconds since the Unix epoch."""
    cpu: float
    """Percent of all cores."""
    mem: float
    """Percent of physical memory."""
    sent: Nanoseconds = 0
    host: Name = ""
    source: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    """Number of the emitter; with `host` it names a source with its own sequence numbers."""
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    """Position among the source's messages, from the run's first number (`first_number`, or 0), without gaps."""
    fields: dict[str, float] | None = None
    """Further readings: swap, load, disk, network… Their names are judged by `names_error`, once for all messages that
    have the same: plain `str` is what msgspec decodes quickest (docs/measurements.md: fields)."""
    run: Name = ""
    measurement: Literal["sentinel_agent"] | None = None
    """Where an agent's message about itself belongs; counts only beside a `host`."""
    tags: dict[str, Name] | None = None
    """What else tells the sample's series from others: rack, region, role… They do not tell its source."""

    @property
    def time(self) -> int:
        """Time of the point in ns: `sent` if present, else `timestamp`."""
        return self.sent or self.timestamp * 1_000_000_000


def first_number(draw: Callable[[int, int], int]) -> int:
    """Where a sender's run begins to number, so that it is not taken for the run before.

    0 is left to senders that do not choose, and half of all numbers to the run's length.

    Args:
        draw: a number from its first argument up to but without its second, such as `random.randrange`.
    """
    return RUN * draw(1, 2**31 // RUN)


class Columns(NamedTuple):
    """Some samples by column, in their order."""

    series: list[Hashable]
    """What tells each sample's series from the others: the number alone where that is all there is, else host, number,
    run and measurement, and behind them the tags where there are any."""
    sent: list[int]
    """As in the samples, 0 where unknown."""
    numbers: list[float]
    """Three a sample: cpu, mem and `time`."""
    further: frozenset[Names]
    """The different names of further fields; empty where no sample has any."""
    tagged: bool
    """Whether any has tags."""


def columns(samples: Sequence[Sample]) -> Columns:
    """The columns of some samples.

    All in one loop: a comprehension for each column takes longer, most of all in small reads, at whose start caches
    are cold.
    """
    series: list[Hashable] = []
    sent: list[int] = []
    numbers: list[float] = []
    more = False
    for s in samples:
        series.append(s.source if not (s.host or s.run) else (s.host, s.source, s.run, s.measurement))
        sent.append(time := s.sent)
        numbers.append(s.cpu)
        numbers.append(s.mem)
        numbers.append(time or s.time)
        if s.fields or s.tags:
            more = True
    if not more:
        return Columns(series, sent, numbers, frozenset(), False)
    if tagged := any(s.tags for s in samples):
        series = [_tagged(s) if s.tags else key for s, key in zip(samples, series, strict=True)]
    # One object for each message, and one lookup: names repeat from message to message.
    return Columns(series, sent, numbers, frozenset(tuple(s.fields) for s in samples if s.fields), tagged)


def _tagged(s: Sample) -> Hashable:
    return s.host, s.source, s.run, s.measurement, tuple(sorted((s.tags or {}).items()))


def source_of(series: Any) -> Hashable:
    """The source of a series, told apart like a series without tags: all but them.

    Args:
        series: one of `Columns.series`.
    """
    if not isinstance(series, tuple) or len(series) == UNTAGGED:
        return cast("Hashable", series)
    host, source, run, kind, _ = series
    return cast("Hashable", source if not (host or run) else (host, source, run, kind))


def measurement(sample: Sample) -> str:
    """The measurement of the sample's point: `MEASUREMENT` without a host, as the series of two agents would be one."""
    return sample.measurement or MEASUREMENT if sample.host else MEASUREMENT


def validation_error(sample: Sample) -> str | None:
    """Why the sample cannot become a point, beyond its types; None if it can.

    Line protocol has no NaN and no infinity, and a field needs a name of its own.
    """
    if not (math.isfinite(sample.cpu) and math.isfinite(sample.mem)):
        return f"cpu_usage={sample.cpu!r}, mem_usage={sample.mem!r}: expected finite numbers"
    # Looked at only beside fields, which every agent sends: without them a quick decoder asks nothing more.
    if sample.fields and homeless(sample):
        return f"measurement={sample.measurement!r} without a host: expected the host that it is about"
    if problem := names_error(sample.fields or ()) or tags_error(sample):
        return problem
    for name, value in (sample.fields or {}).items():
        if not math.isfinite(value):
            return f"fields.{name}={value!r}: expected a finite number"
    return None


def homeless(sample: Sample) -> bool:
    """Whether it is an agent's message about itself that does not say which agent's."""
    return bool(sample.measurement and not sample.host)


def names_error(names: Collection[str], reserved: Collection[str] = RESERVED_FIELDS, of: str = "fields") -> str | None:
    """Why these cannot be names of further fields; None if they can.

    Args:
        names: of one message.
        reserved: what none of them may be.
        of: the key under which they came.
    """
    for name in names:
        if not name or name in reserved:
            return f"{of}: {name!r} is not a name for a further {'reading' if of == 'fields' else 'tag'}"
        if len(name) > LONGEST_NAME:
            return f"{of}: a name of {len(name):,} characters: expected length <= {LONGEST_NAME}"
    return None


def tags_error(sample: Sample) -> str | None:
    """Why the sample's tags cannot be a point's; None if they can, or there are none.

    A name belongs to a tag or to a field: InfluxDB 3 refuses the other, and to the others it is two columns.
    """
    if not sample.tags:
        return None
    return names_error(sample.tags, RESERVED_TAGS | (sample.fields or {}).keys(), "tags")
