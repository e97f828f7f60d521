"""Slots: every number has its own, always the same, and none beyond the most."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.consumer.measuring.slots import Slots

PROPERTY = settings(deadline=None, max_examples=100, derandomize=True)
NUMBERS = st.integers(0, 20) | st.integers(0, 2**62) | st.integers(0, 30).map(lambda n: n << 40)


def given_out(slots: Slots, numbers: list[int]) -> list[int]:
    """The slots of some numbers."""
    return slots.of(np.array(numbers, dtype=np.int64)).tolist()


@PROPERTY
@given(st.lists(st.lists(NUMBERS, max_size=30), max_size=8), st.integers(1, 40))
def test_a_number_keeps_its_slot(batches: list[list[int]], most: int) -> None:
    """Slots are given from 0 on, one a number, also where numbers repeat; beyond the most there is none."""
    slots, kept = Slots(most), dict[int, int]()
    for batch in batches:
        actual = given_out(slots, batch)
        for number, slot in zip(batch, actual, strict=True):
            assert slot == kept.setdefault(number, slot)
        assert actual == given_out(slots, batch)
    followed = sorted(slot for slot in kept.values() if slot >= 0)
    assert followed == list(range(len(followed)))
    assert min(most, len(kept)) == len(followed) == slots.count


@pytest.mark.parametrize("spread", [1, 1024, 1 << 40, 0x9E3779B97F4A7C15 >> 2])
def test_numbers_that_come_by_the_thousand_have_slots(spread: int) -> None:
    """Whatever lies between them, as the table grows and where it is cleared."""
    numbers = (np.arange(20_000, dtype=np.int64) * spread) & (1 << 62) - 1
    slots = Slots(1 << 20)
    for part in np.array_split(numbers, 7):
        slots.of(part)
    assert sorted(slots.of(numbers).tolist()) == list(range(20_000))
    slots.clear()
    assert (0, [0]) == (slots.count, given_out(slots, [5]))
