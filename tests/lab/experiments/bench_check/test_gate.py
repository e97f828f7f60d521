"""The performance gate: the rule on made-up trials, the committed file, exit codes, and one real run, small."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from msgspec import structs
from support.records import record
from support.synthetic import Maker

from sentinel import cli
from sentinel.errors import SettingsError
from sentinel.lab import formatting as words
from sentinel.lab import registry
from sentinel.lab.budgets import answer as told
from sentinel.lab.budgets.answer import phrases
from sentinel.lab.budgets.bound import Bound
from sentinel.lab.budgets.judgement import by_round, judged, kinds, verdict
from sentinel.lab.budgets.record import BROKEN, HOLDS, INVALID, MARGINAL, MISSING, BudgetAnswer, Row
from sentinel.lab.experiments.bench_check import gate, trials
from sentinel.lab.experiments.bench_check.legs import AT_ONCE, LIGHT, WIDE
from sentinel.lab.experiments.bench_check.noise import noise
from sentinel.lab.experiments.bench_check.record import Gated
from sentinel.lab.presentation.phrase import Strong
from sentinel.lab.run import run as runs
from sentinel.lab.run import run_data
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import BOOTSTRAP, Ratio, plain
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.metrics import MEASURES
from sentinel.lab.statistics.rounds.sides import side
from sentinel.runtime.text_table import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = ("baseline", "optimised")
PINNED = gate.load()


@pytest.fixture
def outcomes(tmp_path: Path) -> list[Outcome]:
    """What the gate's trials leave: three rounds of all that drains or is under a light load, and one memory each."""
    maker = Maker(runs.Run("gate", tmp_path), seed=1)
    for repeat in range(3):
        for label in (*NAMES, f"optimised{CONTROL}"):
            maker.add(CAPACITY, label, repeat, "capacity")
        maker.add(CAPACITY, WIDE, repeat, "capacity")
        for label in (LIGHT, AT_ONCE):
            maker.add(LATENCY, label, repeat, LIGHT)
    for label in NAMES:
        maker.add(MEMORY, label, 0, "memory")
    for o in maker.outcomes:
        o.cpu_us = (o.cpu_us or 0) * {WIDE: 0.4, LIGHT: 0.3}.get(o.plan.label, 1.0)
    return maker.outcomes


def capacities(outcomes: list[Outcome], label: str) -> list[Outcome]:
    """The capacity trials of one configuration."""
    return [o for o in outcomes if o.plan.kind == CAPACITY and o.plan.label == label]


def slowed(outcomes: list[Outcome]) -> list[Outcome]:
    """The capacity trials of optimised, both legs."""
    return [*capacities(outcomes, "optimised"), *capacities(outcomes, f"optimised{CONTROL}")]


def verdicts(outcomes: list[Outcome]) -> dict[str, str]:
    """Verdict of every row under the committed bounds."""
    return {row.head: row.verdict for row in judged(PINNED.bounds, outcomes).rows}


def table(answer: BudgetAnswer, outcomes: list[Outcome]) -> str:
    """What `sentinel bench-check` prints of these trials."""
    return told.table(answer, noise(outcomes))


# The rule ----------------------------------------------------------------------------------------------------------


def test_all_is_well(outcomes: list[Outcome]) -> None:
    """Where every ratio is as it was seen, every bound holds, and the table says that nothing broke."""
    answer = judged(PINNED.bounds, outcomes)
    assert {HOLDS} == {row.verdict for row in answer.rows}
    assert (len(PINNED.bounds), True) == (len(answer.rows), answer.passes)
    assert "PASS." in table(answer, outcomes)


def test_a_lost_capacity_is_named(outcomes: list[Outcome]) -> None:
    """Where the capacity's ratio collapses, that bound is broken and no other, and the last line says which."""
    for o in slowed(outcomes):
        o.throughput /= 20
    answer = judged(PINNED.bounds, outcomes)
    assert ["Capacity, optimised ÷ baseline"] == [row.head for row in answer.rows if not row.passes]
    (text,) = phrases(answer)
    assert re.fullmatch(
        r"Broken: Capacity, optimised ÷ baseline is [\d.]+× \[.+\] \(9\d\.\d % interval of 3 unpaired rounds, 0 of them"
        r" within the bound\), where ≥ 75× is asked for\.",
        str(text),
    )
    assert table(answer, outcomes).endswith(note(str(text)))


def test_a_cost_above_its_bound_is_broken(outcomes: list[Outcome]) -> None:
    """Costs break upwards: CPU and bytes per message have a most, not a least."""
    for o in slowed(outcomes):
        assert o.cpu_us is not None
        o.cpu_us *= 10
    (memory,) = (o for o in outcomes if o.plan.kind == MEMORY and o.plan.label == "optimised")
    memory.memory["bytes_per_message"] *= 20
    actual = verdicts(outcomes)
    assert BROKEN == actual["CPU per message while draining, optimised ÷ baseline"]
    assert BROKEN == actual["Allocated bytes per message, optimised ÷ baseline"]
    assert BROKEN == actual["Allocated bytes per message, optimised"]
    assert HOLDS == actual["Capacity, optimised ÷ baseline"]


def test_noise_alone_breaks_nothing(outcomes: list[Outcome]) -> None:
    """One bad round of three widens the interval; while that holds the bound it is `marginal`, which passes."""
    bad, middle, good = capacities(outcomes, "optimised")
    again = capacities(outcomes, f"optimised{CONTROL}")
    reference = sorted(o.throughput for o in capacities(outcomes, "baseline"))[1]
    bad.throughput, middle.throughput, good.throughput = (reference * times for times in (5, 20, 150))
    for first, second in zip((bad, middle, good), again, strict=True):
        second.throughput = first.throughput
    answer = judged(PINNED.bounds, outcomes)
    (row,) = (row for row in answer.rows if row.verdict != HOLDS)
    assert ("Capacity, optimised ÷ baseline", MARGINAL, True) == (row.head, row.verdict, row.passes)
    assert (1, 3) == (row.kept, row.seen.n)
    text = table(answer, outcomes)
    assert "1 of 3 rounds" in text
    assert "PASS, 1 bound marginal: Capacity, optimised ÷ baseline" in text


def test_both_legs_of_the_control_count(outcomes: list[Outcome]) -> None:
    """A round's own ratio is that of the geometric mean of its legs; a round without one side does not count."""
    sides = np.array([[4.0, 1.0], [9.0, np.nan], [2.0, 2.0]]), np.array([[1.0], [3.0], [np.nan]])
    assert [2.0, 3.0] == pytest.approx(by_round(*sides))
    for o in capacities(outcomes, f"optimised{CONTROL}"):
        o.throughput /= 1e4
    rows = {row.head: row for row in judged(PINNED.bounds, outcomes).rows}
    assert 0 == rows["Capacity, optimised ÷ baseline"].kept


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_an_interval_says_what_it_covers(outcomes: list[Outcome], rounds: int) -> None:
    """The printed coverage is the exact one; of too few rounds for 95 % it says how many that takes."""
    kept = [o for o in outcomes if o.plan.repeat < rounds]
    for o in slowed(kept):
        o.throughput /= 20
    estimate = compare.estimated(*(side(name, kept)["capacity"] for name in reversed(NAMES)))
    text = str(phrases(judged(PINNED.bounds, kept))[0])
    assert (estimate.coverage >= 0.95) == (rounds == 3) == ("95 % takes" not in text)
    assert (estimate.note if rounds > 1 else "no interval of 1 ") in text
    assert f"0 of {rounds} round" in table(judged(PINNED.bounds, kept), kept)
    assert "bootstrap" not in table(judged(PINNED.bounds, kept), kept)


def test_answers_of_earlier_runs_are_read(outcomes: list[Outcome], tmp_path: Path) -> None:
    """A record made before rounds were compared opens, and says what it said of its interval and its trials."""
    rows = [Row(bound, Ratio(9.0, 8.0, 10.0, 3, 0.9, BOOTSTRAP), BROKEN) for bound in PINNED.bounds[:1]]
    kept = [{name: value for name, value in plain(row).items() if name not in {"kept", "rounds"}} for row in rows]
    gated = runs.Run("x", tmp_path, record(notebook="bench-check", answer={"rows": kept, "invalid": []}))
    (text,) = registry.answer(gated)
    assert "Broken: Capacity, optimised ÷ baseline is 9.00× [8.00, 10.0] (n = 3), where ≥ 75× is asked for." == str(
        text
    )


@pytest.mark.parametrize(
    ("low", "high", "least", "most"),
    [
        (41, 60, HOLDS, BROKEN),
        (40, 60, HOLDS, MARGINAL),
        (30, 50, MARGINAL, MARGINAL),
        (20, 40, MARGINAL, HOLDS),
        (20, 39, BROKEN, HOLDS),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, least: str, most: str) -> None:
    """Both kinds of bound: beyond it as a whole is broken, wholly on its right side holds, across is marginal."""
    seen = Ratio((low + high) / 2, low, high, 3)
    assert least == verdict(Bound("capacity", "a", "b", at_least=40), seen)
    assert most == verdict(Bound("capacity", "a", "b", at_most=40), seen)


def test_of_one_trial_the_value_decides(outcomes: list[Outcome]) -> None:
    """Without an interval there is no `marginal`."""
    first = [o for o in outcomes if o.plan.repeat == 0]
    assert {HOLDS} == set(verdicts(first).values())
    for label in ("optimised", f"optimised{CONTROL}"):
        (trial,) = capacities(first, label)
        trial.throughput /= 20
    assert BROKEN == verdicts(first)["Capacity, optimised ÷ baseline"]


def test_an_invalid_trial_fails_by_itself(outcomes: list[Outcome]) -> None:
    """A ledger that does not add up is a failure of its own, even where what is left holds every bound."""
    bad = capacities(outcomes, "optimised")[0]
    bad.valid, bad.problems = False, ["the store holds 3 points, but acknowledged 4"]
    answer = judged(PINNED.bounds, outcomes)
    assert all(row.passes for row in answer.rows)
    assert not answer.passes
    assert [f"Trial {bad.plan.number}, capacity of optimised"] == [item.head for item in answer.invalid]
    text = table(answer, outcomes)
    assert f"✗ {INVALID}" in text
    assert "the store holds 3 points" in text


def test_the_sentences_are_made_of_the_data(outcomes: list[Outcome], tmp_path: Path) -> None:
    """What broke is worded alike out of the trials and out of the record, with what was seen set off."""
    for o in slowed(outcomes):
        o.throughput /= 20
    answer = judged(PINNED.bounds, outcomes)
    gated = runs.Run("x", tmp_path, record(notebook="bench-check", budgets=plain(answer)))
    (text,) = registry.answer(gated)
    assert str(phrases(answer)[0]) == str(text)
    assert [row.passes for row in answer.rows] == [question.met for question in registry.questions(gated)]
    assert [words.times(answer.rows[0].seen.value)] == [part for part in text if isinstance(part, Strong)]


def test_what_was_not_measured_fails(outcomes: list[Outcome]) -> None:
    """A bound on something that no valid trial measured is not passed by silence."""
    rows = judged(PINNED.bounds, [o for o in outcomes if o.plan.kind != MEMORY]).rows
    assert {MISSING} == {row.verdict for row in rows if "Allocated" in row.head}
    assert not any(row.passes for row in rows if "Allocated" in row.head)
    assert {MISSING} == set(verdicts([]).values())


def test_noise_of_the_day_is_said(outcomes: list[Outcome]) -> None:
    """The configuration that was measured twice is compared with itself, below the table."""
    text = table(judged(PINNED.bounds, outcomes), outcomes)
    assert re.search(
        r"Run-to-run variation \(A/A\): capacity of optimised, measured again ÷ measured first, is\s[01]\.\d", text
    )


# The file ----------------------------------------------------------------------------------------------------------


def test_every_measure_is_measured(outcomes: list[Outcome]) -> None:
    """What may be bounded is what trials yield: a renamed measure would make every bound on it go missing."""
    taken = {name for name in MEASURES if {*kinds(name)} & {CAPACITY, MEMORY}} | {"cpu_us"}
    assert {b.measure for b in PINNED.bounds} <= taken <= set(measures(outcomes))


def test_committed_gate_bounds_what_was_asked() -> None:
    """Capacity, CPU and bytes of `optimised` against `baseline` are bounded, and no speed as such."""
    ratios = {b.measure for b in PINNED.bounds if (b.of, b.against) == ("optimised", "baseline")}
    assert {"capacity", "capacity_cpu_us", "bytes_per_message"} == ratios
    assert {b.measure for b in PINNED.bounds if not b.against} <= set(gate.COUNTS)
    assert PINNED.parameters.REPEATS >= 3


SOUND = """
[parameters]
CONFIGURATIONS = "baseline,optimised"
[[budgets]]
measure = "capacity"
configuration = "optimised"
against = "baseline"
at_least = "40×"
"""
BYTES = '[[budgets]]\nmeasure = "bytes_per_message"\nconfiguration = "optimised"\nat_most = "3 bytes"'


@pytest.mark.parametrize(
    ("change", "to", "expected_text"),
    [
        ("[parameters]", "[parameters", "at line 2"),
        ("[[budgets]]", "[[limits]]", "limits is no key of it: expected parameters and budgets"),
        ('against = "baseline"', "", "found × (of a ratio: say `against` what)"),
        (
            'against = "baseline"\nat_least = "40×"',
            'at_least = "9 msg/s"',
            "budget 1 (capacity of optimised): by itself it is a speed of this machine",
        ),
        ('"capacity"', '"stored_p99"', "budget 1 (stored_p99 of optimised): bench-check measures it under"),
        (
            'configuration = "optimised"',
            'configuration = "best"',
            "best is not measured: expected one of baseline, opt",
        ),
        ("[parameters]", "[parameters]\nMESSAGE = 3", "MESSAGE is not a parameter (did you mean MESSAGES?)"),
        ("[parameters]", "[parameters]\nRATE = 3", "RATE is not a parameter"),
        ("[parameters]", "[parameters]\nREPEATS = 0", "REPEATS=0 is not allowed"),
        ('[parameters]\nCONFIGURATIONS = "baseline,optimised"', "parameters = 3", "parameters is 3: expected a table"),
        ("[[budgets]]", f"MEMRAY = false\n{BYTES}\n[[budgets]]", "bench-check does not measure it with MEMRAY=False"),
        (SOUND, "[parameters]\n", "has no budgets"),
    ],
)
def test_a_wrong_gate_says_where(tmp_path: Path, change: str, to: str, expected_text: str) -> None:
    """Whatever is wrong in the file is one error that names the file, the place and what is expected."""
    path = tmp_path / "gate.toml"
    path.write_text(SOUND)
    gate.load(path)
    assert change in SOUND
    path.write_text(SOUND.replace(change, to, 1))
    with pytest.raises(SettingsError) as error:
        gate.load(path)
    assert expected_text in str(error.value)
    assert str(path) in str(error.value)


def test_no_gate_at_all(tmp_path: Path) -> None:
    """A path that leads nowhere is an error that names it."""
    with pytest.raises(SettingsError, match=r"no budgets can be read from .*nowhere"):
        gate.load(tmp_path / "nowhere.toml")


# The command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[list[Outcome]], tuple[int, str]]:
    """`sentinel bench-check` with these trials in place of measured ones: exit code and what it says."""

    def run(outcomes: list[Outcome]) -> tuple[int, str]:
        busy = runs.Run("a-run", tmp_path, record(trials=[o.to_dict() for o in outcomes], warnings=["It was busy."]))
        monkeypatch.setattr(trials, "measure", lambda _: busy)
        done = CliRunner().invoke(cli.cli, ["bench-check"])
        return done.exit_code, done.output

    return run


def test_exit_code_is_zero_where_nothing_broke(
    outcomes: list[Outcome], check: Callable[[list[Outcome]], tuple[int, str]]
) -> None:
    """Green is 0, with the table and where the record is."""
    code, output = check(outcomes)
    assert 0 == code
    assert output.count("✓ holds") == len(PINNED.bounds)
    assert "runs/a-run" in output
    assert "It was busy." not in output


def test_exit_code_is_one_where_something_broke(
    outcomes: list[Outcome], check: Callable[[list[Outcome]], tuple[int, str]]
) -> None:
    """Red is 1, with what broke and what speaks against trusting it."""
    broken = [structs.replace(o, throughput=o.throughput / 20) if "optimised" in o.plan.label else o for o in outcomes]
    code, output = check(broken)
    assert 1 == code
    assert "✗ broken" in output
    assert "Warning: It was busy." in output


SMALL = """
[parameters]
STACK = "embedded"
CONFIGURATIONS = "baseline,optimised"
MESSAGES = {messages}
REPEATS = 1
WORKERS = 3
[[budgets]]
measure = "bytes_per_message"
configuration = "optimised"
against = "baseline"
at_most = "1x"
"""


def command(folder: Path, messages: int) -> list[str]:
    """The command line of a gate that only compares bytes, which no machine changes."""
    (folder / "gate.toml").write_text(SMALL.format(messages=messages))
    return [sys.executable, "-m", "sentinel", "bench-check", "--gate", "gate.toml"]


@pytest.mark.timeout(120)
def test_a_real_gate_measures_and_records(tmp_path: Path) -> None:
    """The whole command: stack, trials, table, exit code 0, and a run like any other."""
    done = subprocess.run(
        command(tmp_path, 1000),
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=100,
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    assert done.stdout.lstrip().startswith("bound")
    assert "✓ holds" in done.stdout
    (run,) = runs.find(tmp_path)
    assert "bench-check" == run.data.notebook
    assert ["PASS."] == run.data.verdict
    assert 1 == run.sections(Gated).gate[0].at_most
    assert [CAPACITY] * 4 + [LATENCY] * 2 + [MEMORY] * 2 == [trial.plan.kind for trial in run.data.trials]
    assert {"baseline-flamegraph.html", "optimised.bin"} <= {path.name for path in run.profiles.iterdir()}
    assert not (run.folder / "progress.json").exists()


@pytest.fixture
def underway(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A long gate in the midst of its first trial, in a process group of its own, as in a terminal."""
    words = command(tmp_path, 1_000_000)
    # Where the tests themselves run in the background, Ctrl-C would be ignored by inheritance.
    heeding = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import sentinel.cli as c; c.main()"
    )
    words[1:3] = ["-c", heeding]
    process = subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


def descendants(pid: int) -> list[psutil.Process]:
    """Every process that it started, and those that they started, once a trial's consumer is among them."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        with suppress(psutil.NoSuchProcess):
            actual = psutil.Process(pid).children(recursive=True)
            if any("consume" in process.cmdline() for process in actual):
                return actual
        time.sleep(0.1)
    return []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.timeout(90)
def test_nothing_outlives_the_gate(underway: subprocess.Popen[bytes], tmp_path: Path, signum: int) -> None:
    """Ctrl-C, a kill or a harder one: servers and trial are gone, and the record does not pass for a whole one."""
    started = descendants(underway.pid)
    assert len(started) >= 4  # supervisor helper, bus, store, consumer
    os.killpg(underway.pid, signum)
    assert underway.wait(30)
    _, left = psutil.wait_procs(started, timeout=20)
    assert [] == left
    (run,) = runs.find(tmp_path)
    assert run.state in {run_data.INTERRUPTED, run_data.RUNNING}  # killed outright, it could not say how it ended
