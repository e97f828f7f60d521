"""What is not resumed is one line, before anything starts; nothing of the run is changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.commandline import assert_one_line
from support.executions import ROOT
from support.synthetic import made

from sentinel.environment import LabSettings
from sentinel.errors import RunError
from sentinel.lab.notebook import runner
from sentinel.lab.resuming.request import command, requested
from sentinel.lab.run import run_data
from sentinel.lab.run.claim import Claim, sole, under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.commandline import Result

    from sentinel.lab.run.run import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An interrupted benchmark in the checkout that is the current folder."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    monkeypatch.chdir(tmp_path)
    run = made(tmp_path, repeats=1)
    for outcome in run.data.trials:
        folder = run.trial_folder(outcome.plan.number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trial.json").write_text(json.dumps(outcome.to_dict()), encoding="utf-8")
    run.data.state, run.data.why = run_data.INTERRUPTED, "interrupted"
    run.save()
    return run


def contents(run: Run) -> dict[str, bytes]:
    """Every file of a run."""
    return {str(path): path.read_bytes() for path in sorted(run.folder.rglob("*")) if path.is_file()}


def changes(**sections: Any) -> Callable[[Run], None]:
    """Puts sections into the record."""

    def change(run: Run) -> None:
        (run.folder / "run.json").write_text(json.dumps(run.data.to_dict() | sections), encoding="utf-8")

    return change


def cut(run: Run) -> None:
    """Damages the record."""
    (run.folder / "run.json").write_bytes((run.folder / "run.json").read_bytes()[:100])


def without_a_trial(run: Run) -> None:
    """Removes the folder of a trial."""
    shutil.rmtree(run.trial_folder(3))


def watched(run: Run) -> None:
    """Makes its trials those of a watch."""
    trials = run.data.to_dict()["trials"]
    changes(trials=[trial | {"plan": trial["plan"] | {"kind": "live"}} for trial in trials])(run)


@pytest.mark.parametrize(
    ("change", "words", "expected"),
    [
        (changes(state="finished"), (), ("it is finished", "nothing to go on with")),
        (changes(notebook="sweep"), (), ("it is a run of sweep", "not of benchmark")),
        (changes(trials=[]), (), ("no trial of it was finished", "start it anew")),
        (changes(format=1), (), ("format 1, of an earlier version", "only format 2 goes on")),
        (watched, (), ("what was watched is over", "start it anew")),
        (cut, (), ("run.json", "is damaged")),
        (without_a_trial, (), ("it is damaged", "what the record has of trial 3")),
        (changes(), ("WORKERS=3",), ("WORKERS=3 differs from WORKERS=16", "so leave it out")),
        (changes(), ("NOTHING=3",), ("NOTHING is not a parameter", "there are WORKERS")),
    ],
)
def test_what_is_not_resumed_is_one_line(
    run: Run,
    sentinel: Callable[..., Result],
    change: Callable[[Run], None],
    words: tuple[str, ...],
    expected: tuple[str, str],
) -> None:
    """The reason, with the value and what to do; every file of the run is as it was."""
    change(run)
    before = contents(run)
    assert_one_line(sentinel("run", "benchmark", "--resume", run.id, *words), *expected)
    assert before == contents(run)


def test_rounds_by_the_clock_take_a_clock(run: Run, sentinel: Callable[..., Result]) -> None:
    """REPEATS=auto goes by the time that rounds took: without it nobody knows how many were to come."""
    changes(parameters=run.data.parameters | {"REPEATS": "auto"})(run)
    assert_one_line(sentinel("run", "benchmark", "--resume", run.id), "REPEATS=auto", "start it anew")


def test_a_run_that_is_not_there_is_one_line(run: Run, sentinel: Callable[..., Result]) -> None:
    """An unknown id, and a copy outside of the checkout."""
    assert_one_line(sentinel("run", "benchmark", "--resume", "nothing"), "no run 'nothing'", "`sentinel runs` lists")
    copy = shutil.copytree(run.folder, run.root / "mailed")
    assert_one_line(sentinel("run", "benchmark", "--resume", str(copy)), "mailed", "only runs of this checkout go on")


def test_the_environment_gives_parameters_as_well(run: Run, sentinel: Callable[..., Result]) -> None:
    """A value there that differs from the run's own is no less a contradiction."""
    result = sentinel("run", "benchmark", "--resume", run.id, WORKERS="3")
    assert (1, True) == (result.code, "WORKERS=3 differs from WORKERS=16" in result.err)


def test_its_own_parameters_may_be_repeated(run: Run) -> None:
    """The run goes on with all that its record has."""
    resumed, parameters = requested(run.id, "benchmark", {"WORKERS": 16, "DURATION": 3.0})
    assert (run.id, run.data.parameters) == (resumed.id, parameters)


def test_two_processes_do_not_resume_it_at_once(run: Run, sentinel: Callable[..., Result]) -> None:
    """Neither beside the process that carries it out nor beside another that resumes it."""
    changes(state="running")(run)
    claim = Claim(run)
    assert_one_line(sentinel("run", "benchmark", "--resume", run.id), "it is under way", "wait for its end")
    claim.release()
    with sole(run):
        words = ("run", "benchmark", "--resume", run.id)
        result = sentinel(*words, REDIS_URL="", INFLUX_URL="")
        assert_one_line(result, f"run {run.id} is under way in another process", "wait for its end")
    assert not under_way(run)


def test_a_refusal_by_the_notebook_changes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the started stack shows, such as another version, is one line; the executed notebook is as it was."""
    run.notebook.write_text("of the session before", encoding="utf-8")

    def refused(_notebook: Path, run: Run, _parameters: dict[str, Any]) -> RunError:
        run.notebook.write_text("half of it", encoding="utf-8")
        return RunError("stack.store was 'InfluxDB 1.6.7'")

    for name in (LabSettings.RUN_ID, LabSettings.PROGRESS, LabSettings.RESUMES):
        monkeypatch.setenv(name, "")  # put back afterwards
    monkeypatch.setattr(runner, "_executed", refused)
    monkeypatch.setattr(runner, "_ensure_stack", lambda *_: None)
    before = contents(run)
    with pytest.raises(RunError, match="InfluxDB"):
        runner.resume(Path("notebooks/benchmark.ipynb"), {}, run.id)
    assert before == contents(run)


@pytest.mark.parametrize("state", ["interrupted", "failed", "running"])
def test_the_list_says_how_to_go_on(run: Run, sentinel: Callable[..., Result], state: str) -> None:
    """The last line of `sentinel runs` is the command, for an interrupted, failed or killed run."""
    changes(state=state)(run)
    result = sentinel("runs")
    words = f"sentinel run benchmark --resume {run.id}"
    shown = {"running": "killed"}.get(state, state)
    assert (["to go on with what ended early:", words], True) == (result.out.splitlines()[-2:], shown in result.out)
    (entry,) = json.loads(sentinel("runs", "--json").out)
    assert words == entry["resume"]


def test_the_list_offers_nothing_that_is_refused(run: Run, sentinel: Callable[..., Result]) -> None:
    """A finished run, and one without a notebook, have no command."""
    run.data.notebook = "bench-check"
    assert "" == command(run.data)
    changes(state="finished")(run)
    assert "--resume" not in sentinel("runs").out
    assert json.loads(sentinel("runs", "--json").out)[0]["resume"] is None
