"""Trials over time: which trial of a column, and what happened in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.happenings import disturbed_run
from support.synthetic import ALL, made

from sentinel.lab.events import timelines

if TYPE_CHECKING:
    from pathlib import Path


def test_a_timeline_holds_what_happened_from_the_first_send_on(tmp_path: Path) -> None:
    """Every column has one, in the run's order, with the events of its own trial and none of before."""
    lines = timelines.of_run(disturbed_run(made(tmp_path, memray=False)))
    assert list(ALL) == [line.key for line in lines][: len(ALL)]
    assert all(line.events and min(event.at for event in line.events) >= 0 for line in lines)
    assert all(line.resources["seconds"].min() >= 0 for line in lines)
