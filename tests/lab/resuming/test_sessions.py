"""A run that ended early goes on: its trials, its record and its page, through labs whose trials take no time."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from support.labs import FakeLab, FakeSweep

from sentinel.environment import LabSettings
from sentinel.errors import RunEndedError, RunError
from sentinel.lab import stack
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.sweep import trials as sweeping
from sentinel.lab.experiments.sweep.knee import Step
from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.page import page
from sentinel.lab.report import heading
from sentinel.lab.run import run as runs
from sentinel.lab.run.trial_record import LATENCY, Beside, Outcome, Plan
from sentinel.lab.trials.duets.lab import DuetLab
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sentinel.lab.stack import Stack
    from sentinel.lab.trials.lab import Lab

THREE = Benchmark(
    REPEATS=3,
    STACK="embedded",
    CONFIGURATIONS="baseline,optimised",
    MEMRAY=False,
    PYSPY=False,
    DURATION=2.0,
    RATE=100.0,
)
L = TypeVar("L", bound="Lab[Any]")


class Sessions:
    """One run's sessions, each as the runner begins it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._set = monkeypatch.setenv
        self._labs: list[Lab[Any]] = []

    def begin(self, kind: type[L], p: Any, resumed: runs.Run | None = None) -> L:
        """Open it."""
        self._set(LabSettings.RUN_ID, resumed.id if resumed else "")
        self._set(LabSettings.RESUMES, "1" if resumed else "")
        lab = kind.open(p, self.root)
        self._labs.append(lab)
        return lab

    def end(self) -> None:
        """Close what a test has left open."""
        for lab in self._labs:
            lab.close()


@pytest.fixture
def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded: Stack) -> Iterator[Sessions]:
    """A run's sessions, all on one stack, and without pages: `test_resumed_run` has both."""
    monkeypatch.setattr(stack, "start", lambda *_: nullcontext(embedded))
    monkeypatch.setattr(page, "write", lambda _: None)
    actual = Sessions(tmp_path, monkeypatch)
    yield actual
    actual.end()


def whole(lab: FakeLab) -> runs.Run:
    """All that a notebook asks of it."""
    lab.capacity()
    lab.latency()
    lab.headline()
    return lab.close()


def interrupted(lab: FakeLab, before: Callable[[Plan], bool]) -> runs.Run:
    """The run, ended before a trial."""
    lab.ends = before
    with pytest.raises(RunEndedError, match="interrupted"):
        whole(lab)
    return runs.load(lab.run.id, lab.run.root)


def killed(run: runs.Run) -> runs.Run:
    """The run as if its last session had been killed at its last trial: nothing was concluded."""
    data = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    kept = {name: data[name] for name in ("format", "id", "notebook", "created", "parameters", "configurations")}
    kept |= {name: data[name] for name in ("machine", "stack", "planned", "trials", "order")}
    kept |= {"state": "running", "warnings": data["resumption"]["noted"]}
    (run.folder / "run.json").write_text(json.dumps(kept), encoding="utf-8")
    return runs.load(run.id, run.root)


def legs(outcomes: Sequence[Outcome]) -> list[tuple[str, str, int]]:
    """What was measured, sorted."""
    return sorted((o.plan.group, o.plan.label, o.plan.repeat) for o in outcomes)


def test_whole_rounds_stay_and_the_plan_goes_on(sessions: Sessions) -> None:
    """Ended in its second round: the first stays, the second is measured as a whole, and nothing is left out."""
    first = interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.number == 4)
    assert [0, 1, 2, 3] == [o.plan.number for o in first.data.trials]
    run = whole(sessions.begin(FakeLab, THREE, first))
    saved = runs.load(run.id, run.root).data
    assert [3] == [o.plan.number for o in saved.resumption.replaced]
    assert [0, 1, 2, *range(4, 4 + 15)] == [o.plan.number for o in saved.trials]
    assert legs(whole(sessions.begin(FakeLab, THREE)).data.trials) == legs(saved.trials)
    assert ("finished", "", 18) == (saved.state, saved.why, saved.planned)
    assert first.data.created == saved.created
    assert first.data.trials[:3] == saved.trials[:3]


def test_record_and_page_tell_of_the_interruption(sessions: Sessions) -> None:
    """After which trial, when, why and for how long; nothing of the early end is left among the warnings."""
    first = interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.number == 4)
    early = "This run ended before its time"
    assert early in first.data.warnings[0]
    run = whole(sessions.begin(FakeLab, THREE, first))
    (told,) = run.data.resumption.interruptions
    assert (4, 3, "interrupted", run.data.machine.git) == (told.trials, told.after, told.why, told.git)
    assert first.data.created <= told.began <= told.ended
    shown = heading.heading(run)
    assert re.search(
        r"<dt>Interrupted</dt><dd>20\d\d-\d\d-\d\d \d\d:\d\d UTC after trial 3 \(interrupted\), for \d+ s;"
        r" measured again, and not counted: trial 3</dd>",
        shown,
    )
    assert early not in shown
    assert len(run.data.warnings) == len(set(run.data.warnings))
    assert [] == run.data.resumption.noted


def test_a_killed_run_goes_on(sessions: Sessions) -> None:
    """A record that still says `running`, of a process that is gone, keeps its trials and its warnings."""
    first = killed(interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.number == 12))
    run = whole(sessions.begin(FakeLab, THREE, first))
    assert ("its process was killed", 11) == (
        run.data.resumption.interruptions[0].why,
        run.data.resumption.interruptions[0].after,
    )
    assert set(first.data.warnings) <= set(run.data.warnings)
    assert 18 == len(run.data.trials)


def test_a_second_interruption_loses_nothing(sessions: Sessions) -> None:
    """Ended again before stored trials were asked for: they are still in the record, and the third session has all."""
    lab = sessions.begin(FakeLab, THREE)
    lab.fails = lambda plan: plan.number == 0
    first = interrupted(lab, lambda plan: plan.group == "headline")
    assert 15 == len(first.data.trials)
    second = interrupted(sessions.begin(FakeLab, THREE, first), lambda plan: plan.number == 17)
    assert [*range(3, 15), 15, 16] == [o.plan.number for o in second.data.trials]  # 0 to 2 are being measured again
    run = whole(sessions.begin(FakeLab, THREE, second))
    assert legs(whole(sessions.begin(FakeLab, THREE)).data.trials) == legs(run.data.trials)
    assert [0, 1, 2, 15, 16] == [o.plan.number for o in run.data.resumption.replaced]
    assert [15, 14] == [told.trials for told in run.data.resumption.interruptions]
    assert [*range(3, 15), *range(17, 23)] == [o.plan.number for o in run.data.trials]


AUTO = replace(THREE, REPEATS="auto", WITHIN=2000.0)


def test_rounds_go_on_by_the_clock_that_they_had(sessions: Sessions) -> None:
    """Seven rounds of 100 s are over: looks and end are those of 1,000 s, half of WITHIN, whatever passed meanwhile."""
    lab = sessions.begin(FakeLab, AUTO)
    lab.noise = 0.3
    first = interrupted(lab, lambda plan: (plan.repeat, plan.label) == (7, "optimised"))
    assert 7 == len(first.data.resumption.took["capacity"])
    record = json.loads((first.folder / "run.json").read_text(encoding="utf-8"))
    record["resumption"]["took"] = {"capacity": [100.0] * 7}
    (first.folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    again = sessions.begin(FakeLab, AUTO, first)
    again.noise = 0.3
    capacity = again.capacity()
    ending = again.run.data.settling["capacity"]
    assert ([6, 8, 10], 10, False) == (again.run.data.looks["capacity"], ending.rounds, ending.settled)
    assert 700.0 <= ending.seconds < 720.0
    assert 2000.0 - 720.0 < again.within("latency") <= 1300.0
    assert [*range(21), *range(22, 31)] == [o.plan.number for o in capacity]
    assert [21] == [o.plan.number for o in again.run.data.resumption.replaced]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stack", "store"), "InfluxDB 1.6.6"),
        (("stack", "kind"), "native"),
        (("machine", "cpu_model"), "Another processor"),
        (("machine", "python"), "CPython 3.10.0"),
        (("configurations", "baseline", "write"), "post-batches"),
    ],
)
def test_it_goes_on_under_equal_conditions_only(sessions: Sessions, path: tuple[str, ...], value: str) -> None:
    """Another server, machine, Python or meaning of a configuration is named with both, and the record stays."""
    first = interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.number == 4)
    file = first.folder / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    part = record
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    file.write_text(json.dumps(record), encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(RunError, match=rf"run {first.id} cannot be resumed: {'.'.join(path)} was '{value}', and is '"):
        sessions.begin(FakeLab, THREE, first)
    assert before == file.read_bytes()


def test_changed_code_is_a_warning(sessions: Sessions) -> None:
    """Trials of two commits of the lab are in one run: the page says which, and that is all."""
    first = interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.number == 4)
    record = json.loads((first.folder / "run.json").read_text(encoding="utf-8"))
    record["machine"]["git"] = {"commit": "0123456789abcdef", "dirty": False, "changed": []}
    (first.folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    run = whole(sessions.begin(FakeLab, THREE, first))
    sentence = r"The lab's own code changed while .*: it was commit 0123456789ab until trial 3, and is (commit|in no)"
    assert 1 == len([warning for warning in run.data.warnings if re.search(sentence, warning)])


def test_a_finished_run_is_not_opened_again(sessions: Sessions) -> None:
    """Also where it has ended only after it was asked for."""
    run = whole(sessions.begin(FakeLab, THREE))
    with pytest.raises(RunError, match="cannot be resumed: it is finished"):
        sessions.begin(FakeLab, THREE, run)


def test_a_sweep_finds_the_same_way_up(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step before the interruption is taken over, and the steps are those of a sweep that was not interrupted."""

    def observed(outcome: Outcome, _folder: Path, _slo: float) -> Step:
        plan = outcome.plan
        why = "too slow" if plan.load.rate > FakeSweep.most[plan.configuration] else ""
        return Step(plan.label, plan.load.rate, plan.group, plan.number, plan.load.rate, 0.0, why)

    def swept(lab: FakeSweep) -> list[tuple[str, float, str]]:
        lab.climb()
        lab.confirm()
        lab.close()
        return [(step.configuration, step.rate, step.phase) for step in lab.steps]

    monkeypatch.setattr(sweeping, "observed", observed)
    p = Sweep(STACK="embedded", CONFIGURATIONS="baseline,optimised", START=100.0, REPEATS=2)
    expected = swept(sessions.begin(FakeSweep, p))
    for number in (3, len(expected) - 1):
        lab = sessions.begin(FakeSweep, p)
        lab.ends = lambda plan, number=number: plan.number == number
        with pytest.raises(RunEndedError, match=f"interrupted; {number} trials are kept"):
            swept(lab)
        again = sessions.begin(FakeSweep, p, lab.run)
        assert expected == swept(again)
        assert ([], [*range(len(expected))]) == (
            again.run.data.resumption.replaced,
            [o.plan.number for o in again.run.data.trials],
        )


class FakeDuets(DuetLab[Benchmark], FakeLab):
    """Duets that take no time."""

    busy = 50.0
    """Percent of the machine's time that they take."""

    def _duet(self, legs: Sequence[Plan], *, backwards: bool) -> list[Outcome]:
        del backwards
        outcomes = [self._carried_out(plan) for plan in legs]
        for outcome in outcomes:
            outcome.beside = Beside(partners=[], place=0, apart=0.0, busy=self.busy)
        return outcomes


PACED = LoadSettings(rate=100.0, duration=2.0)
ROUNDS = [
    [Plan(0, LATENCY, label, "optimised", PACED, repeat=repeat, group=LATENCY) for label in ("base", "head")]
    for repeat in range(3)
]


def dueled(lab: FakeDuets) -> list[Outcome]:
    """The outcomes of all duets."""
    with lab.keeping():
        outcomes = lab.duets(ROUNDS)
        lab.close()
    return outcomes


def test_duets_go_on_as_duets(sessions: Sessions) -> None:
    """Rounds that ran at the same time stay, and those to come run at the same time."""
    lab = sessions.begin(FakeDuets, THREE)
    lab.ends = lambda plan: plan.number == 3
    with pytest.raises(RunEndedError):
        dueled(lab)
    again = sessions.begin(FakeDuets, THREE, lab.run)
    outcomes = dueled(again)
    assert [0, 1, 3, 4, 5, 6] == [o.plan.number for o in outcomes]
    assert all(o.beside for o in outcomes)


def test_a_saturated_machine_is_not_tried_again(sessions: Sessions) -> None:
    """Where the first session found that it must measure one after the other, so does the next, without a duet."""
    lab = sessions.begin(FakeDuets, THREE)
    lab.busy, lab.ends = 99.0, lambda plan: plan.number == 5
    with pytest.raises(RunEndedError):
        dueled(lab)
    again = sessions.begin(FakeDuets, THREE, lab.run)
    outcomes = dueled(again)
    assert ([2, 3, 5, 6, 7, 8], False) == ([o.plan.number for o in outcomes], any(o.beside for o in outcomes))
    assert 1 == len([w for w in again.run.data.warnings if "saturate this machine" in w])


def test_what_trials_cost_is_learnt_from_new_ones(sessions: Sessions) -> None:
    """Trials that were not carried out took no time, which says nothing of their length."""
    first = interrupted(sessions.begin(FakeLab, THREE), lambda plan: plan.group == "headline")
    run = whole(sessions.begin(FakeLab, replace(THREE), first))
    assert run.data.length is not None
    assert run.data.length.trials is None
