"""One real execution of each notebook through the runner: its record, its page, and what the terminal showed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import nbformat
import pytest
from support.browser import browsed
from support.executions import ASCII, SMALL, SMALL_ABLATION, SMALL_LIVE, SMALL_SWEEP, SWITCHED, checkout, make, sentinel
from support.records import kept

from sentinel.lab.run import run as runs
from sentinel.lab.run import run_data
from sentinel.lab.statistics.compare import plain

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess


BUDGETS = """
[[budgets]]
measure = "bytes_per_message"
configuration = "optimised"
against = "baseline"
at_most = "1×"

[[budgets]]
measure = "lost"
configuration = "headline"
at_most = "0 messages"
rounds = "1 of 1"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that this file's runs share."""
    return checkout(tmp_path_factory.mktemp("checkout"))


def execution(place: Path, name: str, small: dict[str, str], *options: str, **env: str) -> tuple[runs.Run, str]:
    """A notebook executed by the runner with small parameters: the run, and what the terminal showed."""
    done = sentinel(place, "run", name, *words(small), *options, **env)
    assert re.search(r"of about \d+:\d\d", done.stderr)  # the time that is left
    return concluded(place, done)


def words(small: dict[str, str]) -> list[str]:
    """Parameters as they stand behind a command."""
    return [f"{name}={value}" for name, value in small.items()]


def concluded(place: Path, done: CompletedProcess[str]) -> tuple[runs.Run, str]:
    """The run that this command has carried out, and what the terminal showed."""
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (run,) = [run for run in runs.find(place) if run.id in done.stdout]
    return run, done.stdout


@pytest.fixture(scope="module")
def executed(place: Path) -> tuple[runs.Run, str]:
    """benchmark.ipynb, held to budgets, where the locale knows ASCII only."""
    (place / "budgets.toml").write_text(BUDGETS, encoding="utf-8")
    small = SMALL | {"CONFIGURATIONS": "baseline,optimised"}
    return execution(place, "benchmark", small, "--budgets", "budgets.toml", "--summary=summary.md", **ASCII)


@pytest.fixture(scope="module")
def made(place: Path) -> CompletedProcess[str]:
    """sweep.ipynb by `make`, with parameters behind the target and in front of the command."""
    return make(place, "sweep", *words(SMALL_SWEEP), WORKERS="4", REPEATS="7")


@pytest.fixture(scope="module")
def swept(made: CompletedProcess[str], place: Path) -> tuple[runs.Run, str]:
    """sweep.ipynb."""
    return concluded(place, made)


@pytest.fixture(scope="module")
def ablated(place: Path) -> tuple[runs.Run, str]:
    """ablation.ipynb."""
    return execution(place, "ablation", SMALL_ABLATION)


@pytest.fixture(scope="module")
def watched(place: Path) -> tuple[runs.Run, str]:
    """live.ipynb."""
    return execution(place, "live", SMALL_LIVE)


@pytest.fixture(params=["executed", "swept", "ablated", "watched"])
def each(request: pytest.FixtureRequest) -> tuple[runs.Run, str]:
    """Each notebook that was executed so."""
    actual: tuple[runs.Run, str] = request.getfixturevalue(request.param)
    return actual


@pytest.mark.timeout(180)
def test_the_record_is_as_its_schema_says(each: tuple[runs.Run, str]) -> None:
    """What a run of each notebook writes is what docs/run.schema.json describes, and is read back as it stands."""
    from jsonschema import Draft202012Validator

    from sentinel.lab.run.schema import schema

    run, _ = each
    written = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema())
    assert [] == [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(written)]
    assert written == kept(run)


@pytest.mark.timeout(180)
def test_run_leaves_a_whole_record(executed: tuple[runs.Run, str]) -> None:
    """Every trial is valid, and record, notebook, page, captures, memray's pages and flame graphs are there."""
    run, _ = executed
    assert [] == [trial.problems for trial in run.data.trials if not trial.valid]
    assert run.notebook.exists()
    assert run.report.exists()
    names = {path.name for path in run.profiles.iterdir()}
    for label in ("baseline", "optimised"):
        assert {f"{label}.bin", f"{label}-flamegraph.html", f"{label}-table.html"} <= names
        kept_of_cpu = {f"{label}-cpu.folded", f"{label}-cpu.svg", f"{label}-cpu.speedscope.json"}
        assert kept_of_cpu <= names or run.data.unprofiled


def test_a_run_is_held_to_its_budgets(executed: tuple[runs.Run, str], place: Path) -> None:
    """Terminal, record, page and summary say what became of each."""
    run, text = executed
    assert run.data.budgets is not None
    assert ["holds", "holds"] == [row.verdict for row in run.data.budgets.rows]
    assert "PASS." in text
    assert "How budgets are judged" in run.report.read_text(encoding="utf-8")
    assert "| ✓ | Lost, headline | ≤ 0 messages in 1 of 1 rounds |" in (place / "summary.md").read_text(
        encoding="utf-8"
    )


def test_run_ends_with_table_and_path(executed: tuple[runs.Run, str]) -> None:
    """The terminal's last lines are the key results and where the report is."""
    run, text = executed
    assert "Capacity" in text
    assert str(run.report) in text


def test_summary_can_be_recomputed(executed: tuple[runs.Run, str]) -> None:
    """What the record says in sum follows from the trials that it holds."""
    from sentinel.lab.experiments.benchmark import summary
    from sentinel.lab.experiments.benchmark.parameters import Benchmark

    run, _ = executed
    outcomes = run.data.trials
    p, rate = Benchmark(**run.data.parameters), run.data.rates["latency"]
    again = plain(summary.of_benchmark(p, outcomes, [], rate, machine=run.data.machine))
    for key in ("summary", "ratios", "verdict", "spread"):
        assert json.loads(json.dumps(again[key])) == kept(run)[key]


def test_a_locale_without_utf_8_costs_nothing(executed: tuple[runs.Run, str], place: Path) -> None:
    """Under LC_ALL=C a run ends with its record and page, which are those of any other locale, as do other commands."""
    run, _ = executed
    assert run_data.FINISHED == run.state
    page = run.report.read_text(encoding="utf-8")
    assert "This cell failed" not in page
    assert "µs" in page
    for words in (["runs"], ["report", run.id], ["report", "bögus"], ["runs", "--help"]):
        result = sentinel(place, *words, **ASCII)
        assert "Traceback" not in result.stderr
        assert (1 if words[1:] == ["bögus"] else 0) == result.returncode
    assert page == run.report.read_text(encoding="utf-8")
    assert run.id in {listed["id"] for listed in json.loads(sentinel(place, "runs", "--json", **ASCII).stdout)}


@pytest.mark.timeout(180)
def test_report_is_one_offline_page(each: tuple[runs.Run, str]) -> None:
    """No address of any network, no script from elsewhere, every figure described, under 3 MB, and no code."""
    run, _ = each
    page = run.report.read_text()
    assert len(page.encode()) < 3_000_000
    assert [] == re.findall(r'(?:src|href)=["\']?(?:https?:)?//[^"\' >]+', page)
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) >= {"benchmark": 4, "sweep": 2, "ablation": 2, "live": 1}[run.data.notebook]
    assert [] == [picture[:80] for picture in pictures if not re.search(r'alt="[^"]{20,}"', picture)]
    assert "Lab.open" not in page


def test_a_page_answers_first_and_hands_out_its_numbers(each: tuple[runs.Run, str]) -> None:
    """Verdict, trust, figures, in this order; every link to a number's file and to a figure's data leads to a file."""
    run, _ = each
    page = run.report.read_text(encoding="utf-8")
    order = [page.index(part) for part in ('class="answer"', 'id="how-far-can-it-be-trusted"', "<figure>")]
    assert sorted(order) == order
    files = set(re.findall(r'<a class="raw" href="([^"]+)"', page))
    assert {"figures", "run.json", "trials"} == {file.partition("/")[0] for file in files}
    assert [] == [file for file in files if not (run.folder / file).is_file()]
    assert page.count("<figure>") >= page.count("Data (CSV)") > 0


def test_report_opens_in_a_browser_without_a_network(each: tuple[runs.Run, str], tmp_path: Path) -> None:
    """Chromium, cut off from any name, shows the real report without one message on its console."""
    run, _ = each
    dom, console = browsed(run.report, tmp_path)
    assert [] == console
    assert dom.count("<img ") == run.report.read_text().count("<img ")


@pytest.mark.timeout(180)
def test_runs_lists_them(
    executed: tuple[runs.Run, str],
    swept: tuple[runs.Run, str],
    ablated: tuple[runs.Run, str],
    watched: tuple[runs.Run, str],
    place: Path,
) -> None:
    """`sentinel runs` names every run, and the index that the last of them wrote links to every page."""
    listed = sentinel(place, "runs").stdout
    index = (place / "runs" / "index.html").read_text(encoding="utf-8")
    every = [run.id for run, _ in (executed, swept, ablated, watched)]
    assert [] == [name for name in every if name not in listed or f'href="{name}/report.html"' not in index]


def test_no_script_is_kept(each: tuple[runs.Run, str]) -> None:
    """What moves JupyterLab's window while a notebook runs stays neither in the executed one nor on the page."""
    run, _ = each
    outputs = [o for cell in nbformat.read(run.notebook, 4).cells for o in cell.get("outputs", [])]
    assert [] == [output for output in outputs if "application/javascript" in output.get("data", {})]
    assert "sentinel-status" not in run.notebook.read_text() + run.report.read_text()


@pytest.mark.timeout(180)
def test_make_measures_what_it_was_given(made: CompletedProcess[str], swept: tuple[runs.Run, str]) -> None:
    """A switched configuration behind `make sweep`, and a parameter in front of it, are what the record has."""
    run, _ = swept
    assert "from the environment: WORKERS=4" in made.stderr.splitlines()
    assert (4, 1) == (run.data.parameters["WORKERS"], run.data.parameters["REPEATS"])
    assert ["baseline", SWITCHED] == list(run.data.configurations)
    assert "json.loads" == run.data.configurations[SWITCHED]["decode"]
    assert "This cell failed" not in run.report.read_text(encoding="utf-8")


@pytest.mark.timeout(180)
def test_sweep_leaves_a_whole_record(swept: tuple[runs.Run, str]) -> None:
    """Every trial is valid and a step, every configuration was offered the first rate and confirmed, in that order."""
    from sentinel.lab.experiments.sweep.knee import CLIMB, CONFIRM
    from sentinel.lab.experiments.sweep.record import of_run

    run, _ = swept
    trials, steps = run.data.trials, of_run(run).steps
    assert [] == [trial.problems for trial in trials if not trial.valid]
    assert [trial.plan.number for trial in trials] == [step.trial for step in steps]
    assert {300.0} == {step.rate for step in steps}
    first = {s.configuration: (s.phase, s.rate) for s in reversed(steps)}
    assert {"baseline": (CLIMB, 300.0), SWITCHED: (CLIMB, 300.0)} == first
    assert {"baseline", SWITCHED} == {step.configuration for step in steps if step.phase == CONFIRM}
    assert sorted(steps, key=lambda step: step.phase == CONFIRM) == steps
    assert run.notebook.exists()


def test_steps_agree_with_their_trials(swept: tuple[runs.Run, str]) -> None:
    """Sent rate and backlog of a step, read off its folder, tell the same as the trial's own account."""
    from sentinel.lab.experiments.sweep.record import of_run
    from sentinel.lab.statistics.sustained import most_growth

    run, _ = swept
    for trial, step in zip(run.data.trials, of_run(run).steps, strict=True):
        load = trial.plan.load
        assert (load.rate, trial.plan.group) == (step.rate, step.phase)
        assert trial.sustained == (not trial.unsustained)
        assert not trial.sustained or step.growth < most_growth(load)
        # On a machine that falls behind, the same messages take longer: never more than were offered, but for rounding.
        assert 0 < step.sent <= 1.02 * load.rate


def test_sweep_can_be_recomputed(swept: tuple[runs.Run, str]) -> None:
    """Knees, ratios and verdict follow from the steps and trials that the record holds; the terminal shows them."""
    from sentinel.lab.experiments.sweep import summary as sweep_summary
    from sentinel.lab.experiments.sweep.parameters import Sweep
    from sentinel.lab.experiments.sweep.record import of_run

    run, text = swept
    outcomes = run.data.trials
    steps = of_run(run).steps
    again = plain(sweep_summary.of_sweep(Sweep(**run.data.parameters), steps, outcomes))
    for key in ("summary", "knees", "ratios", "verdict"):
        assert json.loads(json.dumps(again[key])) == kept(run)[key]
    assert "Highest rate within the SLO" in text
    assert " ".join(run.data.verdict[0].split()) in " ".join(text.split())


@pytest.mark.timeout(180)
def test_ablation_leaves_a_whole_record(ablated: tuple[runs.Run, str]) -> None:
    """Every trial is valid, every configuration was measured, and the record follows from the trials."""
    from sentinel.lab.experiments.ablation.parameters import Ablation
    from sentinel.lab.experiments.ablation.summary import of_ablation
    from sentinel.lab.run.trial_record import CONTROL

    run, text = ablated
    p, trials = Ablation(**run.data.parameters), run.data.trials
    assert [] == [trial.problems for trial in trials if not trial.valid]
    assert {*p.names, p.names[-1] + CONTROL} == {trial.plan.label for trial in trials}
    again = plain(of_ablation(p, trials, looks=run.data.looks, machine=run.data.machine))
    for key in ("summary", "spread", "noise", "steps", "ratios", "verdict"):
        assert json.loads(json.dumps(again[key])) == kept(run)[key]
    assert " ".join(run.data.verdict[1].split()) in " ".join(text.split())
    assert run.notebook.exists()


def test_rounds_end_in_time(ablated: tuple[runs.Run, str]) -> None:
    """With `REPEATS=auto` there are whole rounds within WITHIN, one at least, and the page says how it ended."""
    run, _ = ablated
    (ending,) = run.data.settling.values()
    repeats = [trial.plan.repeat for trial in run.data.trials]
    assert {repeats.count(number) for number in range(ending.rounds)} == {len(repeats) / ending.rounds}
    assert ending.seconds <= ending.within or ending.rounds == 1
    page = run.report.read_text(encoding="utf-8")
    assert re.search(r"<dt>Rounds</dt><dd>capacity: \d+ rounds? in \d+ s", page)
    assert "This cell failed" not in page


@pytest.mark.timeout(180)
def test_watch_accounts_for_every_message(watched: tuple[runs.Run, str]) -> None:
    """What load generator and agent sent is stored, the samples of this host among it, and the answer says so."""
    run, text = watched
    (trial,) = run.data.trials
    assert (True, []) == (trial.valid, trial.problems)
    samples = run.data.summary["host"]["samples"]
    assert 3 * 200 + samples == trial.sender["sent"] == trial.stored
    assert samples >= 1
    assert f"the store holds {trial.stored:,}: nothing was lost" in " ".join(text.split())
    assert " ".join(run.data.verdict[0].split()) in " ".join(text.split())
    assert run.notebook.exists()


def test_live_view_stays_in_place(watched: tuple[runs.Run, str]) -> None:
    """However often it was drawn, the cell holds one output, of bounded size: the last window with its figures."""
    run, _ = watched
    (cell,) = [cell for cell in nbformat.read(run.notebook, 4).cells if "lab.watch()" in cell.source]
    (output,) = cell.outputs
    shown = "".join(output.data["text/html"])
    assert len(shown) < 200_000
    assert 1 == shown.count("<img ")
    assert "3 of 3 s: " in shown
    assert f"{run.data.trials[0].consumer['written']:,} written, 0 lost" in shown
    assert re.findall(r'src="data:[^"]+"', shown)[0] in run.report.read_text()
