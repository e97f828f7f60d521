"""Ledger: counts that must add up, and sequence numbers followed as a simple, slow reference follows them."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.consumer.measuring import sequences
from sentinel.consumer.measuring.sequences import NEAR, QUICK, Sequences
from sentinel.model.ledger import ConsumerLedger, SenderLedger, as_line
from sentinel.model.sample import RUN, first_number

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

PROPERTY = settings(deadline=None, max_examples=200, derandomize=True)


@pytest.mark.parametrize(
    ("ledger", "problems"),
    [
        (SenderLedger(), []),
        (SenderLedger(scheduled=10, sent=10), []),
        (SenderLedger(scheduled=10, sent=7, unsent=3, failed=2), []),
        (SenderLedger(scheduled=10_000, sent=9000), ["scheduled 10,000 ≠ sent 9,000 + unsent 0"]),
        (SenderLedger(scheduled=1, sent=1, unsent=1), ["scheduled 1 ≠ sent 1 + unsent 1"]),
        (ConsumerLedger(), []),
        (ConsumerLedger(received=10, written=10), []),
        (ConsumerLedger(received=10, written=6, rejected=3, pending=1, reasons={"json": 2, "type": 1}), []),
        (ConsumerLedger(received=10, written=10, lost=4, duplicated=5, reordered=6), []),
        (
            ConsumerLedger(received=10_000, written=9999),
            ["received 10,000 ≠ written 9,999 + rejected 0 + pending 0"],
        ),
        (ConsumerLedger(received=2, written=1, rejected=1), ["rejected 1 ≠ sum of its reasons 0"]),
        (ConsumerLedger(received=1, written=1, reasons={"json": 1}), ["rejected 0 ≠ sum of its reasons 1"]),
        (
            ConsumerLedger(received=1, written=1, rejected=1, pending=1),
            ["received 1 ≠ written 1 + rejected 1 + pending 1", "rejected 1 ≠ sum of its reasons 0"],
        ),
    ],
)
def test_a_ledger_says_where_it_does_not_add_up(ledger: SenderLedger | ConsumerLedger, problems: list[str]) -> None:
    """Every sum that fails is named with its numbers, and a ledger that adds up says nothing."""
    assert problems == ledger.problems()


@pytest.mark.parametrize(
    ("name", "ledger", "line"),
    [
        ("generator", SenderLedger(), "generator scheduled=0 sent=0 unsent=0"),
        (
            "generator",
            SenderLedger(scheduled=9, sent=7, unsent=2, failed=1, bytes=900, receivers=7),
            "generator scheduled=9 sent=7 unsent=2 failed=1 bytes=900 receivers=7",
        ),
        ("consumer", ConsumerLedger(), "consumer received=0 written=0 rejected=0 pending=0 lost=0"),
        (
            "consumer",
            ConsumerLedger(received=5, written=5, duplicated=1, requests=2),
            "consumer received=5 written=5 rejected=0 pending=0 lost=0 duplicated=1 requests=2",
        ),
    ],
)
def test_a_ledger_prints_as_one_line(name: str, ledger: SenderLedger | ConsumerLedger, line: str) -> None:
    """The main counts are always shown, others only where they are not zero."""
    assert line == as_line(name, ledger)


def test_every_word_of_a_line_is_a_key_and_a_value() -> None:
    """Split at blanks, a line is a name and `key=value` words, whatever the reasons."""
    ledger = ConsumerLedger(received=5, written=2, rejected=3, reasons={"json": 2, "type": 1}, retries=4)
    name, *words = as_line("consumer", ledger).split()
    values = dict(word.split("=", 1) for word in words)
    assert name == "consumer"
    assert {key for key, value in asdict(ledger).items() if value} | {"pending", "lost"} == values.keys()
    assert tuple(part[-1] for part in values["reasons"].split(",")) == ("2", "1")


def reference(messages: list[tuple[Hashable, int]]) -> tuple[int, int, int]:
    """(lost, duplicated, reordered), a message at a time, remembering everything."""
    first, seen, duplicated, reordered = {}, {}, 0, 0
    for source, number in messages:
        first.setdefault(source, number)
        numbers = seen.setdefault(source, set())
        if number in numbers:
            duplicated += 1
        elif numbers and number < max(numbers):
            reordered += 1
        numbers.add(number)
    lost = sum(len(set(range(first[s], max(numbers))) - numbers) for s, numbers in seen.items())
    return lost, duplicated, reordered


def followed(messages: list[tuple[Hashable, int]], cuts: Iterable[int] = ()) -> tuple[int, int, int]:
    """(lost, duplicated, reordered) as `Sequences` counts them, the messages seen in batches cut as given."""
    sequences = Sequences()
    slot = {source: n for n, source in enumerate(dict.fromkeys(source for source, _ in messages))}
    slots = np.array([slot[source] for source, _ in messages], dtype=np.int64)
    numbers = np.array([number for _, number in messages], dtype=np.int64)
    bounds = [0, *sorted(cuts), len(messages)]
    for start, end in pairwise(bounds):
        sequences.see(slots[start:end], numbers[start:end])
    return sequences.lost, sequences.duplicated, sequences.reordered


@st.composite
def journeys(draw: st.DrawFn) -> tuple[list[tuple[Hashable, int]], list[int]]:
    """Messages of several sources, dropped, doubled and shuffled within a window; and where batches are cut."""
    messages = []
    for source in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, 1000))
        fates = draw(st.lists(st.sampled_from([1, 1, 1, 1, 0, 2]), max_size=25))
        messages += [(f"host-{source}", first + i) for i, copies in enumerate(fates) for _ in range(copies)]
    random = draw(st.randoms(use_true_random=False))
    window = draw(st.sampled_from([0, 3, 100]))
    order = sorted(range(len(messages)), key=lambda i: messages[i][1] % 1000 + random.uniform(0, window))
    messages = [messages[i] for i in order]
    return messages, draw(st.lists(st.integers(0, len(messages)), max_size=6))


@PROPERTY
@given(journeys())
def test_sequences_count_as_the_reference_does(journey: tuple[list[tuple[Hashable, int]], list[int]]) -> None:
    """The counts are those of the reference, whatever happened on the way and wherever batches end."""
    messages, cuts = journey
    assert reference(messages) == followed(messages, cuts)


@PROPERTY
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), max_size=30), st.lists(st.integers(0, 30), max_size=4)
)
def test_sequences_count_any_numbers_as_the_reference_does(
    messages: list[tuple[Hashable, int]], cuts: Iterable[int]
) -> None:
    """The same for numbers in no order at all."""
    cuts = [min(cut, len(messages)) for cut in cuts]
    assert reference(messages) == followed(messages, cuts)


@pytest.mark.parametrize(
    ("numbers", "counts"),
    [
        ([0, 1, 2, 3], (0, 0, 0)),
        ([0, 1, 3], (1, 0, 0)),
        ([0, 5, 10], (8, 0, 0)),
        ([0, 3, 1, 2, 4], (0, 0, 2)),
        ([0, 4, 2], (2, 0, 1)),
        ([0, 1, 1, 2], (0, 1, 0)),
        ([0, 1, 2, 0, 1, 2, 3], (0, 3, 0)),
        ([0, 2, 2, 1, 1], (0, 2, 1)),
        ([1000, 1001], (0, 0, 0)),
        ([5, 3], (0, 0, 1)),
        ([5, 3, 3], (0, 1, 1)),
        ([5, 3, 4], (0, 0, 2)),
        ([5, 3, 4, 6], (0, 0, 2)),
        ([5, 3, 4, 4, 8], (2, 1, 2)),
        ([3, 2, 1, 0, 4], (0, 0, 3)),
        ([2**32 - 2, 2**32 - 1], (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("cut", ["whole", "one by one"])
def test_a_sequence_is_lost_duplicated_and_reordered_as_expected(
    numbers: list[int], counts: tuple[int, int, int], cut: str
) -> None:
    """(lost, duplicated, reordered) of sequences that a person can check."""
    messages = [("a", number) for number in numbers]
    assert counts == followed(messages, range(len(messages)) if cut == "one by one" else ())


def test_a_late_joiner_has_lost_nothing() -> None:
    """A consumer that joins at number 1,000,000 has not lost what came before, only what is missing after."""
    assert followed([("a", 1_000_000), ("a", 1_000_001), ("b", 7), ("b", 9)]) == (1, 0, 0)


@pytest.mark.parametrize("sources", [63, 64, 65, 128, 300])
def test_any_number_of_sources_is_followed(sources: int) -> None:
    """More sources than there were slots at first are told apart as well, each with a gap of its own."""
    messages = [(source, number) for number in (0, 1, 3) for source in range(sources)]
    assert (sources, 0, 0) == followed(messages, range(0, len(messages), 50))


def test_sources_that_appear_between_batches_do_not_disturb_the_others() -> None:
    """New slots made after others were in use keep the old ones' state."""
    sequences = Sequences()
    for number in range(5):
        slots = np.arange(40 * (number + 1))
        sequences.see(slots, np.full(len(slots), number))
    assert (sequences.lost, sequences.duplicated, sequences.reordered) == (0, 0, 0)
    assert (sequences.lost, sequences.duplicated, sequences.reordered) == (0, 0, 0)


def test_an_empty_batch_changes_nothing() -> None:
    """A batch in which no message carries a number is no news."""
    sequences = Sequences()
    sequences.see(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    assert (sequences.lost, sequences.duplicated, sequences.reordered) == (0, 0, 0)


def test_a_batch_is_not_changed_by_being_seen() -> None:
    """The arrays belong to the caller."""
    sequences = Sequences()
    slots, numbers = np.array([0, 1, 0]), np.array([3, 1, 2])
    sequences.see(slots, numbers)
    assert (slots.tolist(), numbers.tolist()) == ([0, 1, 0], [3, 1, 2])


def seen(messages: list[tuple[int, int]]) -> tuple[int, int, int]:
    """(lost, duplicated, reordered) of (source, number), two at a time, the sources' numbers as they are."""
    follower = Sequences()
    for start in range(0, len(messages), 2):
        follower.see(*np.array(messages[start : start + 2], dtype=np.int64).T)
    return follower.lost, follower.duplicated, follower.reordered


@pytest.mark.parametrize("far", [QUICK - 1, QUICK, NEAR - 1, NEAR, 2**32 + 5])
def test_sources_of_any_number_are_followed(far: int) -> None:
    """Source numbers up to 2^32, and those of named sources beyond, are told apart whatever others there are."""
    assert (3, 3, 0) == seen([(source, number) for number in (0, 1, 3, 3) for source in (3, far, far + 1)])


def test_a_source_beyond_the_most_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others keep their place and their gaps; the one too many counts for nothing, now and later."""
    monkeypatch.setattr(sequences, "MOST_SERIES", 2)
    first, second, third, fourth = (NEAR + n for n in range(4))
    assert (1, 0, 0) == seen([(first, 0), (second, 0), (third, 0), (third, 5), (first, 2), (fourth, 9)])


@pytest.mark.parametrize("number", [2**32 - 1, 3_000_000])
def test_one_impossible_number_is_a_jump_and_no_loss(number: int) -> None:
    """What no source can have sent meanwhile is counted by itself, and the source is followed where it really is."""
    sequences = Sequences()
    for numbers in ([0, 1, 2], [number], [3, 4, 6]):
        sequences.see(np.zeros(len(numbers), dtype=np.int64), np.array(numbers))
    assert (1, 1, 0, 0) == (sequences.jumped, sequences.lost, sequences.duplicated, sequences.reordered)


def test_a_source_that_goes_on_from_its_jump_is_followed() -> None:
    """From its new number on: one jump, no loss, and later gaps are found."""
    sequences = Sequences()
    sequences.see(np.zeros(6, dtype=np.int64), np.array([0, 1, 9_000_000, 9_000_001, 9_000_002, 9_000_004]))
    assert (1, 1, 0) == (sequences.jumped, sequences.lost, sequences.duplicated)


def test_a_long_silence_allows_a_long_gap() -> None:
    """What a source can have sent while it was not heard counts as lost."""
    sequences = Sequences()
    sequences.see(np.array([0]), np.array([0]), 100.0)
    sequences.see(np.array([0]), np.array([9_000_000]), 110.0)
    assert (0, 8_999_999) == (sequences.jumped, sequences.lost)


def of_runs(messages: list[tuple[int, int]]) -> list[tuple[Hashable, int]]:
    """Each message with its run as a part of its source, as a reference that knows the runs would have it."""
    return [((source, number // RUN), number) for source, number in messages]


def walked(messages: list[tuple[int, int]], cuts: Iterable[int] = ()) -> Sequences:
    """What has seen the messages, in batches cut as given."""
    follower = Sequences()
    for start, end in pairwise([0, *sorted(cuts), len(messages)]):
        if end > start:
            follower.see(*np.array(messages[start:end], dtype=np.int64).T)
    return follower


@st.composite
def repeated_runs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[int]]:
    """Several runs of the same sources, one after the other or at once, dropped and doubled past their first."""
    streams = []
    for run in draw(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True)):
        for source in range(draw(st.integers(1, 2))):
            fates = [1, *draw(st.lists(st.sampled_from([1, 1, 1, 0, 2]), max_size=12))]
            streams.append([(source, RUN * run + n) for n, copies in enumerate(fates) for _ in range(copies)])
    turns = [n for n, stream in enumerate(streams) for _ in stream]
    if draw(st.booleans()):
        turns = draw(st.permutations(turns))
    remaining = [iter(stream) for stream in streams]
    messages = [next(remaining[n]) for n in turns]
    return messages, draw(st.lists(st.integers(0, len(messages)), max_size=6))


@PROPERTY
@given(repeated_runs())
def test_every_run_of_a_source_is_a_sequence_of_its_own(journey: tuple[list[tuple[int, int]], list[int]]) -> None:
    """Runs that follow each other or go on at once are counted as if each had its own sources; none is a jump."""
    messages, cuts = journey
    ledger = walked(messages, cuts)
    assert reference(of_runs(messages)) == (ledger.lost, ledger.duplicated, ledger.reordered)
    assert ledger.jumped == 0


def test_a_loss_in_a_second_run_is_counted() -> None:
    """The same sources numbered anew: nothing is duplicated, and 10,048 that are missing are lost."""
    runs = [[(0, RUN * run + n) for n in range(20_000)] for run in (7, 3)]
    del runs[1][500:10_548]
    ledger = walked(runs[0] + runs[1], range(0, 30_000, 1000))
    assert (10_048, 0, 0, 0) == (ledger.lost, ledger.duplicated, ledger.reordered, ledger.jumped)


def test_a_run_may_be_longer_than_the_distance_between_two() -> None:
    """Numbers go on past the next multiple as if it were any other, and what comes again from before is known."""
    start = RUN - 3
    messages = [(0, start + n) for n in range(6)]
    ledger = walked([*messages, (0, start), (0, RUN + 1)])
    assert (0, 2, 0, 0) == (ledger.lost, ledger.duplicated, ledger.reordered, ledger.jumped)


def test_a_source_that_begins_for_ever_keeps_little() -> None:
    """Of ever new runs the last few are remembered; what the others lost stays counted."""
    ledger = walked([(0, RUN * run + n) for run in range(1, 101) for n in (0, 2)])
    assert 100 == ledger.lost
    assert len(ledger._others[0]) == sequences.OTHERS


def test_senders_draw_a_first_number_that_leaves_room() -> None:
    """A run begins at a multiple, never at 0, and has half of all numbers before it."""
    drawn = {first_number(lambda low, high, at=at: (low, high - 1)[at]) for at in (0, 1)}
    assert drawn == {RUN, 2**31 - RUN}


def test_a_run_whose_beginning_was_lost_is_a_jump_and_no_loss() -> None:
    """However long the source was not heard: how many were sent of the runs between, numbers cannot tell."""
    follower = Sequences()
    follower.see(np.zeros(3, dtype=np.int64), RUN * 5 + np.arange(3), 100.0)
    follower.see(np.zeros(4, dtype=np.int64), RUN * 300 + np.array([7, 8, 9, 11]), 1000.0)
    assert (1, 1, 0, 0) == (follower.jumped, follower.lost, follower.duplicated, follower.reordered)
