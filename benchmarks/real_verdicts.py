"""How often the lab's verdicts are right on this machine, where the truth is planted.

    python benchmarks/real_verdicts.py --runs 20 --rounds 8 --stack native --write    # half an hour

Each run is a short benchmark on a stack of its own: capacities of `same`, `costlier`, `slowed` (planted/planted.py says
what they are), optimised, and optimised again, interleaved. The lab's own verdicts are asked: on optimised against
`same`, better and worse are false; on `costlier` and `slowed` against optimised, worse is right, of CPU per message and
of capacity. Prints a page of Markdown; --write makes it docs/measurements-real-verdicts.md. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm
from verdicts import where

from sentinel.lab import formatting
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import choose, start
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.rounds.decision import (
    BETTER,
    NO_DIFFERENCE,
    UNRESOLVED,
    UNSTABLE,
    WORSE,
    Decision,
    decide,
)
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.lab.statistics.rounds.sides import side
from sentinel.lab.trials import plans
from sentinel.lab.trials.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats

PLANTED = Path(__file__).with_name("planted")
PAGE = Path(__file__).parents[1] / "docs" / "measurements-real-verdicts.md"
SAME, COSTLIER, SLOWED, OPTIMISED = "same", "costlier", "slowed", "optimised"
LEGS = 5
"""Trials a round: optimised has two."""
MEASURES = {"capacity": ("capacity", True), "capacity_cpu_us": ("CPU per message", False)}
"""What is judged: its title, and whether more is better."""
PAIRS = {"equal": (OPTIMISED, SAME), COSTLIER: (COSTLIER, OPTIMISED), SLOWED: (SLOWED, OPTIMISED)}
"""Which is divided by which."""
PLANTED_IN = {COSTLIER: "capacity_cpu_us", SLOWED: "capacity"}
"""The measure that is planted to be worse by 20 %; the other changes as it may."""
WORDS = (BETTER, WORSE, NO_DIFFERENCE, UNSTABLE, UNRESOLVED)
FOUND = 0.9
"""Share of the runs in which the slowdown must be found."""

INTRODUCTION = """# Measured: verdicts on a real machine, where the truth is planted

`{command}` makes this page anew.
{where}; it took {minutes:.0f} minutes.
On the {stack}

Short benchmarks: {runs}, each of {rounds} rounds on a stack of its own. A round drains a stream of {messages:,}
messages five times, in an order that alternates: by `same`, optimised by another name; by `costlier`, with a busy loop
that makes the CPU per message 1.25×; by `slowed`, with a busy loop of a quarter of all time that passes besides, which
makes the capacity 0.8× where nothing goes on meanwhile, and takes no core from bus and store; by
optimised; and by optimised again, its A/A control. {invalid} of {trials} trials were invalid."""


@dataclass
class Run:
    """What one benchmark came to."""

    decisions: dict[tuple[str, str], Decision]
    """By pair and measure."""
    outcomes: list[Outcome]
    stack: str


def measured(p: Benchmark, done: Callable[[], object]) -> Run:
    """One benchmark, on a stack of its own; `done` is called after each trial."""
    outcomes = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        Supervisor() as supervisor,
        start(choose(p.STACK)[0], Path(temporary), supervisor) as stack,
    ):
        for number, plan in enumerate(plans.capacity(p)):
            given = replace(plan, number=number), stack, Path(temporary) / "trials" / str(number), supervisor
            outcomes.append(Trial(*given, f"verdicts.{p.SEED}").run())
            done()
        return Run(decisions(outcomes), outcomes, stack.label)


def decisions(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], Decision]:
    """The lab's verdicts on both pairs, by pair and measure."""
    sides = {name: side(name, outcomes) for name in (SAME, COSTLIER, SLOWED, OPTIMISED)}
    if not all(sides.values()):
        sys.exit(f"a configuration has no valid trial: {next(o.problems[0] for o in outcomes if o.problems)}")
    return {
        (pair, measure): _decided(sides[new][measure], sides[old][measure], sides[OPTIMISED][measure], higher=higher)
        for pair, (new, old) in PAIRS.items()
        for measure, (_, higher) in MEASURES.items()
    }


def _decided(new: Floats, old: Floats, control: Floats, *, higher: bool) -> Decision:
    estimate = compare.estimated(new, old)
    return decide(estimate, floor(control, estimate.method, estimate.legs), higher_is_better=higher)


def page(runs: Sequence[Run], options: argparse.Namespace, seconds: float) -> str:
    """The page of Markdown, of runs that took so long."""
    trials = [outcome for run in runs for outcome in run.outcomes]
    command = f"python benchmarks/real_verdicts.py --runs {options.runs} --rounds {options.rounds}"
    lines = [
        INTRODUCTION.format(
            command=f"{command} --stack {options.stack} --messages {options.messages} --write",
            where=where(),
            minutes=seconds / 60,
            stack=runs[0].stack,
            runs=len(runs),
            rounds=options.rounds,
            messages=trials[0].plan.load.count,
            invalid=sum(not outcome.valid for outcome in trials),
            trials=len(trials),
        )
    ]
    lines += ["", "## What came out", "", *counts(runs)]
    for pair, (new, old) in PAIRS.items():
        lines += ["", f"## {new} ÷ {old}, run by run", "", *each(runs, pair)]
    return "\n".join([*lines, ""])


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def counts(runs: Sequence[Run]) -> list[str]:
    """How often each word was said, the ratios' median, the floors', and whether that is what was asked for."""
    heads = ("pair", "measure", *WORDS, "median ratio", "median noise floor", "asked for", "")
    lines = [_row(*heads), _row(*("---" for _ in heads))]
    for pair, (new, old) in PAIRS.items():
        for measure, (title, _) in MEASURES.items():
            every = [run.decisions[pair, measure] for run in runs]
            words = Counter(decision.word for decision in every)
            ratio = statistics.median(decision.estimate.ratio for decision in every)
            beyond = statistics.median(decision.floor for decision in every)
            often = [words[word] for word in WORDS]
            figures = formatting.times(ratio), formatting.times(beyond)
            lines.append(_row(f"{new} ÷ {old}", title, *often, *figures, *_asked(pair, measure, words)))
    return lines


def _asked(pair: str, measure: str, words: Counter[str]) -> tuple[str, str]:
    total = words.total()
    if pair in PLANTED_IN:
        if measure != PLANTED_IN[pair]:
            return formatting.NOTHING, ""
        least = round(FOUND * total)
        return f"worse in {least} of {total}", "met" if words[WORSE] >= least else "**missed**"
    false = words[BETTER] + words[WORSE]
    return "no better or worse", "met" if not false else f"{false} of {total} false"


def each(runs: Sequence[Run], pair: str) -> list[str]:
    """Ratio, interval and word of every run."""
    heads = ("run", *(head for title, _ in MEASURES.values() for head in (title, "interval", "says")))
    lines = [_row(*heads), _row(*("---" for _ in heads))]
    for number, run in enumerate(runs, 1):
        cells: list[str] = []
        for measure in MEASURES:
            decision = run.decisions[pair, measure]
            cells += [told(decision), decision.estimate.note.partition(" interval")[0], decision.word]
        lines.append(_row(number, *cells))
    return lines


def told(decision: Decision) -> str:
    """`1.25× [1.21, 1.30]`."""
    return formatting.ranged(compare.ratio_of(decision.estimate))


def summed(run: Run) -> str:
    """Every verdict of a run in a line."""
    return "; ".join(f"{pair}, {MEASURES[m][0]}: {told(d)} {d.word}" for (pair, m), d in run.decisions.items())


def found_on_the_path() -> None:
    """Begin anew with the planted package on PYTHONPATH, where it is not: the trials' consumers look for it there."""
    if str(PLANTED) not in sys.path:
        path = os.pathsep.join(filter(None, (str(PLANTED), os.environ.get("PYTHONPATH", ""))))
        environment = os.environ | {"PYTHONPATH": path}
        os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - the same program, by no shell


def main() -> None:
    """Read the options, measure, print the page or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="benchmarks (default: 20)")
    parser.add_argument("--rounds", type=int, default=8, help="of each (default: 8)")
    parser.add_argument("--stack", choices=("native", "embedded", "docker"), default="native", help="(default: native)")
    parser.add_argument("--messages", type=int, default=5000, help="a tenth of those of a trial (default: 5,000)")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} in place of printing it")
    options = parser.parse_args()
    p = Benchmark(
        CONFIGURATIONS=f"{SAME},{COSTLIER},{SLOWED},{OPTIMISED}",
        REPEATS=options.rounds,
        MESSAGES=options.messages,
        STACK=options.stack,
        MEMRAY=False,
        PYSPY=False,
    )
    runs, began = [], time.monotonic()
    with tqdm(total=options.runs * options.rounds * LEGS, disable=None, unit="trial") as bar:
        for number in range(1, options.runs + 1):
            bar.set_description_str(f"run {number} of {options.runs}")
            runs.append(measured(replace(p, SEED=number), bar.update))
            bar.write(f"run {number}: {summed(runs[-1])}", file=sys.stderr)
    text = page(runs, options, time.monotonic() - began)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
        print(f"written: {PAGE}")
    else:
        print(text, end="")


if __name__ == "__main__":
    found_on_the_path()
    main()
