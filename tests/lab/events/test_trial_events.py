"""Events of a trial, read from its folder: of every kind, in order, none made up for older runs."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from support.happenings import disturbed
from support.synthetic import SECOND, START, made

from sentinel.lab.events import pulse
from sentinel.lab.events.event import KINDS, PULSE, kinds_of, told
from sentinel.lab.events.trial_events import MOST, of_trial
from sentinel.lab.plots.canvas import own_style
from sentinel.lab.presentation.style import DARK, GROUND

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trial under a paced load."""
    run = made(tmp_path_factory.mktemp("run"), ("optimised",), repeats=1, memray=False)
    return min(path.parents[1] for path in run.folder.glob("trials/*/consumer/intervals.jsonl"))


def test_every_kind_is_read_with_its_time(trial: Path) -> None:
    """Older records have none; of a trial with everything each is there once, in the order of time."""
    assert [] == of_trial(trial, START)
    disturbed(trial)
    events = of_trial(trial, START)
    times = [0.6, 1.2, 2.0, 3.0, 3.0, 3.25]
    assert pytest.approx(times) == [event.at for event in events]
    assert list(KINDS) == kinds_of(events)
    texts = {event.kind.name: event.text for event in events}
    assert "garbage collection of 12.0 ms" == texts["garbage collection"]
    assert "2 retries just before" == texts["retry"]
    assert "40 % of CPU time went to other guests within 0.25 s" == texts["CPU steal"]
    assert "fixed work took 3.0 times its usual CPU time" == texts["CPU slowdown"]


def test_of_many_the_largest_are_kept(trial: Path) -> None:
    """A machine whose time is stolen all along leaves a bounded number of marks."""
    beats = [(START + n * SECOND // 4, 11 + n % 80, 30) for n in range(4 * MOST)]
    rows = [pulse.HEADS, *beats]
    (trial / PULSE).write_text("".join(f"{','.join(map(str, row))}\n" for row in rows))
    stolen = [event for event in of_trial(trial, START) if event.kind.name == "CPU steal"]
    assert MOST == len(stolen)
    assert sorted(share for _, share, _ in beats)[-MOST] == min(event.size for event in stolen)


def test_events_are_counted_in_words(trial: Path) -> None:
    """One is one, several have a plural, none is nothing."""
    disturbed(trial)
    events = of_trial(trial, START)
    assert told(events[:1]) == "1 garbage collection"
    assert told([*events, events[1]]).startswith("1 garbage collection, 2 slow writes, 1 retry")
    assert told([]) == ""


def test_a_pulse_tells_of_the_machine(tmp_path: Path) -> None:
    """A line a beat: when, percent of CPU time, and what the work cost, which is more than nothing."""
    with pulse.Pulse(tmp_path / PULSE) as own:
        own.beat()
        own.beat()
    rows = list(csv.DictReader((tmp_path / PULSE).read_text().splitlines()))
    assert 2 == len(rows)
    assert all(0 <= float(row["stolen_percent"]) <= 100 and float(row["work_us"]) > 0 for row in rows)


def test_marks_are_told_apart_without_colour() -> None:
    """Every kind has a marker and a colour of its own, and none has the ground's."""
    with own_style():
        assert len(KINDS) == len({kind.marker for kind in KINDS}) == len({kind.colour for kind in KINDS})
    assert not {kind.colour for kind in KINDS} & {GROUND, DARK[GROUND]}
