"""Two runs against each other: what is said, what is refused, and a page that needs neither of them any more."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.executions import ROOT
from support.pages import Reader
from support.pairs import NAMES, compared, parameters, run

from sentinel.errors import RunError, SentinelError, SettingsError
from sentinel.lab import registry
from sentinel.lab.experiments.compare import report
from sentinel.lab.experiments.compare.likeness import OFFERED, same_load
from sentinel.lab.experiments.compare.parameters import Compare
from sentinel.lab.experiments.compare.record import A, B, Record
from sentinel.lab.experiments.compare.sides.kept import latencies
from sentinel.lab.experiments.compare.sides.pair import read
from sentinel.lab.page import page
from sentinel.lab.run.run import load
from sentinel.lab.run.trial_record import HEADLINE
from sentinel.lab.statistics.compare import Word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

WORK = "Consumer.run (sentinel/consumer/consumer.py:124)"
STACKS = (
    f"{WORK};LineEncoder.__call__ (sentinel/model/lineprotocol.py:{{line}}) {{n}}\n"
    f"{WORK};Batcher.add (sentinel/consumer/batching.py:58) 300\n"
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that was there before, its folded stacks beside it."""
    return with_stacks(run(tmp_path_factory.mktemp("old"), "a"), line=10, n=100)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One that takes twice as long, and more of it in the encoder."""
    return with_stacks(run(tmp_path_factory.mktemp("new"), "b", slower=2.0), line=11, n=400)


def with_stacks(run: Run, *, line: int, n: int) -> Run:
    """The run with the folded stacks of its last configuration."""
    run.profiles.mkdir(parents=True)
    (run.profiles / f"{NAMES[-1]}-cpu.folded").write_text(STACKS.format(line=line, n=n), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, old: Run, new: Run) -> Run:
    """The comparison of both."""
    return compared(tmp_path_factory.mktemp("compared"), old, new)


def offer(trial: Outcome, rate: float) -> None:
    """Let the trial's load have been another."""
    trial.plan = replace(trial.plan, load=replace(trial.plan.load, rate=rate))


def words(record: Record) -> dict[str, dict[str, Word]]:
    """Verdicts by configuration and measure."""
    return {c.label: {row.measure: row.verdict.word for row in c.rows if row.verdict} for c in record.columns}


def refusal(a: object, b: object, **more: Any) -> str:
    """What is said of two runs that are not compared."""
    with pytest.raises(SentinelError) as caught:
        read(Compare(str(a), str(b), **more))
    return str(caught.value)


# -- what is said ----------------------------------------------------------------------------------------------------


def test_what_is_slower_is_worse_and_what_is_equal_is_not(result: Run) -> None:
    """Every key measure of every configuration in both, and the headline, has its ratio and one of the five words."""
    record = result.sections(Record)
    label = f"{NAMES[-1]} at 500 msg/s"
    assert [*NAMES, label] == [column.label for column in record.columns]
    actual = words(record)
    for name in NAMES:
        assert (Word.WORSE, Word.WORSE) == (actual[name]["capacity"], actual[name]["capacity_cpu_us"])
        assert "bytes_per_message" not in actual[name]
        assert {"e2e_p50", "e2e_p99", "stored_p50", "stored_p99", "cpu_us"} <= actual[name].keys()
    assert "capacity" not in actual[label]
    capacity = next(row for row in record.columns[0].rows if row.measure == "capacity")
    assert (0.5, "unpaired") == (pytest.approx(capacity.ratio.value, rel=0.1), capacity.ratio.method)
    assert "worse" in str(registry.answer(result)[0])
    assert "Allocated bytes are not judged: they are of a single trial" in record.columns[0].why[0]


def test_allocated_bytes_of_several_rounds_are_judged(tmp_path: Path) -> None:
    """Regression tests trace four rounds: their bytes have an interval and a word, those of one trial have neither."""
    sides = []
    for name, factor in (("a", 1.0), ("b", 2.0)):
        side = run(tmp_path, name, names=["optimised"], notebook="regression")
        (traced,) = (o for o in side.data.trials if o.memory)
        memory = traced.memory | {"bytes_per_message": factor * traced.memory["bytes_per_message"]}
        for repeat in range(4):
            plan = replace(traced.plan, number=100 + repeat, repeat=repeat)
            side.data.trials.append(msgspec.structs.replace(traced, plan=plan, memory=memory))
        side.data.trials.remove(traced)
        side.save()
        sides.append(side)
    (column, _) = compared(tmp_path, *sides).sections(Record).columns
    (row,) = (row for row in column.rows if row.measure == "bytes_per_message")
    assert row.verdict is not None
    assert (Word.WORSE, 2.0, True) == (row.verdict.word, pytest.approx(row.ratio.value), row.ratio.known)


def test_no_round_of_two_runs_is_a_pair(tmp_path: Path, old: Run) -> None:
    """Runs of different lengths are compared with all their trials, each of the one against each of the other."""
    longer = run(tmp_path, "c", repeats=6)
    (row, *_) = compared(tmp_path, old, longer).sections(Record).columns[0].rows
    assert (4, 6) == tuple(spread.n for spread in row.spreads)
    assert (4, "unpaired", True) == (row.ratio.n, row.ratio.method, (row.ratio.confidence or 0) > 0.95)


def test_equal_runs_differ_in_nothing(tmp_path: Path, old: Run) -> None:
    """The same figures under another id: nothing is better or worse, and the page says that nothing differs."""
    result = compared(tmp_path, old, run(tmp_path, "same"))
    assert not {Word.BETTER, Word.WORSE} & {
        word for column in words(result.sections(Record)).values() for word in column.values()
    }
    assert "are the same in both runs" in report.results(result).data


def test_the_noise_floor_is_that_of_the_run_that_shows_more(old: Run, new: Run, result: Run) -> None:
    """Both runs have an A/A control of the capacity; latencies have none, and it is said."""
    bands = [run.data.noise.bands["capacity"] for run in (old, new)]
    rows = {row.measure: row.verdict for row in result.sections(Record).columns[-2].rows}
    assert rows["capacity"] is not None
    assert rows["stored_p99"] is not None
    assert rows["capacity"].control
    assert rows["capacity"].band >= min(bands) / 2
    assert not rows["stored_p99"].control


def test_sessions_are_said_to_be_in_no_interval(result: Run) -> None:
    """The reader learns what no interval of two runs holds."""
    assert any("Two runs are two sessions" in str(sentence) for sentence in registry.answer(result))


def test_a_load_that_was_not_sustained_is_not_compared(tmp_path: Path, old: Run) -> None:
    """Latencies of a growing queue are left out, and the table says of how many trials."""
    behind = run(tmp_path, "behind")
    for trial in behind.data.trials:
        trial.sustained = trial.plan.group != HEADLINE
    behind.save()
    column = compared(tmp_path, old, behind).sections(Record).columns[-1]
    assert not {"stored_p99", "e2e_p50"} & {row.measure for row in column.rows}
    assert ["The load was not sustained in 4 of 4 trials of B: their latencies "] == [why[:66] for why in column.why]


# -- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory, old: Run, new: Run, result: Run) -> str:
    """The page, made anew after both runs were moved away."""
    gone = tmp_path_factory.mktemp("gone")
    moved = [(run.folder, shutil.move(run.folder, gone / name)) for name, run in ((A, old), (B, new))]
    try:
        return page.write(load(result.id, result.root)).read_text(encoding="utf-8")
    finally:
        for place, away in moved:
            shutil.move(away, place)


def section(name: str, run: Run) -> Reader:
    """One section, taken apart; it must be well-formed."""
    reader = Reader(getattr(report, name)(run).data)
    assert (name, []) == (name, reader.wrong)
    return reader


def test_the_page_needs_neither_run_any_more(html: str) -> None:
    """Once both runs are gone, all of it is made from the comparison's own folder, and is not too large to pass on."""
    assert "This cell failed" not in html
    assert 1 + 2 * 3 + len(NAMES) == html.count("<figcaption>")
    assert len(html) < 3_000_000


@pytest.mark.parametrize(
    "texts",
    [
        ["20260101T000000Z-benchmark-a", "20260101T000000Z-benchmark-b", "A: Only 2 cores: <they> share them."],
        ["Capacity, msg/s", "worse", "each trial of B is held against every trial of A"],
        ["One dot per trial; A above, B below"],
        ["A dashed, B solid", "no rounds are pairs", "Stored:"],
        ["encode", "LineEncoder.__call__ (sentinel/model/lineprotocol.py)", "sampling alone makes"],
        ["where bytes per message changed most", "call_0:some/module_0.py"],
    ],
    ids=["runs", "results", "capacity", "latency", "cpu", "memory"],
)
def test_every_section_shows_both_runs(html: str, texts: list[str]) -> None:
    """The page holds what each section is about."""
    shown = Reader(html).text
    assert [] == [text for text in texts if text not in shown]


def test_latencies_are_kept_by_run_and_kind(result: Run) -> None:
    """A histogram a trial, as they were measured after the warm-up."""
    kept = latencies(result)
    assert [*NAMES, f"{NAMES[-1]} at 500 msg/s"] == list(kept)
    counts = {len(trials) for sides in kept.values() for kinds in sides.values() for trials in kinds.values()}
    assert {4} == counts
    assert {A, B} == set(kept[NAMES[0]])


def test_missing_profiles_are_said_to_be_missing(tmp_path: Path, old: Run, result: Run) -> None:
    """Without folded stacks there is no graph, and a line says whose; without trials there is no section."""
    record = result.sections(Record)
    assert record.stages[NAMES[-1]].graph
    assert record.stages[NAMES[0]].why.startswith("The folded stacks of baseline in A are not beside that run")
    bare = run(tmp_path, "bare")
    bare.data.trials = [o for o in bare.data.trials if o.plan.kind not in {"profile", "memory"}]
    bare.data.unprofiled = "py-spy is not installed"
    bare.save()
    without = compared(tmp_path, old, bare)
    assert "CPU is not compared: B has no valid CPU profile (py-spy is not installed)." == section("cpu", without).text
    assert "Memory is not compared: B has no valid memory trial." == section("memory", without).text


def test_the_terminal_has_the_key_table_and_the_answer(result: Run) -> None:
    """What the command prints: a table a configuration, both runs, how it came about, the verdict."""
    text = registry.table(result)
    for expected in ("baseline", "Capacity, msg/s", "B ÷ A", "worse", "A: 20260101T000000Z-benchmark-a"):
        assert expected in text


# -- what is refused -------------------------------------------------------------------------------------------------


def _machine(**changes: Any) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        for name, value in changes.items():
            setattr(run.data.machine, name, value)

    return change


def _stack(**changes: Any) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        for name, value in changes.items():
            setattr(run.data.stack, name, value)

    return change


def _parameters(**changes: Any) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        run.data.parameters = parameters(run, **changes)

    return change


FORBIDDEN: list[tuple[Callable[[Run], None], str]] = [
    (_machine(cpu_model="Another <one>"), "CPU: A Some processor, B Another <one>"),
    (_machine(cpu_count_logical=4), "Logical cores: A 2, B 4"),
    (_machine(cpu_model=None), "CPU: A Some processor, B not known"),
    (_stack(kind="native"), "Kind of stack: A embedded, B native"),
    (_stack(bus="Redis 7"), "Bus: A Valkey 9, B Redis 7"),
    (_stack(store="InfluxDB 2"), "Store: A embedded store (not InfluxDB) 1.0, B InfluxDB 2"),
    (_parameters(RATE=2000.0), "RATE: A 1,000, B 2,000"),
    (_parameters(MESSAGES=40_000), "MESSAGES: A 20,000, B 40,000"),
    (_parameters(WORKERS=128), "WORKERS: A 16, B 128"),
    (_parameters(CODEC="binary"), "CODEC: A json, B binary"),
    (_parameters(TRANSPORT="pubsub"), "TRANSPORT: A stream, B pubsub"),
    (_parameters(BATCH_SIZE=100), "BATCH_SIZE: A 5,000, B 100"),
    (_parameters(NEWER=7), "NEWER: A not known, B 7"),
]


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run like the old one, to be changed."""
    return run(tmp_path_factory.mktemp("alike"), "alike")


@pytest.fixture
def other(alike: Run) -> Run:
    """A fresh copy of that run."""
    fresh = load(alike.id, alike.root)
    fresh.root = alike.root
    return fresh


@pytest.mark.parametrize(("change", "line"), FORBIDDEN, ids=[line.partition(":")[0] for _, line in FORBIDDEN])
def test_runs_that_mean_something_else_are_not_judged(
    tmp_path: Path, old: Run, other: Run, change: Callable[[Run], None], line: str
) -> None:
    """Each difference is a line with both values, and the way out is named; with FORCE there are no words."""
    change(other)
    other.root = tmp_path
    other.create().save()
    first, *lines = refusal(old.folder, other.folder).splitlines()
    assert first.endswith("(FORCE=True shows them without a verdict):")
    assert [f"  {line}"] == lines
    forced = read(Compare(str(old.folder), str(other.folder), FORCE=True))
    assert [True] == [difference.forbids for difference in forced.differences]


def test_a_parameter_that_a_record_lacks_counts_as_its_default(tmp_path: Path, old: Run, other: Run) -> None:
    """A run from before there was such a parameter did what is usual now: that is no difference."""
    del other.data.parameters["BATCH_SIZE"], other.data.parameters["SETTLE"]
    other.root = tmp_path
    other.create().save()
    assert [] == read(Compare(str(old.folder), str(other.folder))).differences


def test_with_force_there_are_figures_and_no_words(tmp_path: Path, old: Run) -> None:
    """The list of what differs comes first, ratios have their intervals, nothing is called better or worse."""
    other = run(tmp_path, "other", slower=2.0, names=["optimised"])
    other.data.parameters = parameters(other, WORKERS=128)
    other.save()
    forced = compared(tmp_path, old, other, force=True)
    record = forced.sections(Record)
    assert [] == record.verdicts
    assert all(row.ratio.known for column in record.columns for row in column.rows if row.measure == "capacity")
    text = section("results", forced).text
    assert text.index("WORKERS") < text.index("Capacity, msg/s")
    assert not {"worse", "better", "verdict"} & set(text.split())
    assert "No verdict" in str(registry.answer(forced)[0])
    assert "are equal within" not in section("shift", forced).text


def test_what_does_not_forbid_is_told(tmp_path: Path, old: Run) -> None:
    """Another commit, Python, kernel or number of rounds is what people compare: listed, and judged nevertheless."""
    other = run(tmp_path, "later", repeats=5)
    other.data.machine.kernel, other.data.machine.python = "6.2", "CPython 3.12"
    other.data.machine.git = {"commit": "fedcba9876543210", "dirty": False}
    other.save()
    record = compared(tmp_path, old, other).sections(Record)
    assert {"REPEATS", "Lab's commit", "Python", "Kernel"} == {difference.name for difference in record.differences}
    assert [] == record.forbidding
    assert record.verdicts


def test_a_rate_that_was_lowered_differently_is_another_load(tmp_path: Path, old: Run) -> None:
    """Measures under it have a ratio and no word, and the table says why; those of full streams are judged."""
    other = run(tmp_path, "lowered")
    other.data.rates = other.data.rates | {"latency": 150.0}
    for trial in other.data.trials:
        if trial.plan.group == "latency":
            offer(trial, 150.0)
    other.save()
    record = compared(tmp_path, old, other).sections(Record)
    judged = {row.measure: row.verdict for row in record.columns[0].rows}
    assert (False, True) == (judged["capacity"] is None, judged["stored_p99"] is None)
    assert "200 msg/s were really offered in A, 150 in B" in record.columns[0].why[0]
    (offered,) = record.differences
    assert (OFFERED, False, "CPU and latencies under it") == (offered.name, offered.forbids, offered.but)
    assert (True, True, False) == (same_load(580, 580), same_load(580, 570), same_load(580, 390))


def test_the_same_run_twice_is_refused(old: Run, tmp_path: Path) -> None:
    """By its folder, or as a copy of it."""
    shutil.copytree(old.folder, tmp_path / "copy")
    for b in (old.folder, tmp_path / "copy", old.folder / "report.html"):
        assert f"A and B are the same run, {old.data.id}: there is nothing to compare" == refusal(old.folder, b)


def test_runs_of_different_notebooks_are_refused(tmp_path: Path, old: Run) -> None:
    """Also where FORCE is given: they measure different things."""
    other = run(tmp_path, "sweep", notebook="sweep")
    expected = "A is a run of benchmark, and B one of sweep: only runs of the same notebook can be compared"
    assert expected == refusal(old.folder, other.folder) == refusal(old.folder, other.folder, FORCE=True)


def test_a_run_without_valid_trials_is_refused(tmp_path: Path, old: Run) -> None:
    """Nothing of it could be compared."""
    other = run(tmp_path, "invalid")
    for trial in other.data.trials:
        trial.valid = False
    other.save()
    assert f"B, {other.id}, is a run of benchmark without a valid trial that could" in refusal(old.folder, other.folder)


def test_runs_without_a_common_configuration_are_refused(tmp_path: Path, old: Run) -> None:
    """Both lists are named."""
    other = run(tmp_path, "apart", names=["client-batching"])
    expected = "no configuration in common: A measured baseline and optimised, B client-batching"
    assert expected in refusal(old.folder, other.folder)


def test_a_run_that_is_not_there_is_refused(old: Run) -> None:
    """Which of both, what was given, and what was expected."""
    assert refusal("nowhere", old.folder).startswith("A: no run 'nowhere': expected an id (`sentinel runs` lists them)")
    assert refusal(old.folder, "").startswith("B names no run: make compare A=<run> B=<run>")
    with pytest.raises(SettingsError):
        read(Compare())


def test_a_damaged_record_is_one_line_and_stays_as_it_is(tmp_path: Path, old: Run) -> None:
    """The file and the key are named, and nothing is written beside it."""
    folder = tmp_path / "damaged"
    folder.mkdir()
    text = json.dumps({"format": 2, "id": "x", "notebook": "benchmark", "trials": 3})
    (folder / "run.json").write_text(text)
    with pytest.raises(RunError, match=r"^B: .*run\.json is damaged: trials: expected array, found int$"):
        read(Compare(str(old.folder), str(folder)))
    assert (["run.json"], text) == ([path.name for path in folder.iterdir()], (folder / "run.json").read_text())


# -- runs as they are ------------------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, float]:
    """Every file below a folder, with the moment of its last change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_run_of_format_1_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    """An old record without trials' folders against the example: tables and profiles, no spectra; both as they were."""
    places = [ROOT / "tests" / "records" / "runs" / "format-1", ROOT / "runs" / "example"]
    before = [files(place) for place in places]
    lines = refusal(*places).splitlines()[1:]
    assert {"  DURATION: A 10, B 6", "  MESSAGES: A 100,000, B 20,000"} == set(lines)
    result = compared(tmp_path, *(load(place.name, place.parents[1]) for place in places), force=True)
    record = result.sections(Record)
    assert ["baseline", "client-batching", "optimised", "optimised at 25,000 msg/s"] == [
        c.label for c in record.columns
    ]
    assert all(len(column.rows) >= 5 for column in record.columns)
    assert {"baseline", "client-batching", "optimised"} == record.stages.keys() == record.bytes.keys()
    for name in ("header", "results", "latency", "shift", "cpu"):
        assert section(name, result).text
    assert before == [files(place) for place in places]


def test_sweeps_are_compared_at_their_rates(tmp_path: Path) -> None:
    """The highest rate of each configuration as a ratio without a verdict, and every measure at every common rate."""
    sides = []
    for name, highest in (("a", 1000.0), ("b", 2000.0)):
        side = run(tmp_path, name, names=["optimised"], notebook="sweep")
        side.data.trials = [o for o in side.data.trials if o.plan.group == "latency"]
        for trial in side.data.trials:
            offer(trial, 200.0 * (1 + trial.plan.repeat % 2))
        knee = {"rate": highest, "low": highest / 2, "high": highest, "next": None, "why": "", "held": [3, 3]}
        side.data.own = {"knees": {"optimised": knee}}
        side.save()
        sides.append(side)
    first, *others = compared(tmp_path, *sides).sections(Record).columns
    (row,) = first.rows
    assert ("optimised", "held", None) == (first.label, row.measure, row.verdict)
    assert (2.0, 1.0, 4.0) == (row.ratio.value, row.ratio.low, row.ratio.high)
    assert ["optimised at 200 msg/s", "optimised at 400 msg/s"] == [column.label for column in others]
    assert {2} == {spread.n for column in others for row in column.rows for spread in row.spreads}


def test_a_copy_from_elsewhere_is_a_run_like_others(tmp_path: Path, old: Run, new: Run) -> None:
    """A folder that was unpacked anywhere, its profiles within, is compared as the run itself is."""
    copied = tmp_path / "from" / "elsewhere"
    shutil.copytree(new.folder, copied)
    shutil.copytree(new.profiles, copied / "profiles" / "")
    result = compared(tmp_path, old, Copy(copied))  # type: ignore[arg-type]
    assert str(copied) == result.sections(Record).sides[B].folder
    assert result.sections(Record).stages[NAMES[-1]].graph


class Copy:
    """A run of which only the folder is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
