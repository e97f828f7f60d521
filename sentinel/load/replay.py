"""A recording as a load: its messages in its order, with its spacing, looped for as long as the load lasts.

Each message gets source, sequence number and times as a made-up one does, so that the ledger holds: the sources of the
recording are numbered from 0 in the order in which they appear. `run` and `measurement`, which would take a point
elsewhere, are left out. All else stays as it was recorded, and so does the codec of each message.
"""

from __future__ import annotations

import struct
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from sentinel.errors import RecordingError, SettingsError
from sentinel.load.schedule import SLICE, Slice
from sentinel.model.codecs import MSGSPEC
from sentinel.model.sample import source_of
from sentinel.recording.reader import Reader
from sentinel.recording.survey import SECOND, playable
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

MOST = 256 << 20
"""Bytes of messages that a replay holds in memory, at most."""
ANEW = frozenset({"timestamp", "send_time_unix_nano", "source", "seq"})
"""Keys that each message is given anew."""
ELSEWHERE = frozenset({"run", "measurement"})
"""Keys that would take its point where nobody counts it."""

_HEAD = b'{"timestamp":%d,"send_time_unix_nano":%d,"source":%d,"seq":%d%b'
_BINARY = frozenset({32, 40})
_READINGS = slice(8, 24)
"""Where a binary message has its two readings."""
_LENGTH = 16
"""Bytes of them: the rest of a JSON message, which has two keys at least, is longer."""
_TRACED = struct.Struct("<q16sqII")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Replay:
    """A recording's messages, and when each falls due: in place of a `Schedule`, and of an `encoder`.

    Both go through the messages in one order: what `until` or `turns` has given out is what `encode` makes next.

    Args:
        settings: `replay` is the recording; `rate` (msg/s) stretches its spacing or draws it together;
            `first_source` and `workers` say which of its sources are played.

    Raises:
        RecordingError: it cannot be read, is not whole, has no message that can be played, or too many.
    """

    def __init__(self, settings: LoadSettings) -> None:
        path = Path(settings.replay)
        surveyed = playable(path)
        if surveyed.size > MOST:
            raise RecordingError(
                f"{path} has {surveyed.size:,} bytes of messages: a replay holds {MOST:,} at most; record fewer"
                " (sentinel record --bytes 64MiB)"
            )
        times, sources, rests = _loaded(path)
        share = surveyed.sources / settings.workers
        self._period = max(round(len(rests) * SECOND / (settings.rate * share)), len(rests))
        # Messages that all came at once have no spacing: they are spaced evenly.
        places = (times - times[0]) / surveyed.period if surveyed.rate else np.arange(len(rests)) / len(rests)
        scaled = _increasing(np.rint(places * self._period).astype(np.int64))
        scaled = np.minimum(scaled, self._period - np.arange(len(rests), 0, -1))
        here = (sources >= settings.first_source) & (sources < settings.first_source + settings.workers)
        self._offsets, self._sources = scaled[here], sources[here] - settings.first_source
        self._rests = cycle([rest for rest, kept in zip(rests, here.tolist(), strict=True) if kept])
        self._end = round(settings.duration * SECOND)
        self._given = 0

    def slices(self) -> Iterator[int]:
        """See Schedule."""
        yield from range(SLICE, self._end, SLICE)
        yield self._end

    def until(self, end: int) -> Slice:
        """See Schedule."""
        loops, rest = divmod(end, self._period)
        count = loops * len(self._offsets) + int(np.searchsorted(self._offsets, rest))
        whole, places = np.divmod(np.arange(self._given, count), len(self._offsets))
        self._given = count
        return Slice(whole * self._period + self._offsets[places], self._sources[places])

    def turns(self, count: int) -> Integers:
        """The sources of the next `count` messages, where a stream is filled with them."""
        places = np.arange(self._given, self._given + count) % len(self._offsets)
        self._given += count
        return self._sources[places]

    def deepest(self, count: int) -> int:
        """How many of the first `count` messages are of one source, at most."""
        loops, rest = divmod(count, len(self._sources))
        each = np.bincount(self._sources)
        return int((loops * each + np.bincount(self._sources[:rest], minlength=len(each))).max())

    def encode(self, sources: Integers, numbers: Integers, sent: Integers) -> list[bytes]:
        """The next messages; arguments and result as those of `payloads.Encode`."""
        columns = (sent // SECOND).tolist(), sent.tolist(), sources.tolist(), numbers.tolist()
        # The messages come last: zip takes none of them once the other columns are at their end.
        return [
            _HEAD % (second, at, source, number, rest)
            if len(rest) != _LENGTH
            else _TRACED.pack(second, rest, at, source, number)
            for second, at, source, number, rest in zip(*columns, self._rests, strict=False)
        ]


def check(settings: LoadSettings) -> None:
    """Refuse settings that go with no replay, since they tell of messages that are made up.

    Args:
        settings: of the load.

    Raises:
        SettingsError: sources, messages or spacing are to be others than the recording's own.
    """
    made_up = {name: getattr(settings, name) for name in ("loop", "sources", "fields", "tags")}
    given = [f"{name}={value!r}" for name, value in made_up.items() if value != getattr(LoadSettings, name)]
    if settings.replay and given:
        raise SettingsError(
            f"{', '.join(given)} goes with no replay: a recording has its own spacing, sources and messages"
        )


def own_rate(path: Path) -> float:
    """The rate at which a recording's messages came.

    Args:
        path: the recording.

    Returns:
        msg/s.

    Raises:
        RecordingError: it cannot be played, or all its messages came at once.
    """
    if rate := playable(path).rate:
        return rate
    raise RecordingError(f"{path} has no spacing of its own, as all its messages came at once: give a rate")


def _loaded(path: Path) -> tuple[Integers, Integers, list[bytes]]:
    """Of all messages that can be played: when each came, the number of its source, and what of it stays."""
    times, sources, rests = list[int](), list[int](), list[bytes]()
    numbers: dict[Hashable, int] = {}
    with Reader(path) as reader:
        for block in reader.blocks():
            decoded = MSGSPEC(block.payloads)
            bad = {rejected.position for rejected in decoded.rejected}
            kept = [n for n in range(len(block.times)) if n not in bad]
            times += [block.times[n] for n in kept]
            own = map(source_of, decoded.columns.series)
            sources += [numbers.setdefault(source, len(numbers)) for source in own]
            rests += [_rest(block.payloads[n]) for n in kept]
    return np.array(times, dtype=np.int64), np.array(sources, dtype=np.int64), rests


def _rest(payload: bytes) -> bytes:
    """What of a message stays: of JSON all other members and the end, of a binary one its readings."""
    if len(payload) in _BINARY:
        return payload[_READINGS]
    members: dict[str, Any] = _members(payload)
    kept = [
        b",%b:%b" % (msgspec.json.encode(key), bytes(value))
        for key, value in members.items()
        if key not in ANEW and key not in ELSEWHERE
    ]
    return b"".join(kept) + b"}"


def _increasing(times: Integers) -> Integers:
    """Times pushed on by 1 ns where two are the same: they would share a key in the store if one source sent both."""
    steps = np.arange(len(times))
    return np.maximum.accumulate(times - steps) + steps
