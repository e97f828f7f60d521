"""How often the lab's verdicts are right, where the truth is known: python benchmarks/verdicts.py.

Seeded simulation; prints a page of Markdown, docs/measurements-verdicts.md. Some 10 minutes on one core.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import judged
import numpy as np
import scipy
from simulated import DRIFT, EFFECT, KINDS, STRONGER, Cell, bound, former

from sentinel.lab.statistics.rounds.estimates import PAIRED, UNPAIRED
from sentinel.probe import machine

LEVELS = (0.05, 0.15, 0.30)
STRUCTURES: tuple[dict[str, Any], ...] = ({}, {"shared": 0.5}, {"drift": DRIFT})
ROUNDS, MORE = 12, 24
WRONG, OFF = 0.05, 0.02
"""Targets: false alarms, coverage against what is printed."""


INTRODUCTION = """# Measured: verdicts over rounds

{n:,} simulated experiments a cell, seeded. `python benchmarks/verdicts.py` makes this page anew.
{where}.

A round is one trial of the new configuration and two of the old one, whose A/A control they are. *sd* is the standard
deviation of the logarithm of a trial's value; *shared*: half of its variance is common to a round; *drift*: independent
noise, and all values change by so much over the session. *False*: equal configurations called better or worse.
*Missed*: intervals without the truth; *printed*: what they say of it themselves.
*Bound*: the power of Student's test at 5 % where noise is lognormal, and what Fisher's information allows where it is
heavy-tailed (t, 3 degrees of freedom). Skewed noise (exponential) is what the paired interval does not promise to bear:
it asks for symmetry."""


@dataclass
class Tally:
    """What many experiments of one cell ended in."""

    cell: Cell
    words: Counter[str]
    coverage: float
    """Share of intervals that held the truth."""
    printed: float
    """Mean of what they say of it."""
    rounds: float
    """Mean number."""

    def share(self, *words: str) -> float:
        """Of the experiments that ended in one of these words."""
        return sum(self.words[word] for word in words) / self.words.total()


def seed(*parts: object) -> np.random.Generator:
    """A generator of its own for each table's cell."""
    return np.random.default_rng([ord(letter) for letter in repr(parts)])


def tally(cell: Cell, rounds: int, experiments: int) -> Tally:
    """What REPEATS=auto comes to in many experiments of at most so many rounds."""
    new, old = cell.draw(seed("auto", cell, rounds), experiments, rounds)
    judged_alike = judged.automatic(new, old)
    held, printed = judged_alike.hold(cell.truth).mean(), 1 - judged_alike.missed.mean()
    return Tally(cell, Counter(judged_alike.words(old)), float(held), float(printed), float(judged_alike.rounds.mean()))


def cells() -> list[Cell]:
    """Every kind of noise, level and structure, with equal configurations."""
    return [Cell(kind, level, **how) for kind, level, how in product(KINDS, LEVELS, STRUCTURES)]


def method_of(cell: Cell) -> str:
    """The test that fits a cell."""
    return PAIRED if cell.shared or cell.drifts else UNPAIRED


def row(*columns: object) -> None:
    """A row of a Markdown table."""
    print("|", " | ".join(map(str, columns)), "|", flush=True)


def head(*columns: str) -> None:
    """The head of a Markdown table."""
    print()
    row(*columns)
    row(*("---" for _ in columns))


def percent(share: float) -> str:
    """`12.3 %`, or a dash."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"


def all_cells(experiments: int) -> list[Tally]:
    """The table of all cells; returns its tallies."""
    print(f"\n## Every cell, `REPEATS=auto` with at most {ROUNDS} rounds")
    head("noise", "sd", "trials", "false", "missed", "printed", f"{EFFECT:g}× found", "missed ", "printed ", "bound")
    counted = []
    for cell in cells():
        equal, slower = (tally(replace(cell, truth=truth), ROUNDS, experiments) for truth in (1.0, EFFECT))
        row(
            cell.kind,
            percent(cell.level),
            cell.structure,
            percent(equal.share("better", "worse")),
            percent(1 - equal.coverage),
            percent(1 - equal.printed),
            percent(slower.share("worse")),
            percent(1 - slower.coverage),
            percent(1 - slower.printed),
            percent(bound(cell, ROUNDS, method_of(cell))),
        )
        counted += [equal, slower]
    return counted


def equal_ones(experiments: int) -> list[Tally]:
    """How equal configurations end at 5 % noise; returns the tallies of the longer plan."""
    print("\n## Equal configurations at 5 % noise")
    head("noise", "trials", "at most", "no difference", "not known", "false", "missed", "printed", "rounds")
    counted = []
    for cell, rounds in product([c for c in cells() if c.level == LEVELS[0]], (ROUNDS, MORE)):
        tallied = tally(cell, rounds, experiments)
        words = (("no difference",), (judged.OPEN,), ("better", "worse"))
        missed = percent(1 - tallied.coverage), percent(1 - tallied.printed)
        shares = [percent(tallied.share(*which)) for which in words]
        row(cell.kind, cell.structure, f"{rounds} rounds", *shares, *missed, f"{tallied.rounds:.1f}")
        counted += [tallied] if rounds == MORE else []
    return counted


def against_former(experiments: int) -> list[tuple[Cell, int, float, float]]:
    """Power beside that of the rule before at the same number of rounds: cell, rounds, before, now."""
    print("\n## A 20 % slowdown at 15 % noise, a fixed number of rounds, against the rule before")
    head("noise", "trials", "rounds", "before", "now", "times", "bound")
    results = []
    stronger = [Cell(kind, LEVELS[1], drift=STRONGER) for kind in KINDS]
    for cell, rounds in product([*(c for c in cells() if c.level == LEVELS[1]), *stronger], (3, 6, 8, 12)):
        slower, random = replace(cell, truth=EFFECT), seed("former", cell, rounds)
        new, old = slower.draw(random, experiments, rounds)
        before = former(random, new, old).count("worse") / experiments
        now = judged.judge(new, old).words(old).count("worse") / experiments
        times = f"{now / before:.1f}" if before else "∞"
        limit = percent(bound(slower, rounds, method_of(cell)))
        row(cell.kind, cell.structure, rounds, percent(before), percent(now), times, limit)
        results.append((cell, rounds, before, now))
    return results


def peeking(experiments: int) -> None:
    """What stopping at the first difference does to equal configurations."""
    print("\n## Equal configurations, if measuring stopped at the first look that shows a difference")
    head("noise", "trials", "at most", "looks of 95 % each", "looks as planned")
    for cell, rounds in product([c for c in cells() if c.level == LEVELS[1]], (ROUNDS, MORE)):
        drawn = cell.draw(seed("peeked", cell, rounds), experiments, rounds)
        seen = [np.any([look.differ for look in judged.looks(*drawn, planned=how)], axis=0) for how in (False, True)]
        row(cell.kind, cell.structure, f"{rounds} rounds", *(percent(float(any_look.mean())) for any_look in seen))


def advice(experiments: int) -> None:
    """What comes of the further rounds that unresolved experiments ask for."""
    print("\n## Unresolved: the further rounds asked for (80 % power), a tenth of the experiments")
    head("noise", "sd", "truth", "trials", "after", "asking", "median asked", "settled by them")
    for level, truth, rounds in ((0.05, 1.0, 12), (0.05, 1.04, 12), (0.05, 1.08, 8), (0.15, EFFECT, 8)):
        for how in STRUCTURES:
            cell = Cell("lognormal", level, truth=truth, **how)
            new, old = cell.draw(seed("advice", cell), max(1, experiments // 10), 60)
            asked, settled = judged.advised(new, old, rounds)
            median, share = (np.median(asked), np.mean(settled)) if asked else (math.nan, math.nan)
            shares = percent(len(asked) / len(new)), f"{median:.0f}", percent(float(share))
            row(cell.kind, percent(level), f"{truth:g}×", cell.structure, f"{rounds} rounds", *shares)


def target(what: str, figure: str, met: bool) -> None:
    """Whether a target was met."""
    row(what, figure, "met" if met else "**missed**")


def targets(counted: list[Tally], equal: list[Tally], against: list[tuple[Cell, int, float, float]]) -> None:
    """Every target with the worst figure behind it."""
    print("\n## Targets")
    head("target", "worst figure", "")
    false = max(t.share("better", "worse") for t in [*counted, *equal] if t.cell.truth == 1)
    target("false better or worse in at most 5 % of each cell", percent(false), false <= WRONG)
    _coverage([*counted, *equal])
    _power(counted)
    for cell, rounds, before, now in against:
        if cell.drifts:
            what = f"three times the power before under {cell.structure}, {cell.kind}, {rounds} rounds"
            times = f"{now / before:.1f} times" if before else "∞"
            target(what, times + (" (more than 100 % asked)" if 3 * before > 1 else ""), now >= 3 * before)
    least = min(t.share("no difference") for t in equal)
    target(f"equal ones end in no difference in at least 80 %, of at most {MORE} rounds", percent(least), least >= 0.8)


def _coverage(counted: list[Tally]) -> None:
    for kind in KINDS:
        off = [t.coverage - t.printed for t in counted if t.cell.kind == kind]
        figures = f"{100 * min(off):+.1f} to {100 * max(off):+.1f} points"
        target(f"coverage within 2 points of what is printed, {kind} noise", figures, max(map(abs, off)) <= OFF)


def _power(counted: list[Tally]) -> None:
    slower = [t for t in counted if (t.cell.level, t.cell.truth) == (LEVELS[1], EFFECT)]
    for structure, least in (("independent", 0.85), ("shared", 0.95)):
        for tallied in (t for t in slower if t.cell.structure == structure):
            what = (
                f"a 20 % slowdown found at 15 % {tallied.cell.kind} noise, {structure}, in at least {100 * least:.0f} %"
            )
            target(what, percent(tallied.share("worse")), tallied.share("worse") >= least)


def where() -> str:
    """The machine, the versions and the date."""
    facts = machine()
    versions = f"{facts['python']}, numpy {np.__version__}, scipy {scipy.__version__}"
    return f"{facts['cpu_count_logical']} cores of {facts['cpu_model']}, {versions}, {datetime.now(UTC):%Y-%m-%d}"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=4000, help="of each cell (default: 4000)")
    experiments, began = parser.parse_args().experiments, time.monotonic()
    print(INTRODUCTION.format(n=experiments, where=where()))
    everything = all_cells(experiments), equal_ones(experiments), against_former(experiments)
    peeking(experiments)
    advice(experiments)
    targets(*everything)
    print(f"\nOne standard error of a share near 5 % is {100 * math.sqrt(0.05 * 0.95 / experiments):.1f} points.")
    print(f"{time.monotonic() - began:.0f} s.", file=sys.stderr)


if __name__ == "__main__":
    main()
