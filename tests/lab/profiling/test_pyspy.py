"""py-spy around a real consumer: samples by stage beside a ledger that adds up; without py-spy, words."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sentinel.errors import TrialError
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.profiling import cpu
from sentinel.lab.run import series
from sentinel.lab.run.run import Run
from sentinel.lab.run.trial_record import CAPACITY, PROFILE, Outcome, Plan
from sentinel.lab.statistics.compare import plain
from sentinel.lab.statistics.measures import measures
from sentinel.lab.trials.trial import Trial
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

COUNT = 800
LOAD = LoadSettings(count=COUNT, workers=4, connections=2)


@pytest.fixture
def trial(own_stack: Stack, supervisor: Supervisor, tmp_path: Path) -> Callable[[int], Trial]:
    """Makes a profile trial of baseline, whose second is full of samples."""
    return lambda number: Trial(
        Plan(number, PROFILE, "baseline", "baseline", LOAD), own_stack, tmp_path / "trial", supervisor, "test-pyspy"
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A py-spy that may not do what it should."""
    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\necho 'Error: Permission denied (os error 13)' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(cpu, "program", lambda: str(program))


def lab(folder: Path, outcomes: list[Outcome], **parameters: Any) -> BenchmarkLab:
    """A lab without a stack."""
    run = Run("test-pyspy", folder)
    made = BenchmarkLab(Benchmark(**parameters), run, None, None, ExitStack())  # type: ignore[arg-type]
    made.outcomes = outcomes
    return made


@pytest.mark.timeout(60)
def test_a_profile_trial_leaves_stacks_beside_a_ledger_that_adds_up(
    trial: Callable[[int], Trial], tmp_path: Path
) -> None:
    """The consumer under py-spy stores every message, its samples fall into stages, and nothing is in a figure."""
    if why := cpu.obstacle():
        pytest.skip(why)
    outcome = trial(1).run()
    assert (True, []) == (outcome.valid, outcome.problems)
    assert (COUNT, COUNT, 0) == (outcome.consumer["written"], outcome.stored, outcome.lost)
    assert {"py-spy"} <= set(series.resources(tmp_path / "trial", 0)["process"])
    actual = cpu.keep(tmp_path / "trial", tmp_path / "profiles", "baseline")
    assert actual["samples"] > 20
    assert actual["stages"]["other"] < 0.1 * actual["samples"]
    # A request for every point and one for every entry: which of them takes longer depends on the machine.
    asking = actual["stages"]["write"], actual["stages"]["acknowledge"]
    assert min(asking) > 0
    assert sum(asking) > max(n for stage, n in actual["stages"].items() if stage not in {"write", "acknowledge"})
    assert {*cpu.names("baseline").values()} == {path.name for path in (tmp_path / "profiles").iterdir()}
    assert {} == measures([outcome])


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("failing")
def test_a_py_spy_that_fails_in_the_trial_spoils_no_verdict(trial: Callable[[int], Trial], tmp_path: Path) -> None:
    """The trial says why in py-spy's words; the ledgers of the other trials still all add up."""
    outcome = trial(2).run()
    assert not outcome.valid
    assert "Permission denied (os error 13)" in "\n".join(outcome.problems)
    with pytest.raises(TrialError, match="cannot be kept"):
        cpu.keep(tmp_path / "trial", tmp_path / "profiles", "baseline")
    good = Outcome(Plan(1, CAPACITY, "baseline", "baseline", LOAD), valid=True, throughput=9.0, consumer={"written": 1})
    actual = plain(summary.of_benchmark(Benchmark(), [good, outcome], [], 1000.0))
    assert "Every message of 1 trial is accounted for" in actual["verdict"][0]
    assert any(text.startswith("Trial 2 (baseline): invalid: ") for text in actual["warnings"])


def test_a_profile_trial_whose_ledger_is_wrong_is_named(tmp_path: Path) -> None:
    """Where the consumer reported, its account counts like any other's."""
    plan = Plan(3, PROFILE, "baseline", "baseline", LOAD)
    wrong = Outcome(plan, problems=["the store holds 1 points, but acknowledged 2"], consumer={"written": 2})
    assert "1 of 1 trials are invalid (number 3)" in summary.of_benchmark(Benchmark(), [wrong], [], 1.0).verdict[0]


@pytest.mark.usefixtures("failing")
def test_where_py_spy_may_not_sample_there_is_a_warning_and_no_trial(tmp_path: Path) -> None:
    """The run goes on without profile trials, and keeps py-spy's words."""
    made = lab(tmp_path, [])
    assert [] == made.cpu()
    assert "py-spy cannot sample here: Error: Permission denied (os error 13)" == made.run.data.unprofiled
    assert [f"No CPU profile was taken: {made.run.data.unprofiled}."] == made.run.data.warnings


def test_a_missing_py_spy_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither beside this Python nor on PATH: the words name the remedy."""
    monkeypatch.setattr(cpu, "program", lambda: str(tmp_path / "py-spy"))
    assert "py-spy is not installed" in cpu.obstacle()
    assert "pip install py-spy" in cpu.obstacle()


def test_a_profile_that_was_not_wanted_is_not_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PYSPY=False starts nothing."""
    monkeypatch.setattr(cpu, "obstacle", lambda: pytest.fail("py-spy was started"))
    made = lab(tmp_path, [], PYSPY=False)
    assert [] == made.cpu()
    assert [] == made.run.data.warnings


def test_a_trial_too_short_for_samples_keeps_its_ledger(tmp_path: Path) -> None:
    """Stacks without work are a warning of the trial, not a problem."""
    outcome = Outcome(Plan(4, PROFILE, "baseline", "baseline", LOAD), valid=True)
    made = lab(tmp_path, [])
    folder = made.run.trial_folder(4)
    folder.mkdir(parents=True)
    (folder / cpu.FOLDED).write_text("main (sentinel/cli.py:1) 3\n")
    made._keep_stacks(outcome)
    assert (True, {}, []) == (outcome.valid, outcome.profile, outcome.problems)
    assert ["no CPU profile: none of 3 samples met the consumer at work: the trial was too short"] == outcome.warnings


def test_py_spy_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first failure to find its way into the consumer costs a try, not the profile; the outcome tells of it."""
    once = tmp_path / "py-spy"
    text = "Error: Failed to find python version from target process"
    again = f'[ -e "$0.tried" ] && exec "{cpu.program()}" "$@"'
    once.write_text(f'#!/bin/sh\n{again}\ntouch "$0.tried"\necho "{text}" >&2\nexit 1\n', encoding="utf-8")
    once.chmod(0o755)
    monkeypatch.setattr(cpu, "program", lambda: str(once))
    lab = BenchmarkLab.open(Benchmark(STACK="embedded"), tmp_path)
    try:
        few = replace(LOAD, count=COUNT // 4)
        (outcome,) = lab.carry_out([Plan(0, PROFILE, "baseline", "baseline", few)])
    finally:
        lab.close()
    assert (True, []) == (outcome.valid, outcome.problems)
    assert "py-spy found no way into the consumer 1 time before" in outcome.warnings
    assert [outcome] == lab.outcomes
