"""The notebooks: their form, and one real execution of each through the runner and through plain papermill."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import psutil
import pytest
from browser import browsed

from sentinel.lab import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = {
    "STACK": "embedded",
    "DURATION": "1",
    "REPEATS": "2",
    "MESSAGES": "1000",
    "WORKERS": "3",
    "RATE": "200",
    "HEADLINE_RATE": "1000",
}
SMALL_SWEEP = {
    "STACK": "embedded",
    "CONFIGURATIONS": "baseline,optimised",
    "RATES": "100,300",
    "DURATION": "1",
    "REPEATS": "1",
    "WORKERS": "4",
}
SMALL_ABLATION = {"STACK": "embedded", "REPEATS": "1", "MESSAGES": "1000", "WORKERS": "4", "MEMRAY": "False"}
SMALL_LIVE = {"STACK": "embedded", "SECONDS": "3", "RATE": "200", "WORKERS": "3", "INTERVAL": "0.5", "WINDOW": "10"}
BIN = Path(sys.executable).parent


def cells(path: Path, kind: str) -> list[str]:
    """Sources of one kind of cell."""
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    """Each notebook of the repository."""
    return Path(request.param)


def test_notebook_asks_one_question(notebook: Path) -> None:
    """There is one H1, in the first cell, and it is a question."""
    headings = [line for text in cells(notebook, "markdown") for line in text.splitlines() if line.startswith("# ")]
    assert len(headings) == 1
    assert headings[0].endswith("?")
    assert cells(notebook, "markdown")[0].startswith(headings[0])


def test_parameters_stand_in_the_second_cell(notebook: Path) -> None:
    """Exactly one cell is tagged `parameters`, it is the second, and each line is a typed literal with a comment."""
    tagged = [i for i, c in enumerate(nbformat.read(notebook, 4).cells) if "parameters" in c.metadata.get("tags", [])]
    assert tagged == [1]
    lines = nbformat.read(notebook, 4).cells[1].source.splitlines()
    assert [] == [line for line in lines if not re.fullmatch(r"[A-Z0-9_]+: (int|float|str|bool) = [^#]+  # .+", line)]


def test_notebook_holds_no_logic(notebook: Path) -> None:
    """No function, no class, no cell over eight lines but the parameters: what is needed lives in the lab."""
    code = cells(notebook, "code")
    assert [] == [text for text in code if re.search(r"^\s*(def|class) ", text, re.MULTILINE)]
    assert [] == [text for text in code[1:] if len(text.splitlines()) > 8]


def test_notebook_types_no_results(notebook: Path) -> None:
    """After the first cell no number with a unit stands in the prose: results come from data."""
    prose = "\n".join(cells(notebook, "markdown")[1:])
    assert [] == re.findall(r"\d[\d.,]*\s*(?:%|ms|µs|us|s|MB|KB|msg/s|bytes|×|x)\b", prose)


def test_notebook_tags_what_a_page_begins_with(notebook: Path) -> None:
    """Answer, main figure and head, and key results where there are any: a heading, and a cell that shows it."""
    content = nbformat.read(notebook, 4)
    for tag in ("answer", "figure", "header", *(["key-results"] if notebook.stem != "live" else [])):
        tagged = [cell.cell_type for cell in content.cells if tag in cell.metadata.get("tags", [])]
        assert (tag, ["markdown", "code"]) == (tag, tagged)


def test_notebook_is_clean_in_git(notebook: Path) -> None:
    """No outputs, no execution counts, a small file, and this interpreter's kernel."""
    content = nbformat.read(notebook, 4)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [] == [cell for cell in code if cell.outputs or cell.execution_count]
    assert notebook.stat().st_size < 500_000
    assert content.metadata.kernelspec.name == "python3"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout: the notebooks, and nothing measured yet."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "notebooks").symlink_to(ROOT / "notebooks")
    return folder


def sentinel(place: Path, *words: str, timeout: float = 150) -> subprocess.CompletedProcess[str]:
    """Run the command there, without any external stack in the environment."""
    env = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "INFLUX_URL")}
    command = [str(BIN / "sentinel"), *words]
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=timeout, check=False)


def execution(place: Path, name: str, small: dict[str, str]) -> tuple[runs.Run, str]:
    """A notebook executed by the runner with small parameters: the run, and what the terminal showed."""
    done = sentinel(place, "run", name, *(f"{k}={v}" for k, v in small.items()))
    assert done.returncode == 0, done.stderr
    (run,) = [run for run in runs.find(place) if run.id in done.stdout]
    return run, done.stdout


@pytest.fixture(scope="module")
def executed(place: Path) -> tuple[runs.Run, str]:
    """benchmark.ipynb."""
    return execution(place, "benchmark", SMALL)


@pytest.fixture(scope="module")
def swept(place: Path) -> tuple[runs.Run, str]:
    """sweep.ipynb."""
    return execution(place, "sweep", SMALL_SWEEP)


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
    found: tuple[runs.Run, str] = request.getfixturevalue(request.param)
    return found


@pytest.mark.timeout(180)
def test_run_leaves_a_whole_record(executed: tuple[runs.Run, str]) -> None:
    """Every trial is valid, and record, notebook, page, captures, memray's pages and flame graphs are there."""
    run, _ = executed
    assert [] == [trial["problems"] for trial in run.data["trials"] if not trial["valid"]]
    assert run.notebook.exists()
    assert run.report.exists()
    names = {path.name for path in run.profiles.iterdir()}
    for label in ("baseline", "client-batching", "optimised"):
        assert {f"{label}.bin", f"{label}-flamegraph.html", f"{label}-table.html"} <= names
        assert {f"{label}-cpu.folded", f"{label}-cpu.svg"} <= names or run.data["unprofiled"]


def test_run_ends_with_table_and_path(executed: tuple[runs.Run, str]) -> None:
    """The terminal's last words are the key results and where the report is."""
    run, said = executed
    assert "Capacity" in said
    assert str(run.report) in said


def test_summary_can_be_recomputed(executed: tuple[runs.Run, str]) -> None:
    """What the record says in sum follows from the trials that it holds."""
    from sentinel.lab import summary
    from sentinel.lab.outcome import Outcome
    from sentinel.lab.parameters import Benchmark

    run, _ = executed
    outcomes = [Outcome.from_dict(trial) for trial in run.data["trials"]]
    again = summary.of_benchmark(Benchmark(**run.data["parameters"]), outcomes, [], run.data["rates"]["latency"])
    for key in ("summary", "ratios", "verdict", "spread"):
        assert json.loads(json.dumps(again[key])) == run.data[key]


@pytest.mark.timeout(180)
def test_report_is_one_offline_page(each: tuple[runs.Run, str]) -> None:
    """No address of any network, no script from elsewhere, every figure described, under 3 MB, and no code."""
    run, _ = each
    page = run.report.read_text()
    assert len(page.encode()) < 3_000_000
    assert [] == re.findall(r'(?:src|href)=["\']?(?:https?:)?//[^"\' >]+', page)
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) >= {"benchmark": 4, "sweep": 2, "ablation": 2, "live": 1}[run.data["notebook"]]
    assert [] == [picture[:80] for picture in pictures if not re.search(r'alt="[^"]{20,}"', picture)]
    assert "Lab.open" not in page


def test_report_opens_in_a_browser_without_a_network(each: tuple[runs.Run, str], tmp_path: Path) -> None:
    """Chromium, cut off from any name, shows the real report without one message on its console."""
    run, _ = each
    dom, console = browsed(run.report, tmp_path)
    assert [] == console
    assert dom.count("<img ") == run.report.read_text().count("<img ")


def test_runs_lists_it(each: tuple[runs.Run, str], place: Path) -> None:
    """`sentinel runs` names the run with its key figures."""
    run, _ = each
    listed = sentinel(place, "runs").stdout
    assert run.id in listed


@pytest.mark.timeout(180)
def test_sweep_leaves_a_whole_record(swept: tuple[runs.Run, str]) -> None:
    """Every trial is valid and a step, every configuration was offered the first rate and confirmed, in that order."""
    from sentinel.lab.knee import CLIMB, CONFIRM, Step

    run, _ = swept
    trials, steps = run.data["trials"], [Step(**step) for step in run.data["steps"]]
    assert [] == [trial["problems"] for trial in trials if not trial["valid"]]
    assert [trial["plan"]["number"] for trial in trials] == [step.trial for step in steps]
    assert {100.0, 300.0} >= {step.rate for step in steps}
    first = {s.configuration: (s.phase, s.rate) for s in reversed(steps)}
    assert {"baseline": (CLIMB, 100.0), "optimised": (CLIMB, 100.0)} == first
    assert {"baseline", "optimised"} == {step.configuration for step in steps if step.phase == CONFIRM}
    assert sorted(steps, key=lambda step: step.phase == CONFIRM) == steps
    assert run.notebook.exists()


def test_steps_agree_with_their_trials(swept: tuple[runs.Run, str]) -> None:
    """Sent rate and backlog of a step, read off its folder, tell the same as the trial's own account."""
    from sentinel.lab.sustained import most_growth
    from sentinel.settings import LoadSettings

    run, _ = swept
    for trial, step in zip(run.data["trials"], run.data["steps"], strict=True):
        load = LoadSettings(**trial["plan"]["load"])
        assert (load.rate, trial["plan"]["group"]) == (step["rate"], step["phase"])
        assert trial["sustained"] == (not trial["unsustained"])
        assert not trial["sustained"] or step["growth"] < most_growth(load)
        # On a machine that falls behind, the same messages take longer: never more than were offered, but for rounding.
        assert 0 < step["sent"] <= 1.02 * load.rate


def test_sweep_can_be_recomputed(swept: tuple[runs.Run, str]) -> None:
    """Knees, ratios and verdict follow from the steps and trials that the record holds; the terminal shows them."""
    from sentinel.lab import sweep_summary
    from sentinel.lab.knee import Step
    from sentinel.lab.outcome import Outcome
    from sentinel.lab.parameters import Sweep

    run, said = swept
    outcomes = [Outcome.from_dict(trial) for trial in run.data["trials"]]
    steps = [Step(**step) for step in run.data["steps"]]
    again = sweep_summary.of_sweep(Sweep(**run.data["parameters"]), steps, outcomes)
    for key in ("summary", "knees", "ratios", "verdict"):
        assert json.loads(json.dumps(again[key])) == run.data[key]
    assert "Highest rate that holds" in said
    assert " ".join(run.data["verdict"][0].split()) in " ".join(said.split())


@pytest.mark.timeout(180)
def test_ablation_leaves_a_whole_record(ablated: tuple[runs.Run, str]) -> None:
    """Every trial is valid, every configuration was measured, and the record follows from the trials."""
    from sentinel.lab.ablation_summary import of_ablation
    from sentinel.lab.outcome import AGAIN, Outcome
    from sentinel.lab.parameters import Ablation

    run, said = ablated
    p, trials = Ablation(**run.data["parameters"]), run.data["trials"]
    assert [] == [trial["problems"] for trial in trials if not trial["valid"]]
    assert {*p.names, p.names[-1] + AGAIN} == {trial["plan"]["label"] for trial in trials}
    again = of_ablation(p, [Outcome.from_dict(trial) for trial in trials])
    for key in ("summary", "spread", "noise", "steps", "ratios", "verdict"):
        assert json.loads(json.dumps(again[key])) == run.data[key]
    assert " ".join(run.data["verdict"][1].split()) in " ".join(said.split())
    assert run.notebook.exists()


@pytest.mark.timeout(180)
def test_watch_accounts_for_every_message(watched: tuple[runs.Run, str]) -> None:
    """What load generator and agent sent is stored, the samples of this host among it, and the answer says so."""
    run, said = watched
    (trial,) = run.data["trials"]
    assert (True, []) == (trial["valid"], trial["problems"])
    samples = run.data["summary"]["host"]["samples"]
    assert 3 * 200 + samples == trial["sender"]["sent"] == trial["stored"]
    assert samples >= 1
    assert f"the store holds {trial['stored']:,}: nothing was lost" in " ".join(said.split())
    assert " ".join(run.data["verdict"][0].split()) in " ".join(said.split())
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
    assert f"{run.data['trials'][0]['consumer']['written']:,} written, 0 lost" in shown
    assert re.findall(r'src="data:[^"]+"', shown)[0] in run.report.read_text()


@pytest.mark.timeout(120)
def test_an_interrupt_ends_a_watch_with_its_report(tmp_path: Path) -> None:
    """Ctrl-C is the end of the watch, not of the notebook: the kernel's cell ends, ledger and answer follow."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    words = [f"{name}={value}" for name, value in (SMALL_LIVE | {"SECONDS": "60"}).items()]
    process = subprocess.Popen([str(BIN / "sentinel"), "run", "live", *words], cwd=tmp_path, stderr=subprocess.DEVNULL)
    notes = "runs/*/trials/0/load/0/intervals.jsonl"
    try:
        eventually(lambda: any(path.stat().st_size for path in tmp_path.glob(notes)), 60)
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(40)
    finally:
        process.kill()
        process.wait()
    (run,) = runs.find(tmp_path)
    (trial,) = run.data["trials"]
    assert (True, True) == (trial["valid"], run.data["watched"]["interrupted"])
    assert 0 < trial["sender"]["sent"] == trial["stored"]
    assert "(interrupted)" in run.data["verdict"][0]
    assert run.report.exists()
    assert_nothing_left(tmp_path / "runs")


@pytest.mark.timeout(120)
def test_plain_papermill_works(place: Path) -> None:
    """The notebook needs no runner: papermill alone leaves a run, and its output can be made a page."""
    small = SMALL | {"CONFIGURATIONS": "optimised", "MEMRAY": "False", "PYSPY": "False", "REPEATS": "1"}
    words = [word for name, value in small.items() for word in ("-p", name, value)]
    command = [str(BIN / "papermill"), "notebooks/benchmark.ipynb", "out.ipynb", *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    run = runs.find(place)[-1]
    assert "This cell failed" not in run.report.read_text(encoding="utf-8")
    assert run.report.name in (place / "out.ipynb").read_text(encoding="utf-8")
    assert sentinel(place, "report", "out.ipynb").returncode == 0
    assert (place / "out.html").exists()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("WORKERS=0", "WORKERS='0' is not allowed: expected a whole number"),
        ("DURATION=soon", "DURATION='soon' is not allowed: expected seconds"),
        ("RATE=-1", "RATE='-1' is not allowed: expected a number"),
        ("CONFIGURATIONS=fastest", "CONFIGURATIONS='fastest' is not allowed"),
        ("WORKER=3", "WORKER is not a parameter (did you mean WORKERS?)"),
    ],
)
def test_wrong_parameter_stops_before_anything_starts(tmp_path: Path, word: str, said: str) -> None:
    """A wrong name or value is one line that says what is allowed, and no folder is made."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    done = sentinel(tmp_path, "run", "benchmark", word)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {said}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_plain_papermill_refuses_unknown_parameter(place: Path) -> None:
    """papermill itself only warns of an unknown name; the notebook stops."""
    command = [str(BIN / "papermill"), "notebooks/benchmark.ipynb", "wrong.ipynb", "-p", "WORKER", "3"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "WORKER is not a parameter (did you mean WORKERS?)" in done.stderr


def belonging_to(folder: Path) -> list[psutil.Process]:
    """Live processes whose command line names the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        named = any(str(folder) in word for word in process.info["cmdline"] or [])
        if named and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


LONG = {"benchmark": (SMALL | {"DURATION": "60"}, 3), "live": (SMALL_LIVE | {"SECONDS": "60"}, 4)}
"""Parameters of a long execution, and its processes but for the bus: store, consumer, load generator, agent."""


@pytest.fixture(params=LONG)
def papermill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """papermill in the midst of a long execution, its servers running."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    given, least = LONG[request.param]
    words = [word for name, value in given.items() for word in ("-p", name, value)]
    command = [str(BIN / "papermill"), f"notebooks/{request.param}.ipynb", "out.ipynb", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: len(belonging_to(tmp_path / "runs")) >= least, 40)
        yield process, tmp_path / "runs"
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.timeout(90)
def test_no_server_outlives_papermill(papermill: tuple[subprocess.Popen[bytes], Path], signum: int) -> None:
    """Whatever kills papermill, bus, store, consumer, agent and load generator are gone soon after."""
    process, folder = papermill
    process.send_signal(signum)
    process.wait(20)
    assert_nothing_left(folder)


@pytest.mark.parametrize("papermill", ["live"], indirect=True)
@pytest.mark.timeout(90)
def test_nothing_outlives_the_kernel(papermill: tuple[subprocess.Popen[bytes], Path]) -> None:
    """A kernel that is killed takes everything that it started with it."""
    process, folder = papermill
    (kernel,) = [child for child in psutil.Process(process.pid).children() if "ipykernel" in " ".join(child.cmdline())]
    kernel.kill()
    assert_nothing_left(folder)
    process.wait(30)


def assert_nothing_left(folder: Path) -> None:
    """No process that names the folder is left after a while."""
    end = time.monotonic() + 20
    while (left := belonging_to(folder)) and time.monotonic() < end:
        time.sleep(0.2)
    assert [] == [p.cmdline() for p in left if p.is_running()]
