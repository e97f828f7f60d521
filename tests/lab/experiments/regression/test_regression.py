"""The verdict on head against base: from rounds to a word, an exit code, sentences and a table for a pull request."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.records import record

from sentinel.errors import SettingsError
from sentinel.lab import registry
from sentinel.lab.experiments.regression.answer import TITLES
from sentinel.lab.experiments.regression.markdown import markdown
from sentinel.lab.experiments.regression.parameters import Regression
from sentinel.lab.experiments.regression.record import BASE, HEAD, NO_WORSE, UNKNOWN, WORSE, Record, Side
from sentinel.lab.experiments.regression.summary import DECIDING, MEASURES, answered, error_of_each, of_regression
from sentinel.lab.experiments.regression.trials import WEIGHED
from sentinel.lab.parameters import from_words
from sentinel.lab.run.run import Run
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan
from sentinel.lab.statistics.compare import plain
from sentinel.lab.statistics.rounds import decision, ranks
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

LEGS = (BASE, BASE + CONTROL, HEAD)
P = Regression()
DRAINING = Regression(RATE=0, MEMRAY=False)
SIDES = {
    BASE: Side("main", "a" * 40, "Begin", [], "/cache/1/sentinel/__init__.py", "1"),
    HEAD: Side(".", "b" * 40, "Say “more” | less", ["sentinel/cli.py"], "/cache/2/sentinel/__init__.py", "2"),
}


class Rounds:
    """Makes the trials of rounds: values of a measure are its median, noise of a fixed seed, and head's factor."""

    def __init__(self, *, noise: float = 0.01, rounds: int = 8, seed: int = 1) -> None:
        self.trials: list[Outcome] = []
        self._random = np.random.default_rng(seed)
        self._noise, self._rounds = noise, rounds

    def _value(self, middle: float, leg: str, factor: float) -> float:
        return middle * (factor if leg == HEAD else 1) * float(np.exp(self._random.normal(0, self._noise)))

    def _add(self, kind: str, leg: str, repeat: int, **measured: Any) -> None:
        plan = Plan(len(self.trials), kind, leg, "optimised", LoadSettings(), repeat=repeat, group=kind)
        self.trials.append(Outcome(plan, valid=True, **measured))

    def draining(self, capacity: float = 1.0, cpu: float = 1.0) -> Rounds:
        """Capacity trials."""
        for repeat in range(self._rounds):
            for leg in LEGS:
                rate, cost = self._value(1e5, leg, capacity), self._value(4.0, leg, cpu)
                self._add(CAPACITY, leg, repeat, throughput=rate, cpu_us=cost)
        return self

    def offered(self, p50: float = 1.0, p99: float = 1.0, n: int = 5000) -> Rounds:
        """Trials under a load."""
        for repeat in range(self._rounds):
            for leg in LEGS:
                stored = {"p50": self._value(2.0, leg, p50), "p99": self._value(9.0, leg, p99), "n": n}
                latencies = {"stored": stored, "e2e": {"p99": 5.0, "n": n}, "send_delay": {"p99": 0.1, "n": n}}
                cpu = self._value(9.0, leg, 1.0)
                self._add(LATENCY, leg, repeat, throughput=5000.0, cpu_us=cpu, latencies=latencies)
        return self

    def weighed(self, factor: float = 1.0) -> Rounds:
        """Memory trials, of four rounds."""
        for repeat in range(4):
            for leg in LEGS:
                self._add(MEMORY, leg, repeat, memory={"bytes_per_message": self._value(4000.0, leg, factor)})
        return self


def code(run: Run) -> int:
    """The exit code of the command."""
    return registry.experiment("regression").exit_code(run)


def ran(trials: list[Outcome], p: Regression = P) -> Run:
    """A run of these trials, as its record holds it."""
    run = Run("20260101T000000Z-regression-0000")
    run.data = record(id=run.id, notebook="regression", parameters=asdict(p), trials=[o.to_dict() for o in trials])
    run.data.add(plain(of_regression(p, SIDES, trials)))
    return run


@pytest.mark.parametrize(
    ("trials", "word", "regressed"),
    [
        (Rounds().draining(), NO_WORSE, []),
        (Rounds().draining(capacity=0.8), WORSE, ["capacity"]),
        (Rounds().draining(cpu=1.25), WORSE, ["capacity_cpu_us"]),
        (Rounds().draining(capacity=1.25, cpu=0.8), NO_WORSE, []),
        (Rounds().draining().weighed(1.25), WORSE, ["bytes_per_message"]),
        (Rounds().draining().weighed(1.01), NO_WORSE, []),
        (Rounds().draining().offered(p99=1.5), WORSE, ["stored_p99"]),
        (Rounds(noise=0.15).draining(), UNKNOWN, []),
        (Rounds(noise=0.02).draining(capacity=0.953), UNKNOWN, []),
        (Rounds(rounds=2).draining(capacity=0.5, cpu=2), UNKNOWN, []),
        (Rounds().weighed(), UNKNOWN, []),
    ],
    ids=[
        "equal", "less capacity", "more CPU", "better", "more bytes", "a few bytes more", "a longer tail", "noise",
        "about the margin", "too few rounds", "nothing drained",
    ],
)  # fmt: skip
def test_rounds_lead_to_one_of_three_words(trials: Rounds, word: str, regressed: list[str]) -> None:
    """Worse is what is evidently beyond floor and margin; no worse what excludes that; all else is not known."""
    kinds = {o.plan.kind for o in trials.trials}
    p = Regression(RATE=5000.0 * (LATENCY in kinds), MEMRAY=MEMORY in kinds)
    answer = answered(p, trials.trials)
    assert (word, regressed) == (answer.word, [name for name, j in answer.judgements.items() if j.regressed])
    assert (word == UNKNOWN) <= bool(answer.open)
    run = ran(trials.trials, p)
    assert {NO_WORSE: 0, WORSE: 1, UNKNOWN: 2}[word] == code(run)
    asked = {question.asked: question.met for question in registry.questions(run)}
    assert [f"Head ÷ base: {TITLES[name]}" for name in regressed] == [
        name for name, met in asked.items() if met is False
    ]
    assert (word == NO_WORSE) <= all(asked.values())


def test_a_latency_that_is_not_known_keeps_nothing_open() -> None:
    """Only what decides must exclude a slowdown: a tail that varies leaves head no worse."""
    steady, wild = Rounds().draining().trials, Rounds(noise=0.5).offered().trials
    answer = answered(P, [*steady, *wild])
    assert answer.judgements["stored_p99"].word in {decision.UNRESOLVED, decision.UNSTABLE}
    assert (NO_WORSE, []) == (answer.word, answer.open)


def test_a_tail_that_the_messages_do_not_carry_is_not_judged() -> None:
    """A p99 of fewer than 368 messages a trial says nothing."""
    trials = Rounds().draining().offered(p99=3, n=367).trials
    assert "stored_p99" not in answered(P, trials).judgements
    assert NO_WORSE == answered(P, trials).word


def test_an_invalid_trial_leaves_its_round_out() -> None:
    """The other rounds are compared; where too few are left, it is not known."""
    trials = Rounds().draining(capacity=0.8).trials
    for trial in trials:
        trial.valid = trial.plan.repeat < 7 or trial.plan.label != HEAD
    assert (WORSE, 7) == ((answer := answered(DRAINING, trials)).word, answer.judgements["capacity"].ratio.n)
    for trial in trials:
        trial.valid = trial.plan.repeat < 2
    assert UNKNOWN == answered(DRAINING, trials).word


def test_equal_versions_are_seldom_called_worse() -> None:
    """All measures together, in at most 5 of 100 experiments, also where no margin helps."""
    p = Regression(MARGIN=0.001, MEMRAY=False)
    every = [Rounds(noise=0.15, seed=seed).draining().offered().trials for seed in range(40)]
    assert sum(answered(p, trials).word == WORSE for trials in every) <= 0.05 * len(every)


def test_the_usual_rounds_suffice() -> None:
    """Seven paired rounds keep each measure's share of the error, six without a load; memory's four do unpaired."""
    of_all, drained = error_of_each(offered=True, weighed=True), error_of_each(offered=False, weighed=True)
    assert (7, 6) == (ranks.least_rounds(of_all), ranks.least_rounds(drained))
    assert WEIGHED >= ranks.least_unpaired((1, 2), of_all)
    assert P.REPEATS >= 7
    assert {m.name for m in MEASURES} > DECIDING


def test_the_answer_says_what_is_worse_and_what_is_open() -> None:
    """The verdict comes first, with its exit code; then the measures that are worse, or leave room for it."""
    first, second, *_ = map(str, of_regression(DRAINING, SIDES, Rounds().draining(cpu=1.25).trials).verdict)
    assert (
        "Head, the working tree (bbbbbbbbbbbb and what is not committed), is worse than base, main (aaaaaaaaaaaa), by"
        " more than 5 % (exit code 1)."
    ) == first
    assert second.startswith("Worse: CPU per message while draining, 1.2")
    first, second, *_ = map(str, of_regression(DRAINING, SIDES, Rounds(noise=0.15).draining().trials).verdict)
    assert first.startswith("Could not tell whether head, the working tree (")
    assert first.endswith("(exit code 2).")
    assert "leaves room for it: " in second
    assert "more would settle it" in second
    same = {label: Side("main", "a" * 40, "Begin", [], "", "1") for label in (BASE, HEAD)}
    told = of_regression(DRAINING, same, Rounds().draining().trials).verdict
    assert "is no worse than base, main (aaaaaaaaaaaa): a slowdown of 5 % or more is excluded" in told[0]
    assert "Both have the same code and pins" in told[1]


def test_the_markdown_is_a_table_with_a_command() -> None:
    """Verdict, a row a measure with as many cells as heads, both commits, and the command that repeats it."""
    lines = markdown(ran(Rounds().draining(cpu=1.25).offered().weighed().trials)).splitlines()
    assert lines[0].startswith("**Head, the working tree (bbbbbbbbbbbb")
    rows = [line for line in lines if line.startswith("|")]
    assert {7} == {line.count(" | ") + 3 for line in rows}
    assert 2 + len(MEASURES) == len(rows)
    assert "- base: main (aaaaaaaaaaaa), “Begin”" in lines
    assert any("`make regression BASE=aaaaaaaaaaaa HEAD=.`" in line for line in lines)


def test_the_command_has_what_is_not_as_usual() -> None:
    """Parameters that were given come again, and only these; whole numbers stay whole."""
    given = Regression(STACK="native", RATE=20_000.0, CONFIGURATION="optimised,decode=json.loads")
    command = markdown(ran(Rounds().draining().trials, given)).rpartition("Again: `make regression ")[2]
    repeated = registry.experiment("regression").repeating(ran(Rounds().draining().trials, given))
    assert ("aaaaaaaaaaaa", ".", 20_000.0) == tuple(repeated[name] for name in ("BASE", "HEAD", "RATE"))
    words = {"STACK=native", "RATE=20000", "BASE=aaaaaaaaaaaa", "HEAD=.", "CONFIGURATION=optimised,decode=json.loads"}
    assert words == set(command.partition("`")[0].split())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("BASE=--all", "BASE='--all' is not allowed: expected a branch, tag or commit"),
        ("HEAD=", "HEAD='' is not allowed"),
        ("CONFIGURATION=contenders/mine", "CONFIGURATION='contenders/mine' is not allowed: expected one of baseline"),
        ("MARGIN=0", "MARGIN='0' is not allowed"),
        ("RATE=-1", "RATE='-1' is not allowed"),
        ("CONFIGURATIONS=optimised", "did you mean CONFIGURATION?"),
    ],
)
def test_a_wrong_parameter_is_refused(word: str, message: str) -> None:
    """What is no ref, no configuration of ours or no number is an error that says what is allowed."""
    with pytest.raises(SettingsError) as caught:
        from_words([word], Regression.rules())
    assert message in str(caught.value)


def test_an_experiment_without_a_table_refuses_markdown(tmp_path: Path) -> None:
    """Before anything is measured, and with the name of one that has it; a folder that is not there as well."""
    with pytest.raises(SettingsError, match="--markdown: benchmark has no table for a pull request; regression has"):
        registry.require_markdown("benchmark", tmp_path / "table.md")
    with pytest.raises(SettingsError, match="cannot be written: expected a file in a folder that is there"):
        registry.require_markdown("regression", tmp_path / "missing" / "table.md")
    registry.require_markdown("regression", tmp_path / "table.md")


def test_the_record_survives_its_file() -> None:
    """What is computed is what is read back."""
    run = ran(Rounds().draining().offered().weighed().trials)
    again = run.sections(Record)
    assert plain(again) == plain(of_regression(P, SIDES, run.data.trials))
