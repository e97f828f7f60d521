"""How much steadier a ratio is where both consumers run at the same time: python benchmarks/duet.py --stack native.

Two comparisons under one paced load: `optimised` with itself, where the truth is 1, and with the standard library's
JSON decoder, where it is not. Each round measures both sides one after the other and at the same time, in turns, so
that a drift of the machine meets both ways alike. Printed for every measure: the ratio with its interval either way,
the standard error of its logarithm, and the gain: by what factor the duet's is smaller. A duet that saturates the
machine does not count, and is counted. Some 5 minutes with the defaults; run it on an idle machine.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.run.trial_record import LATENCY, WARM_UP, Outcome, Plan
from sentinel.lab.stack import KINDS, choose, start
from sentinel.lab.statistics.rounds.estimates import PAIRED, Estimate, compare
from sentinel.lab.statistics.rounds.sides import side
from sentinel.lab.trials.duets import rules
from sentinel.lab.trials.duets.duet import Duet
from sentinel.lab.trials.trial import Trial
from sentinel.probe import machine
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OLD = "old"
COMPARISONS = {"itself": "optimised", "json.loads": "optimised,decode=json.loads"}
"""The new side of each, by what `optimised` is compared with."""
MEASURES = ("cpu_us", "internal_p50", "e2e_p50", "e2e_p99", "stored_p50", "stored_p99")
IN_TURN, TOGETHER = "in turn", "at once"
WAYS = (IN_TURN, TOGETHER)
PAGE = Path(__file__).parents[1] / "docs" / "measurements-duet.md"
INTRODUCTION = """# Measured: duets

`{command}` on {where}.
{stack}.

`optimised` is compared with itself and with the standard library's JSON decoder, {rounds} rounds each, at {rate:,.0f}
msg/s for {seconds:g} s after a warm-up. *in turn*: one trial after the other; *at once*: both at the same time, on
streams of their own. Ratios are new ÷ old over paired rounds; *error*: standard error of the ratio's logarithm; *gain*:
by what factor that of a duet is smaller."""


class Bench:
    """Carries out rounds on one stack, and keeps the outcomes of each comparison by way."""

    def __init__(self, stack: Any, folder: Path, supervisor: Supervisor, load: LoadSettings) -> None:
        self._given = stack, folder, supervisor
        self._load = load
        self._number = 0
        self.outcomes: dict[tuple[str, str], list[Outcome]] = {(c, way): [] for c in COMPARISONS for way in WAYS}
        self.saturated: list[str] = []
        """Why, of each duet that does not count."""

    def round(self, number: int) -> None:
        """Every comparison in both ways; which way comes first takes turns."""
        for comparison in COMPARISONS:
            for way in WAYS if number % 2 == 0 else reversed(WAYS):
                self.outcomes[comparison, way] += self._compared(comparison, way, number)

    def _compared(self, comparison: str, way: str, number: int) -> list[Outcome]:
        # Each way and comparison starts with either side equally often, whichever way the round begins with.
        backwards = rules.backwards(number // 2)
        trials = [self._trial(OLD, "optimised", number), self._trial(comparison, COMPARISONS[comparison], number)]
        if way == TOGETHER:
            outcomes = Duet(*trials, backwards=backwards).run()
        else:
            outcomes = [trial.run() for trial in (reversed(trials) if backwards else trials)]
        for outcome in outcomes:
            told = outcome.problems or outcome.unsustained or ["counts"]
            print(f"round {number + 1}, {comparison}, {way}: {outcome.plan.label}: {told[0]}", file=sys.stderr)
        return self.counting(outcomes) if way == TOGETHER else outcomes

    def counting(self, outcomes: list[Outcome]) -> list[Outcome]:
        """The legs of a duet, unless it saturated the machine."""
        if why := rules.saturated(outcomes):
            self.saturated.append(why)
            return []
        return outcomes

    def _trial(self, label: str, configuration: str, number: int) -> Trial:
        stack, folder, supervisor = self._given
        self._number += 1
        plan = Plan(self._number, LATENCY, label, configuration, self._load, repeat=number)
        return Trial(plan, stack, folder / str(self._number), supervisor, "duet")

    def busy(self) -> list[float]:
        """The machine's CPU time that was not idle, in percent of each duet that counts."""
        duets = [outcome for (_, way), kept in self.outcomes.items() if way == TOGETHER for outcome in kept]
        return [outcome.beside["busy"] for outcome in duets if outcome.valid and not outcome.beside["place"]]


def estimates(outcomes: Sequence[Outcome], comparison: str) -> dict[str, Estimate]:
    """new ÷ old by measure, over the rounds in which both sides count."""
    new, old = side(comparison, outcomes), side(OLD, outcomes)
    return {m: compare(new[m], old[m], method=PAIRED) for m in MEASURES if m in new and m in old}


def table(by_way: Mapping[str, Mapping[str, Estimate]]) -> Iterator[str]:
    """Both ways beside each other, as rows of Markdown."""
    yield f"| measure | {' | '.join(f'{way} | interval | error' for way in WAYS)} | gain |"
    yield f"|{' --- |' * (3 * len(WAYS) + 2)}"
    for measure in MEASURES:
        known = [by_way[way].get(measure) for way in WAYS]
        cells = [cell for estimate in known for cell in row(estimate)]
        yield f"| {measure} | {' | '.join(cells)} | {gain(*known)} |"


def row(estimate: Estimate | None) -> list[str]:
    """Ratio, interval with its coverage and rounds, and standard error."""
    if estimate is None or not estimate.rounds:
        return ["–"] * 3
    interval = f"{estimate.low:.3f} to {estimate.high:.3f} ({100 * estimate.coverage:.0f} % of {estimate.rounds})"
    error = "–" if math.isnan(estimate.standard_error) else f"{100 * estimate.standard_error:.1f} %"
    return [f"{estimate.ratio:.3f}", interval, error]


def gain(in_turn: Estimate | None, together: Estimate | None) -> str:
    """By what factor the standard error of a duet is smaller."""
    if in_turn is None or together is None or not together.standard_error > 0 or math.isnan(in_turn.standard_error):
        return "–"
    return f"{in_turn.standard_error / together.standard_error:.1f}"


def page(bench: Bench, introduction: str, rounds: int) -> Iterator[str]:
    """Lines of Markdown: both comparisons, and how the machine bore them."""
    yield introduction
    for comparison, configuration in COMPARISONS.items():
        yield f"\n## {configuration} ÷ optimised\n"
        yield from table({way: estimates(bench.outcomes[comparison, way], comparison) for way in WAYS})
    busy = bench.busy()
    yield "\n## The machine\n"
    yield f"{len(busy)} of {len(COMPARISONS) * rounds} duets count, {len(bench.saturated)} saturated the machine."
    if busy:
        yield f"Its CPUs were busy for {min(busy):.0f} to {max(busy):.0f} % of the time in duets that count."
    yield from (f"- {why}" for why in dict.fromkeys(bench.saturated))


def where() -> str:
    """The machine and the date."""
    facts = machine()
    cores, model = facts["cpu_count_logical"], facts["cpu_model"]
    return f"{cores} cores of {model}, {facts['python']}, {datetime.now(UTC):%Y-%m-%d}"


def measured(options: argparse.Namespace) -> str:
    """Carry out all rounds on a stack of their own; returns the page."""
    load = replace(LoadSettings(), rate=options.rate, duration=options.duration + WARM_UP)
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor() as supervisor,
        start(choose(options.stack)[0], Path(folder), supervisor) as stack,
    ):
        bench = Bench(stack, Path(folder), supervisor, load)
        for number in range(options.rounds):
            bench.round(number)
        command = " ".join(["python benchmarks/duet.py", *sys.argv[1:]])
        told = {"rounds": options.rounds, "rate": options.rate, "seconds": options.duration}
        introduction = INTRODUCTION.format(command=command, where=where(), stack=stack.label.rstrip("."), **told)
        return "\n".join(page(bench, introduction, options.rounds)) + "\n"


def main() -> int:
    """Read the options, measure, print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--rounds", type=int, default=8, help="of each comparison and way (default: 8)")
    parser.add_argument("--rate", type=float, default=5000.0, help="msg/s of each load (default: 5000)")
    parser.add_argument("--duration", type=float, default=2.0, help="measured seconds of each trial (default: 2)")
    parser.add_argument("--write", action="store_true", help=f"also write docs/{PAGE.name}")
    options = parser.parse_args()
    text = measured(options)
    print(text, end="")
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
