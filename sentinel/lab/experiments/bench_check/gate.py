"""The performance gate, `sentinel bench-check`: a short pinned comparison, held to committed bounds.

gate.toml has the parameters and the bounds, with the reason for each. A bound is a ratio between configurations of one
run, or a count of bytes: never a speed. It is broken only where the whole interval lies beyond it, so that noise alone
breaks nothing. Apart from `load` and `measure` everything here is pure.
"""

from __future__ import annotations

import math
import signal
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.environment import announce
from sentinel.errors import SettingsError
from sentinel.lab import formatting
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.formatting import NOTHING
from sentinel.lab.notebook.progress_bar import PROGRESS, watched
from sentinel.lab.parameters import Chosen, Draining, converted
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.run.run import Run, new_id
from sentinel.lab.run.trial_record import CAPACITY, CONTROL
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import Ratio
from sentinel.lab.statistics.measures import measures
from sentinel.lab.trials import plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome

COMMITTED = Path(__file__).with_name("gate.toml")
MEASURES = {
    "capacity": "Capacity",
    "capacity_cpu_us": "CPU per message",
    "bytes_per_message": "Allocated bytes per message",
    "allocations_per_message": "Allocations per message",
}
"""What can be bounded, by its name in run.json's summary."""
COUNTS = ("bytes_per_message", "allocations_per_message")
"""Measures that no machine makes faster: only these may be bounded as they are, without a configuration beside."""

HOLDS, MARGINAL, BROKEN, MISSING, INVALID = "holds", "marginal", "broken", "missing", "invalid"
MARKS = {HOLDS: "✓", MARGINAL: "≈", BROKEN: "✗", MISSING: "✗", INVALID: "✗"}
RULE = (
    "A bound is broken if the whole bootstrap interval lies beyond it; if the interval holds the bound, it is marginal"
    " and passes. Of a single trial the value itself decides."
)
WIDTH = 100
"""Columns of a terminal."""


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one measure must be: of one configuration, divided by that of another."""

    measure: str
    of: str
    against: str = ""
    """The configuration to divide by; empty: the count itself is bounded."""
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"{self.measure!r} is not a measure: there are {', '.join(MEASURES)}")
        if not self.against and self.measure not in COUNTS:
            raise ValueError(f"{self.measure} by itself is a speed of this machine: say `against` what")
        given = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if len(given) != 1 or not (math.isfinite(given[0]) and given[0] > 0):
            raise ValueError(f"{self.measure} of {self.of}: expected one of at_least and at_most, a number above 0")

    @property
    def head(self) -> str:
        """`Capacity, optimised ÷ baseline`."""
        return f"{MEASURES[self.measure]}, {self.of}{f' ÷ {self.against}' if self.against else ''}"

    def __str__(self) -> str:
        return (
            f"≥ {formatting.plain(self.at_least)}"
            if self.at_least is not None
            else f"≤ {formatting.plain(self.at_most or 0)}"
        )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    parameters: dict[str, Any]
    bounds: list[Bound]


@dataclass(frozen=True)
class Gate:
    """What is measured, and what must come out."""

    parameters: Benchmark
    bounds: list[Bound]


def load(path: Path = COMMITTED) -> Gate:
    """Read and check a gate.

    Raises:
        SettingsError: it cannot be read, or something in it is unknown or not allowed; the message says where.
    """
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        gate = Gate(Benchmark(**converted(file.parameters, Draining.rules() | Chosen.rules())), file.bounds)
    except OSError as error:
        raise SettingsError(f"no gate can be read from {path}: {error.strerror}") from error
    except (ValueError, SettingsError) as error:  # tomllib's and msgspec's errors are ValueErrors
        raise SettingsError(f"{path}: {error}") from error
    if not gate.bounds:
        raise SettingsError(f"{path} has no bounds, so nothing could break: add [[bounds]]")
    for bound in gate.bounds:
        if unknown := {bound.of, bound.against} - {*gate.parameters.names, ""}:
            there = ", ".join(gate.parameters.names)
            raise SettingsError(f"{path}: {bound.head}: {', '.join(unknown)} is not measured, only {there}")
        if bound.measure in COUNTS and not gate.parameters.MEMRAY:
            raise SettingsError(f"{path}: {bound.head} needs memray: take MEMRAY = false out")
    return gate


# -- judging --------------------------------------------------------------------------------------------------------


class Row(msgspec.Struct, frozen=True):
    """What became of one bound."""

    bound: Bound
    seen: Ratio
    verdict: str
    """`HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`."""

    @property
    def passes(self) -> bool:
        """Whether it lets the gate be green."""
        return self.verdict in {HOLDS, MARGINAL}

    @property
    def head(self) -> str:
        """Which bound."""
        return self.bound.head


class InvalidTrial(msgspec.Struct, frozen=True):
    """A trial that cannot count: it lets no gate be green."""

    number: int
    kind: str
    label: str
    why: list[str]

    @property
    def head(self) -> str:
        """Which trial."""
        return f"Trial {self.number}, {self.kind} of {self.label}"


class Answer(msgspec.Struct, frozen=True):
    """What a gate answers: what became of every bound, and the trials that are invalid."""

    rows: list[Row]
    invalid: list[InvalidTrial]

    @property
    def passes(self) -> bool:
        """Whether the gate is green."""
        return not self.invalid and all(row.passes for row in self.rows)


def judged(bounds: Sequence[Bound], outcomes: Sequence[Outcome]) -> Answer:
    """Every bound held against the trials."""
    invalid = [InvalidTrial(o.plan.number, o.plan.kind, o.plan.label, o.problems) for o in outcomes if not o.valid]
    seen = [(bound, _seen(bound, outcomes)) for bound in bounds]
    return Answer([Row(bound, lines, verdict(bound, lines)) for bound, lines in seen], invalid)


def _values(measure: str, label: str, outcomes: Sequence[Outcome]) -> list[float]:
    return measures(o for o in outcomes if o.plan.label == label).get(measure, [])


def _seen(bound: Bound, outcomes: Sequence[Outcome]) -> Ratio:
    values = _values(bound.measure, bound.of, outcomes)
    others = _values(bound.measure, bound.against, outcomes) if bound.against else [1.0] * len(values)
    return compare.ratio(values, others)


def verdict(bound: Bound, seen: Ratio) -> str:
    """Where the interval lies, or the value where there is none: `holds`, `marginal`, `broken` or `missing`."""
    if seen.value is None:
        return MISSING
    low, high = seen.interval or (seen.value, seen.value)
    if bound.at_least is not None:
        return HOLDS if low >= bound.at_least else BROKEN if high < bound.at_least else MARGINAL
    assert bound.at_most is not None
    return HOLDS if high <= bound.at_most else BROKEN if low > bound.at_most else MARGINAL


# -- saying ---------------------------------------------------------------------------------------------------------


def phrases(answer: Answer) -> list[Phrase]:
    """What broke, a sentence each; or that nothing did."""
    sentences = [_failed(row) for row in answer.rows if not row.passes] + [
        _cannot_count(item) for item in answer.invalid
    ]
    near = [row.head for row in answer.rows if row.verdict == MARGINAL]
    marginal = f", {formatting.counted(len(near), 'bound')} marginal: {'; '.join(near)}" if near else ""
    return sentences or [Phrase([f"PASS{marginal}."])]


def _failed(row: Row) -> Phrase:
    if row.verdict == MISSING:
        return Phrase([f"Missing: {row.head} was not measured in any valid trial, where {row.bound} is asked for."])
    seen = {"head": row.head, "seen": _said(row), "n": row.seen.n, "bound": row.bound}
    return phrase("Broken: {head} is {seen}, n = {n}, where {bound} is asked for.", **seen)


def _cannot_count(item: InvalidTrial) -> Phrase:
    return Phrase([f"Invalid: {item.head}: {'; '.join(item.why)[:600]}."])


def _said(row: Row) -> Phrase:
    """What was seen: a factor with its interval, or a count with its own."""
    seen = row.seen
    if row.bound.against or seen.value is None:
        return phrase(
            "{factor}{interval}", factor=Strong(formatting.times(seen.value)), interval=formatting.interval(seen)
        )
    return Phrase(
        [
            formatting.figure(seen.value),
            *([f" [{', '.join(map(formatting.figure, seen.interval))}]"] if seen.interval else []),
        ]
    )


def table(answer: Answer, outcomes: Sequence[Outcome], reliability_warnings: Sequence[str] = ()) -> str:
    """Bound, what was seen and verdict of every row, the rule, and the answer, as plain text.

    What speaks against trusting the trials, `reliability_warnings`, is said where something broke.
    """
    texts = [[row.head, str(row.bound), str(_said(row)), str(row.seen.n), _marked(row.verdict)] for row in answer.rows]
    texts += [[item.head, "adds up", NOTHING, "1", _marked(INVALID)] for item in answer.invalid]
    lines = [["", "bound", "seen", "n", "verdict"], *texts]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    laid = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    warned = [f"Warning: {reliability_warning}" for reliability_warning in reliability_warnings if not answer.passes]
    notes = [RULE, *_noise(outcomes), *map(str, phrases(answer)), *warned]
    wrapped = [textwrap.fill(note, WIDTH) for note in notes]
    return "\n".join([laid[0], "─" * max(map(len, laid)), *laid[1:], "", *wrapped])


def _marked(verdict: str) -> str:
    return f"{MARKS[verdict]} {verdict}"


def _noise(outcomes: Sequence[Outcome]) -> list[str]:
    """How far two legs of one configuration lie apart (A/A)."""
    twice = [o.plan.configuration for o in outcomes if o.plan.kind == CAPACITY and o.plan.label.endswith(CONTROL)]
    lines = []
    for name in dict.fromkeys(twice):
        ratio = compare.ratio(_values(CAPACITY, name + CONTROL, outcomes), _values(CAPACITY, name, outcomes))
        if ratio.value is not None:
            again = f"capacity of {name}, measured again ÷ measured first, is {formatting.ratio(ratio)}"
            lines.append(f"Run-to-run variation (A/A): {again}.")
    return lines


# -- measuring ------------------------------------------------------------------------------------------------------


class GateLab(BenchmarkLab):
    """A benchmark without its latencies, in less than a minute."""

    notebook = "bench-check"

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of([*plans.capacity(self.parameters), *plans.memory(self.parameters)])

    def planned_trials(self) -> int:
        """See Session."""
        return len([*plans.capacity(self.parameters), *plans.memory(self.parameters)])

    @staticmethod
    def found(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session. Of a benchmark's verdict only the gate's own is left: there is no latency to judge."""
        answer = judged(msgspec.convert(run.data.get("gate", []), list[Bound]), outcomes)
        compared = summary.of_benchmark(Benchmark(**run.data["parameters"]), outcomes, [], 0.0)
        return {**compare.plain(compared), "answer": compare.plain(answer), "verdict": [*map(str, phrases(answer))]}

    def measured(self, bounds: Sequence[Bound]) -> Run:
        """Carry everything out and write the record."""
        with self.keeping():
            self.run.data["gate"] = msgspec.to_builtins(bounds)
            self.capacity()
            self.memory()
            return self.close()


def measure(gate: Gate) -> Run:
    """Carry out the gate's trials, with a progress bar; returns their record, in runs/<id>/.

    Raises:
        RunError: the folder cannot be written.
        StackError, BusError, StoreError: the stack cannot be had.
        RunEndedError: it was interrupted, or could not go on; the trials so far are kept.
    """
    run = Run(new_id(GateLab.notebook)).create()
    progress = run.folder / PROGRESS
    announce(run.id, progress)
    # As an exception, a SIGTERM lets the stack be stopped and what was measured be kept.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with watched(progress):
            return GateLab.open(gate.parameters).measured(gate.bounds)
    finally:
        progress.unlink(missing_ok=True)
