"""What was sent is said in words, and nothing is said of what is not known."""

from __future__ import annotations

from typing import Any

import pytest
from support.records import record

from sentinel.lab.offered import message_bytes, shape, sources
from sentinel.lab.run.trial_record import CAPACITY, Outcome, Plan
from sentinel.settings import LoadSettings


def outcome(size: float | None) -> Outcome:
    """Of a trial whose messages had so many bytes."""
    return Outcome(Plan(0, CAPACITY, "optimised", "optimised", LoadSettings()), message_bytes=size)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "16 workers"),
        ({"SOURCES": "auto"}, "16 workers"),
        ({"SOURCES": 1}, "16 workers with 1 source"),
        ({"SOURCES": 1_000_000}, "16 workers with 1,000,000 sources"),
    ],
)
def test_sources_are_named_where_they_are_others_than_the_workers(given: dict[str, Any], text: str) -> None:
    """Also of a run that was made before there were SOURCES."""
    assert text == sources({"WORKERS": 16} | given)


@pytest.mark.parametrize(
    ("given", "sizes", "text"),
    [
        ({}, [], ""),
        ({}, [None, 121.2, 121.4], ", messages of 2 numbers, 121 bytes"),
        ({"LOOP": "constant", "FIELDS": 50, "TAGS": 1}, [1100.0], ", messages of 50 numbers and 1 tag, 1,100 bytes"),
        ({"LOOP": "ramp"}, [], ", rising from 0.1 to 1.9 times the rate"),
        ({"LOOP": "poisson"}, [99.0], ", at random moments (Poisson), messages of 2 numbers, 99.0 bytes"),
    ],
)
def test_the_shape_of_a_load_is_what_was_asked_for_and_measured(
    given: dict[str, Any], sizes: list[float | None], text: str
) -> None:
    """How messages are spread over time, what they hold, and how large they were where a trial has measured it."""
    run = record(parameters=given)
    run.trials = [outcome(size) for size in sizes]
    assert text == shape(run)
    assert bool(sizes) == (message_bytes(run) is not None)
