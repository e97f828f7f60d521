"""Measure: latencies of settled batches within the stated error, the sources' numbers, the original's log lines."""

from __future__ import annotations

import json
import logging
import struct
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from sentinel.consumer.batching import Batch, Block
from sentinel.consumer.measuring import measurement, overwrites, sequences
from sentinel.consumer.measuring.measurement import (
    COLLECT,
    COLLECT_MOST,
    KINDS,
    LOG_SECONDS,
    Measurement,
    NoMeasurement,
    stats_line,
)
from sentinel.consumer.measuring.trace import NAMED, NUMBER, Trace, Tracer
from sentinel.model.histogram import RELATIVE_ERROR, Recorder
from sentinel.model.sample import Sample, columns

NOW = 1_700_000_000_000_000_000
"""When everything is read, ns since the epoch."""


class Clock:
    """Monotonic seconds that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Now."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that decides when a line is due."""
    clock = Clock()
    monkeypatch.setattr(measurement, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def sample(sent: int = 0, seq: int | None = None, source: int | None = 1, host: str = "h") -> Sample:
    """One message."""
    return Sample(timestamp=1_700_000_000, cpu=1.0, mem=2.0, sent=sent, host=host, source=source, seq=seq)


tracer = Tracer()


def traced(tracer: Tracer, samples: list[Sample]) -> Trace:
    """The trace of some samples."""
    return tracer(samples, columns(samples))


def block(samples: list[Sample], read: int = NOW, batched: int = NOW) -> Block:
    """What one read of these samples brings into a batch."""
    return Block(len(samples), (), None, read, batched, traced(tracer, samples))


def batch(samples: list[Sample], read: int = NOW, batched: int = NOW) -> Batch:
    """Samples that came in one read."""
    return Batch([block(samples, read, batched)], len(samples))


def taken(measured: Measurement) -> dict[str, Recorder]:
    """The histograms, through JSON as the record holds them."""
    return {kind: Recorder.from_dict(data) for kind, data in json.loads(json.dumps(measured.take())).items()}


def test_each_latency_goes_from_its_start_to_its_end() -> None:
    """internal: read → batch; e2e: intended send → batch; stored: intended send → the store's answer."""
    measured = Measurement()
    measured.settled(batch([sample(NOW - 5_000_000)], NOW, NOW + 20_000), NOW + 9_000_000)
    histograms = taken(measured)
    exact = {"internal": 20_000, "e2e": 5_020_000, "stored": 14_000_000}
    assert list(exact) == list(histograms)
    for kind, nanoseconds in exact.items():
        assert nanoseconds == pytest.approx(histograms[kind].quantile(0.5), rel=RELATIVE_ERROR)
        assert len(histograms[kind]) == 1


def test_every_message_of_a_batch_has_its_own_read_and_send_time() -> None:
    """A batch of several reads, over several batches, gives the quantiles computed message by message."""
    random = np.random.default_rng(1)
    measured = Measurement()
    exact: dict[str, list[int]] = {"internal": [], "e2e": [], "stored": []}
    for number in range(40):
        whole = Batch()
        stored = NOW + number * 10**7 + 5 * 10**6
        for size in random.integers(1, 30, 3).tolist():
            read = NOW + number * 10**7 + int(random.integers(0, 10**6))
            batched = read + int(random.integers(1000, 10**6))
            sent = [read - int(delay) for delay in random.integers(0, 10**6, size)]
            whole.append(block([sample(at) for at in sent], read, batched))
            exact["internal"] += [batched - read] * size
            exact["e2e"] += [batched - at for at in sent]
            exact["stored"] += [stored - at for at in sent]
        measured.settled(whole, stored)
    histograms = taken(measured)
    for kind, durations in exact.items():
        assert len(durations) == len(histograms[kind])
        for q in (0.01, 0.5, 0.9, 0.99, 1.0):
            expected = np.quantile(durations, q, method="inverted_cdf")
            assert expected == pytest.approx(histograms[kind].quantile(q), rel=RELATIVE_ERROR)


def test_a_latency_below_zero_is_counted() -> None:
    """A sender whose clock runs ahead shows as negative and zero, never dropped or rounded up."""
    measured = Measurement()
    measured.settled(batch([sample(NOW + 1), sample(NOW + 10**9), sample(NOW), sample(NOW - 1000)]), NOW)
    e2e = taken(measured)["e2e"]
    assert (4, 2, 1) == (len(e2e), e2e.negative, e2e.zero)


def test_a_message_without_a_send_time_has_no_way_to_measure() -> None:
    """Only the internal latency is known of it; a sender without clocks does not appear to be decades late."""
    measured = Measurement()
    measured.settled(batch([sample(0), sample(NOW - 1000), sample(0)], NOW, NOW + 10), NOW + 20)
    histograms = taken(measured)
    assert {"internal": 3, "e2e": 1, "stored": 1} == {kind: len(values) for kind, values in histograms.items()}
    assert histograms["stored"].quantile(1.0) == pytest.approx(1020, rel=RELATIVE_ERROR)


def test_taking_empties() -> None:
    """Each interval has its own histograms: what was taken is not given again, and nothing waits unseen."""
    measured = Measurement()
    assert {"internal": {}, "e2e": {}, "stored": {}} == measured.take()
    for count in (1, COLLECT - 1, COLLECT, 3):
        measured.settled(batch([sample(NOW - 10)] * count, NOW, NOW + 5), NOW + 7)
    assert [2 * COLLECT + 3] * 3 == [len(actual) for actual in taken(measured).values()]
    assert {"internal": {}, "e2e": {}, "stored": {}} == measured.take()


def test_totals_are_all_that_was_taken() -> None:
    """The sum of all intervals is kept for the last account; one that learns nothing has none."""
    measured, unmeasured = Measurement(), NoMeasurement()
    for count in (1, COLLECT, 3):
        for each in (measured, unmeasured):
            each.settled(batch([sample(NOW - 10)] * count, NOW, NOW + 5), NOW + 7)
            each.take()
    assert [COLLECT + 4] * 3 == [len(measured.totals[kind]) for kind in KINDS]
    assert [0] * 3 == [len(unmeasured.totals[kind]) for kind in KINDS]


def test_an_empty_batch_changes_nothing() -> None:
    """A batch of which the store refused everything may hold no message."""
    measured = Measurement()
    measured.settled(Batch(), NOW)
    assert {"internal": {}, "e2e": {}, "stored": {}} == measured.take()


# -- the sources' numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "counts"),
    [
        ([0, 1, 2, 3], (0, 0, 0)),
        ([0, 1, 4], (2, 0, 0)),
        ([0, 1, 1, 2], (0, 1, 0)),
        ([0, 2, 1, 3], (0, 0, 1)),
        ([7, 8, 10], (1, 0, 0)),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_sequence_numbers_are_followed(numbers: list[int], counts: tuple[int, int, int], together: bool) -> None:
    """(lost, duplicated, reordered) come from the samples, whether they arrive in one batch or one by one."""
    measured = Measurement()
    for part in [numbers] if together else [[number] for number in numbers]:
        measured.settled(batch([sample(NOW, seq) for seq in part]), NOW)
        measured.take()
    actual = measured.sequences
    assert counts == (actual.lost, actual.duplicated, actual.reordered)


def test_sources_are_told_apart_by_host_source_and_run() -> None:
    """The same number of another source, host or run is no duplicate."""
    measured = Measurement()
    samples = [sample(NOW, 5, source, host) for source in (1, 2, None) for host in ("a", "b")]
    samples += [Sample(timestamp=1, cpu=0.0, mem=0.0, host="a", source=1, seq=5, run=run) for run in ("x", "y")]
    measured.settled(batch(samples), NOW)
    measured.take()
    assert (0, 0, 0) == (measured.sequences.lost, measured.sequences.duplicated, measured.sequences.reordered)


def test_messages_without_numbers_are_not_followed() -> None:
    """The original's messages carry no numbers: nothing is known to be lost, and nothing is doubled."""
    measured = Measurement()
    measured.settled(batch([sample(NOW), sample(NOW), sample(NOW, 0), sample(NOW), sample(NOW, 2)]), NOW)
    measured.take()
    assert (1, 0) == (measured.sequences.lost, measured.sequences.duplicated)


# -- the original's lines --------------------------------------------------------------------------------------------


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged since the last look, but for warnings of points that overwrite each other."""
    actual = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    caplog.clear()
    return actual


def test_a_second_leaves_the_originals_lines(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """One line a kind, in the original's format, over the messages since the lines before."""
    caplog.set_level(logging.INFO, logger=measurement.__name__)
    measured = Measurement()
    half = [sample(NOW - 2_000_000)] * (COLLECT // 2)
    measured.settled(batch(half, NOW, NOW + 30_000), NOW + 4_000_000)
    clock.seconds = LOG_SECONDS
    assert lines_of(caplog) == []
    measured.settled(batch(half, NOW, NOW + 50_999), NOW + 4_000_000)
    assert lines_of(caplog) == [
        "INTERNAL_LATENCY_STATS count=1000 p50_us=30 p90_us=50 p99_us=50",
        "E2E_LATENCY_STATS count=1000 p50_us=2030 p90_us=2050 p99_us=2050",
        "STORED_LATENCY_STATS count=1000 p50_us=6000 p90_us=6000 p99_us=6000",
    ]
    measured.settled(batch(half), NOW)
    assert lines_of(caplog) == []


@pytest.mark.parametrize("messages", [1, 7, COLLECT, COLLECT_MOST])
def test_lines_come_once_a_second_at_most(caplog: pytest.LogCaptureFixture, clock: Clock, messages: int) -> None:
    """However many batches of whatever size settle, a second has one set of lines, over all messages since the last."""
    caplog.set_level(logging.INFO, logger=measurement.__name__)
    measured, seen, settled = Measurement(), [], 0
    for number in range(1, 31):
        clock.seconds = number / 10
        measured.settled(batch([sample(NOW - 10)] * messages), NOW)
        measured.take()
        settled += messages
        lines = lines_of(caplog)
        assert (3 if number % 10 == 0 else 0) == len(lines)
        seen += [int(line.split()[1].removeprefix("count=")) for line in lines[::3]]
    assert [10 * messages] * 3 == seen


def test_few_messages_leave_lines_after_a_second(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """A slow stream is not silent: what has come is logged once a second has passed."""
    caplog.set_level(logging.INFO, logger=measurement.__name__)
    measured = Measurement()
    measured.settled(batch([sample(NOW - 1000)]), NOW)
    clock.seconds = 0.99
    measured.take()
    assert lines_of(caplog) == []
    clock.seconds = 1.0
    measured.settled(batch([sample(NOW - 3000)]), NOW)
    measured.take()
    assert [line.split(" p90")[0] for line in lines_of(caplog)] == [
        "INTERNAL_LATENCY_STATS count=2 p50_us=0",
        "E2E_LATENCY_STATS count=2 p50_us=1",
        "STORED_LATENCY_STATS count=2 p50_us=1",
    ]


def test_messages_without_send_times_leave_the_internal_line_alone(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    """No end-to-end line is made up where nothing is known."""
    caplog.set_level(logging.INFO, logger=measurement.__name__)
    measured = Measurement()
    clock.seconds = LOG_SECONDS
    measured.settled(batch([sample()] * COLLECT, NOW, NOW + 7000), NOW)
    assert lines_of(caplog) == ["INTERNAL_LATENCY_STATS count=1000 p50_us=7 p90_us=7 p99_us=7"]


def test_a_quiet_logger_costs_and_says_nothing(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """With logging at WARNING no lines are made, and the histograms are the same."""
    caplog.set_level(logging.WARNING, logger=measurement.__name__)
    measured = Measurement()
    measured.settled(batch([sample(NOW - 1000)] * COLLECT), NOW)
    clock.seconds = LOG_SECONDS
    measured.settled(batch([sample(NOW - 1000)]), NOW)
    assert (lines_of(caplog), measured._window) == ([], {kind: [] for kind in KINDS})
    assert COLLECT + 1 == len(taken(measured)["e2e"])


@pytest.mark.parametrize(
    ("durations", "line"),
    [
        ([], ""),
        ([999], "E2E_LATENCY_STATS count=1 p50_us=0 p90_us=0 p99_us=0"),
        (range(1000, 101_000, 1000), "E2E_LATENCY_STATS count=100 p50_us=50 p90_us=90 p99_us=99"),
        ([-1, -1, 5000], "E2E_LATENCY_STATS count=3 p50_us=-1 p90_us=5 p99_us=5"),
    ],
)
def test_a_line_has_whole_microseconds(durations: list[int], line: str) -> None:
    """Percentiles are measured values in whole µs, rounded down, as the original prints them."""
    assert line == stats_line("e2e", np.array(durations, dtype=np.int64))


def numbers(column: bytes) -> list[int]:
    """A packed column, unpacked."""
    return list(struct.unpack(f"{len(column) // NUMBER}q", column))


def test_a_trace_says_when_by_whom_and_which() -> None:
    """Parallel columns; a source keeps its number, no two share one; what is missing is negative; a part is a part."""
    first = traced(tracer, [sample(5, 0, 1), sample(6, None, 1), sample(0, 7, 2), sample(8, 1, 1, host="")])
    first_source, again, two, number = numbers(first.sources)
    assert ([5, 6, -NOW, 8], [0, -1, 7, 1], 1) == (numbers(first.times), numbers(first.numbers), number)
    assert (True, True) == (first_source == again != two, min(first_source, two) >= NAMED)
    assert [[6, -NOW], [first_source, two], [-1, 7], []] == list(map(numbers, first.part(1, 3)))
    other, second = numbers(traced(tracer, [sample(1, 1, 1, "other"), sample(1, 1, 2)]).sources)
    assert (two, True) == (second, other not in {first_source, two})
    seven, none = numbers(traced(tracer, [sample(1, 1, 7, ""), sample(1, 1, None, "")]).sources)
    assert (7, True) == (seven, none >= NAMED)
    assert [b"", b"", b"", b""] == list(traced(tracer, []))


def test_tags_tell_series_apart_but_not_sources() -> None:
    """A source whose tags change goes on counting, and points that differ in tags alone do not overwrite each other."""
    racks = [Sample(1, 0.0, 0.0, NOW, source=3, seq=n, tags={"rack": "ab"[n % 2], "x": "y"}) for n in range(4)]
    racks[2].sent = racks[3].sent = NOW + 1
    trace = traced(tracer, [*racks, sample(NOW, 0, 3, host="")])
    assert [3] * 5 == numbers(trace.sources)
    first, second, *rest, plain = numbers(trace.places)
    assert (True, [first, second], 3) == (first != second, rest, plain)
    measured = Measurement()
    measured.settled(batch(racks), NOW)
    measured.take()
    followed = measured.sequences
    assert (0, 0, 0, 0) == (followed.lost, followed.duplicated, followed.jumped, measured.overwrites.count)


def test_a_flood_of_names_is_followed_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile sender's random names, long ones too, take no more memory than the most; the rest is counted."""
    monkeypatch.setattr(sequences, "MOST_SERIES", 4096)
    monkeypatch.setattr(overwrites, "MOST_SERIES", 4096)
    measured, random = Measurement(), np.random.default_rng(1)
    tracemalloc.start()
    for number in range(40):
        names = [f"{n}{'é' * 200}" for n in random.integers(0, 2**62, 500)]
        measured.settled(batch([sample(NOW + number, int(n) % 2**32, None, name) for n, name in enumerate(names)]), NOW)
        measured.take()
    del names
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 40 * 500 - 4096 == measured.sequences.unfollowed
    assert held < 2_000_000


def test_named_sources_are_followed_as_numbered_ones_are() -> None:
    """Losses, repetitions and order of hosts with a name, many more than were remembered by name before."""
    measured, hosts = Measurement(), [f"host-{n}" for n in range(3000)]
    for seq in (0, 1, 3, 3, 2):
        measured.settled(batch([sample(NOW + seq, seq, None, host) for host in hosts]), NOW)
        measured.take()
    followed = measured.sequences
    assert (0, 3000, 3000, 0) == (followed.lost, followed.duplicated, followed.reordered, followed.unfollowed)


def test_the_first_overwriting_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A warning, at the first points of one series and time; the count goes on."""
    measured = Measurement()
    for number in range(3):
        measured.settled(batch([sample(NOW, 2 * number), sample(NOW, 2 * number + 1)]), NOW)
        measured.take()
    assert [measurement.OVERWRITTEN] == caplog.messages
    assert measured.overwrites.count == 5
