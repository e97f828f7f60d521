"""Batching: every message leaves exactly once, in order, in batches that are full or old enough."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.consumer import batching
from sentinel.consumer.batching import Batch, Batcher, Read
from sentinel.consumer.configurations import parse
from sentinel.consumer.measuring.trace import NUMBER, Trace, Tracer
from sentinel.model.sample import Sample, columns
from sentinel.settings import ConsumerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

PROPERTY = settings(deadline=None, max_examples=150, derandomize=True)
SIZES = st.integers(1, 9)
READ_SIZES = st.lists(st.integers(0, 25), max_size=20)
tracer = Tracer()


def read(first: int, count: int, at: int = 0, ids: bool = True) -> tuple[Read, list[str], Callable[[], Trace]]:
    """A read of `count` messages numbered from `first`, with its points and what makes its trace."""
    numbers = range(first, first + count)
    payloads = [b"payload %d" % n for n in numbers]
    points = [f"line {n}" for n in numbers]
    samples = [Sample(1, 1.0, 2.0, sent=n, source=n % 3, seq=n) for n in numbers]
    came = Read([b"%d-0" % n for n in numbers] if ids else [], payloads, at)
    return came, points, lambda: tracer(samples, columns(samples))


def standing(now: int) -> Callable[[], int]:
    """A clock that stands."""
    return lambda: now


def add(
    batcher: Batcher, came: Read, points: list[str], trace: Callable[[], Trace], clock: Callable[[], int]
) -> list[Batch]:
    """Add a read, both clocks telling the same."""
    return batcher.add(came, points, trace, clock, clock)


def followed(batch: Batch) -> list[int]:
    """The number that each message of a batch was traced with."""
    numbers = b"".join(block.trace.numbers for block in batch.blocks)
    return list(struct.unpack(f"{len(numbers) // NUMBER}q", numbers))


def feed(size: int, read_sizes: list[int], ids: bool = True) -> list[Batch]:
    """All batches that reads of these sizes make, the last as it is; read k came at 10k and was added at 10k + 1."""
    batcher = Batcher(size, 1_000_000)
    batches = []
    for k, count in enumerate(read_sizes):
        batches += add(batcher, *read(sum(read_sizes[:k]), count, 10 * k, ids), standing(10 * k + 1))
    return [*batches, batcher.take()]


@PROPERTY
@given(SIZES, READ_SIZES)
def test_no_message_is_lost_repeated_or_reordered(size: int, read_sizes: list[int]) -> None:
    """The batches joined are the messages as they came, whatever the sizes of the reads."""
    batches = feed(size, read_sizes)
    assert list(range(sum(read_sizes))) == [number for batch in batches for number in followed(batch)]


@PROPERTY
@given(SIZES, READ_SIZES)
def test_every_batch_but_the_last_is_exactly_full(size: int, read_sizes: list[int]) -> None:
    """A batch leaves `add` when it reaches the size, never above, and never stays behind full."""
    *full, rest = feed(size, read_sizes)
    assert [size] * (sum(read_sizes) // size) == [len(batch) for batch in full]
    assert sum(read_sizes) % size == len(rest)


@PROPERTY
@given(st.lists(st.lists(st.integers(1, 60), max_size=12), max_size=8))
def test_a_batch_has_its_limit_in_bytes_too(reads: list[list[int]]) -> None:
    """It is full at the limit, and passes it by less than its last message; all messages come, in order."""
    lines = [[b"x" * size for size in sizes] for sizes in reads]
    with patch.object(batching, "LARGEST", 100):
        batcher = Batcher(1000, 1_000_000, b"".join)
        batches = []
        for sizes, points in zip(reads, lines, strict=True):
            came, _, trace = read(0, len(sizes), ids=False)
            batches += batcher.add(came, points, trace, standing(1), standing(1))
        batches.append(batcher.take())
    assert all(batch.size >= 100 for batch in batches[:-1])
    assert all(batch.size - len(batch.blocks[-1].points) < 100 for batch in batches if batch.blocks)
    assert all(len(block.points) <= 100 for batch in batches for block in batch.blocks)
    whole = b"".join(block.points for batch in batches for block in batch.blocks)
    assert whole == b"".join(line for points in lines for line in points)
    assert sum(map(len, reads)) == sum(map(len, batches))


@PROPERTY
@given(SIZES, READ_SIZES, st.booleans())
def test_the_lists_of_a_batch_stay_parallel(size: int, read_sizes: list[int], ids: bool) -> None:
    """Entry i of ids, points and traces is one message; on Pub/Sub there are no ids."""
    for batch in feed(size, read_sizes, ids):
        numbers = followed(batch)
        assert ([b"%d-0" % n for n in numbers] if ids else []) == batch.ids
        assert [f"line {n}" for n in numbers] == [point for block in batch.blocks for point in block.points]


@PROPERTY
@given(SIZES, READ_SIZES)
def test_every_message_is_charged_to_its_own_read(size: int, read_sizes: list[int]) -> None:
    """The blocks' messages sum to the batch's length, and each has the times of the read it came with."""
    owner = [k for k, count in enumerate(read_sizes) for _ in range(count)]
    for batch in feed(size, read_sizes):
        charged = [(block.read_at, block.batched_at) for block in batch.blocks for _ in range(block.messages)]
        assert [(10 * owner[n], 10 * owner[n] + 1) for n in followed(batch)] == charged
        assert len(batch) == sum(block.messages for block in batch.blocks)
        assert all(block.messages > 0 for block in batch.blocks)


@PROPERTY
@given(st.integers(1, 5), st.integers(0, 20), st.lists(st.tuples(st.integers(0, 15), st.integers(0, 4)), max_size=30))
def test_a_batch_is_due_when_its_oldest_message_is(size: int, max_age: int, steps: list[tuple[int, int]]) -> None:
    """`due` gives the batch from `max_age` after its first message on and not before; `wait` counts down to it."""
    batcher, now, arrivals, first = Batcher(size, max_age), 1000, [], 0
    for pause, count in steps:
        now += pause
        wait = max(0, arrivals[0] + max_age - now) if arrivals else None
        assert wait == batcher.wait(now)
        batch = batcher.due(now)
        assert (wait == 0) == (batch is not None)
        if batch is not None:
            assert len(arrivals) == len(batch)
            arrivals = []
        full = add(batcher, *read(first, count), standing(now))
        first += count
        arrivals = (arrivals + [now] * count)[size * len(full) :]
        assert len(arrivals) == len(batcher)


def test_due_respects_the_nanosecond() -> None:
    """One ns before `max_age` nothing is due; at `max_age` it is, once."""
    batcher = Batcher(100, 1000)
    assert add(batcher, *read(0, 3), standing(5000)) == []
    assert (batcher.due(5999), batcher.wait(5999)) == (None, 1)
    assert batcher.wait(6000) == 0
    assert len(batcher.due(6000)) == 3
    assert (batcher.due(10**18), batcher.wait(10**18)) == (None, None)


def test_only_a_batch_of_the_sizes_named_waits_for_its_age() -> None:
    """A smaller or a larger batch is due at once, without `wait`; one of the sizes named is due by age alone."""
    for count in range(1, 8):
        batcher = Batcher(100, 1000, waiting=range(3, 6))
        add(batcher, *read(0, count), standing(5000))
        waits = count in {3, 4, 5}
        assert batcher.wait(5100) == (900 if waits else 0)
        assert (batcher.due(5999) is None) == waits
        assert (batcher.due(6000) is None) != waits


def test_later_messages_do_not_postpone_a_batch() -> None:
    """The age is that of the oldest message, however many follow it."""
    batcher = Batcher(100, 1000)
    for now in (0, 400, 800):
        add(batcher, *read(now, 1), standing(now))
    assert batcher.wait(900) == 100
    assert len(batcher.due(1000)) == 3


def test_the_rest_of_a_read_starts_a_batch_of_its_own() -> None:
    """What is left after a full batch ages from the read it came with, not from the full batch."""
    batcher = Batcher(2, 1000)
    add(batcher, *read(0, 1), standing(0))
    assert [len(batch) for batch in add(batcher, *read(1, 2), standing(700))] == [2]
    assert batcher.wait(700) == 1000


def test_one_large_read_fills_several_batches() -> None:
    """A read larger than the size leaves as full batches at once, with the rest kept."""
    batcher = Batcher(4, 1000)
    full = add(batcher, *read(0, 11, at=5), standing(6))
    assert [[(b.messages, b.read_at, b.batched_at) for b in batch.blocks] for batch in full] == [[(4, 5, 6)]] * 2
    assert len(batcher) == 3


@pytest.mark.parametrize("count", [0, 3])
def test_take_leaves_the_batcher_empty(count: int) -> None:
    """What was taken is not handed out again, and an empty batcher gives an empty batch."""
    batcher = Batcher(10, 1000)
    add(batcher, *read(0, count), standing(0))
    assert count == len(batcher.take())
    assert (len(batcher), len(batcher.take()), batcher.due(10**9)) == (0, 0, None)


def test_a_taken_batch_is_not_changed_by_later_reads() -> None:
    """A batch on its way to the store shares no list with the next one."""
    batcher = Batcher(10, 1000)
    add(batcher, *read(0, 2), standing(0))
    taken = batcher.take()
    add(batcher, *read(2, 3), standing(1))
    assert (len(taken), len(taken.ids), len(taken.blocks)) == (2, 2, 1)


def test_points_are_packed_a_block_at_a_time() -> None:
    """What the writer's `pack` makes of a block's points is what the block holds, cut as the batches are."""
    batcher = Batcher(3, 1000, "+".join)
    full = add(batcher, *read(0, 4), standing(0))
    assert [["line 0+line 1+line 2"], ["line 3"]] == [[b.points for b in x.blocks] for x in (*full, batcher.take())]


def test_a_wall_clock_set_back_holds_nothing_up() -> None:
    """The age of a batch is told by the monotonic clock alone."""
    batcher = Batcher(10, 1000)
    batcher.add(*read(0, 3), standing(10**18), standing(5000))
    batcher.add(*read(3, 3), standing(10**18 - 3600 * 10**9), standing(5500))
    assert (500, 0) == (batcher.wait(5500), batcher.wait(6000))
    assert len(batcher.due(6000)) == 6


def test_no_point_waits_for_its_trace() -> None:
    """The clock is asked once the points are in the batch; the trace is made after, once a read."""
    batcher, seen = Batcher(2, 1000), []
    came, points, trace = read(0, 3)

    def clock() -> int:
        seen.append(f"clock with {len(batcher)}")
        return 7

    def traced() -> Trace:
        seen.append("trace")
        return trace()

    (full,) = batcher.add(came, points, traced, clock, standing(0))
    assert seen == ["clock with 2", "trace", "clock with 1"]
    assert [0, 1, 2] == [*followed(full), *followed(batcher.take())]


@pytest.mark.parametrize(
    ("configuration", "given", "waits"),
    [
        pytest.param("optimised", {}, 0.0, id="reads linger"),
        pytest.param("optimised", {"linger": 0.0}, 0.001, id="reads do not linger"),
        pytest.param("optimised", {"max_age": 0.3}, 0.3, id="an age is given"),
        pytest.param("baseline,write=post-batches", {}, 0.001, id="a receiver that never lingers"),
    ],
)
def test_what_was_gathered_before_it_came_waits_no_more(
    configuration: str, given: dict[str, float], waits: float
) -> None:
    """A batch of ten points is due at once where reads linger; where they do not, or an age is given, it waits."""
    batcher = Batcher.of(ConsumerSettings(**given), parse(configuration), len)  # type: ignore[arg-type]
    add(batcher, *read(0, 10), standing(0))
    assert batcher.wait(0) == int(waits * 1e9)
