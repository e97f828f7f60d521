"""The backlog: the vectorised definition agrees with one that takes a moment at a time."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab.statistics.backlog import backlog, sent_at, settled

if TYPE_CHECKING:
    from collections.abc import Sequence

START, SECOND = 1_700_000_000_000_000_000, 1_000_000_000

gaps = st.lists(st.tuples(st.integers(1, 3 * SECOND), st.integers(0, 10**7)), min_size=1, max_size=8)
notes = gaps.map(lambda gaps: list(zip(*(accumulate(column) for column in zip(*gaps, strict=True)), strict=True))).map(
    lambda rising: [(START + at, count) for at, count in rising]
)
moments = st.lists(st.integers(START - 5 * SECOND, START + 30 * SECOND), max_size=8)
counts = st.fixed_dictionaries(dict.fromkeys(("written", "rejected", "lost", "duplicated"), st.integers(0, 10**7)))


def plain_sent(moment: int, notes: Sequence[tuple[int, int]], *, steps: bool) -> float:
    """The definition: what the note before says, and the share of the way to the note behind."""
    before = [note for note in notes if note[0] <= moment]
    after = [note for note in notes if note[0] > moment]
    if not before:
        return notes[0][1]
    if steps or not after:
        return before[-1][1]
    (at, count), (then, more) = before[-1], after[0]
    return count + (more - count) * (moment - at) / (then - at)


@given(
    moments=moments, senders=st.lists(st.tuples(notes, st.booleans()), max_size=3), lines=st.lists(counts, max_size=8)
)
def test_the_backlog_is_the_plain_definition(
    moments: list[int], senders: list[tuple[list[tuple[int, int]], bool]], lines: list[dict[str, int]]
) -> None:
    """Sent by all, by their notes, less written once, rejected and lost; in whole messages and never below none."""
    moments, lines = moments[: len(lines)], lines[: len(moments)]
    at = np.array(moments, dtype=np.int64)
    sent = sum((sent_at(at, told, steps=steps) for told, steps in senders), np.zeros(len(at)))
    expected = [sum(plain_sent(m, told, steps=steps) for told, steps in senders) for m in moments]
    assert expected == pytest.approx(sent.tolist())
    left = [
        max(0.0, count - (line["written"] - line["duplicated"] + line["rejected"] + line["lost"]))
        for count, line in zip(expected, lines, strict=True)
    ]
    assert left == pytest.approx(backlog(sent, lines).tolist(), abs=0.51)
    assert [] == [value for value in backlog(sent, lines).tolist() if not value.is_integer()]


def test_records_without_losses_and_repeats_can_be_read() -> None:
    """A record that knows neither `lost` nor `duplicated` counts what it has."""
    assert 12 == settled({"written": 10, "rejected": 2})
