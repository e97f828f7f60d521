"""What the tap costs, and whether it sees the same latencies as our own consumer.

    python benchmarks/tap.py cost --stack native --repeats 10 --messages 1000000 --write
    python benchmarks/tap.py agreement --stack native --repeats 5 --rate 25000 --duration 20 --write

`cost` drains full streams with and without a tap in turn (A B, B A …; A twice: the A/A control) and prints the median
ratio of capacities with its interval; the tap must cost less than 10 %. `agreement` offers a paced load through the tap
and prints p50 and p99 of stored latency as the tap and as the consumer saw them: they must agree within 2 % or 0.1 ms.
Exits 1 where a bound is broken. `--write` also puts the results into docs/measurements-tap.md, in the place of earlier
ones, with command, stack, machine and date. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sentinel.lab import formatting
from sentinel.lab.contenders.tapped import TappedTrial
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, WARM_UP, Plan
from sentinel.lab.stack import KINDS, choose, start
from sentinel.lab.statistics import compare
from sentinel.lab.trials.trial import Trial
from sentinel.probe import machine
from sentinel.settings import LoadSettings

MOST_COST = 0.10
"""Share of optimised's capacity that the tap may cost."""
SHARE, LEAST = 0.02, 0.1
"""By how much two percentiles may differ: a share, or ms."""
NAMES = {"plain": Trial, "tapped": TappedTrial, "again": Trial}
PAGE = Path(__file__).parents[1] / "docs" / "measurements-tap.md"
TITLE = "# Measured: the tap\n\n`benchmarks/tap.py --write` makes each part of this page anew, on an idle machine.\n"


class Bench:
    """Carries out trials on one stack."""

    def __init__(self, stack: Any, folder: Path, supervisor: Supervisor) -> None:
        self._given = stack, folder, supervisor
        self._number = 0

    def trial(self, kind: type[Trial], plan: str, load: LoadSettings) -> Trial:
        """A trial of optimised, carried out."""
        stack, folder, supervisor = self._given
        self._number += 1
        told = Plan(self._number, plan, "optimised", "optimised", load)
        trial = kind(told, stack, folder / str(self._number), supervisor, f"tap.{self._number}", check=lambda: None)
        if (outcome := trial.run()).problems:
            sys.exit(f"trial {self._number} is invalid: {outcome.problems[0]}")
        return trial


def drained(trial: Trial) -> float:
    """Messages a second by the consumer's own record, which is there with and without a tap."""
    told = series.ledger(trial.folder / series.CONSUMER)
    return float(told["ledger"]["written"] * 1e9 / (told["last_stored"] - told["first_read"]))


def cost(bench: Bench, options: argparse.Namespace) -> tuple[list[str], bool]:
    """The ratio of capacities, with and without a tap: lines, and whether the bound is kept."""
    load = LoadSettings(count=options.messages)
    rates: dict[str, list[float]] = {name: [] for name in NAMES}
    for repeat in range(options.repeats):
        for name in NAMES if repeat % 2 == 0 else reversed(NAMES):
            rates[name].append(drained(bench.trial(NAMES[name], CAPACITY, load)))
            print(f"{name:7} {rates[name][-1]:12,.0f} msg/s", flush=True)
    control = compare.ratio_of(compare.estimated(rates["again"], rates["plain"]))
    ratio = compare.ratio_of(compare.estimated(rates["tapped"], rates["plain"]))
    share = ratio.value or 0.0
    return [
        *(f"{name:7} median {statistics.median(values):12,.0f} msg/s" for name, values in rates.items()),
        f"with the tap / without: {formatting.ratio(ratio)}; A/A control: {formatting.ratio(control)}",
        f"the tap costs {100 * (1 - share):.1f} % of optimised's capacity (at most {100 * MOST_COST:.0f} %)",
    ], share >= 1 - MOST_COST


def agreement(bench: Bench, options: argparse.Namespace) -> tuple[list[str], bool]:
    """Stored p50 and p99 as tap and consumer saw them: lines, and whether they agree."""
    load = LoadSettings(rate=options.rate, duration=options.duration + WARM_UP)
    latencies: dict[str, list[tuple[float, float]]] = {"p50": [], "p99": []}
    for _ in range(options.repeats):
        trial = bench.trial(TappedTrial, LATENCY, load)
        since = trial.outcome.started + int(WARM_UP * 1e9)
        own, seen = (
            series.percentiles(series.histogram(series.intervals(trial.folder / who), "stored", since))
            for who in (series.CONSUMER, series.TAP)
        )
        for name, pairs in latencies.items():
            pairs.append((own[name], seen[name]))
            print(f"{name}: consumer {own[name]:.3f} ms, tap {seen[name]:.3f} ms", flush=True)
    medians = {
        name: [statistics.median(side) for side in zip(*pairs, strict=True)] for name, pairs in latencies.items()
    }
    apart = {name: abs(seen - own) for name, (own, seen) in medians.items()}
    return [
        f"{name}: median consumer {own:.3f} ms, tap {seen:.3f} ms, {apart[name]:.3f} ms apart"
        for name, (own, seen) in medians.items()
    ], not any(apart[name] > max(SHARE * own, LEAST) for name, (own, _) in medians.items())


def part(what: str, words: list[str], label: str, lines: list[str]) -> str:
    """What the page says of one command: how, where and when it was measured, and what came out.

    Args:
        what: `cost` or `agreement`.
        words: Of the command line, without the program and `--write`.
        label: Of the stack.
        lines: What it printed at its end.
    """
    facts = machine()
    where = f"{facts['cpu_count_logical']} cores of {facts['cpu_model']}, {facts['os']} {facts['kernel']}"
    command = " ".join(["python benchmarks/tap.py", *words])
    told = f"{where}, {facts['python']}, {datetime.now(UTC):%Y-%m-%d}; {label.rstrip('.')}."
    return "\n".join([f"## {what}", "", told, "", "```sh", command, "```", "", "```", *lines, "```", ""])


def written(page: str, what: str, text: str) -> str:
    """The page with this part in the place of the earlier one of its name, or at the end."""
    parts = re.split(r"^(?=## )", page or TITLE, flags=re.MULTILINE)
    kept = [part.rstrip("\n") for part in parts if not part.startswith(f"## {what}\n")]
    return "\n\n".join([*kept, text])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cost", "agreement"])
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--messages", type=int, default=500_000, help="of each drained stream")
    parser.add_argument("--rate", type=float, default=25_000.0, help="msg/s of the paced load")
    parser.add_argument("--duration", type=float, default=10.0, help="seconds of it that are measured")
    parser.add_argument("--write", action="store_true", help=f"put the results into {PAGE.name}")
    return parser.parse_args()


def main() -> int:
    """Read the options, start a stack, measure."""
    options = arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor() as supervisor,
        start(choose(options.stack)[0], Path(folder), supervisor) as stack,
    ):
        print(stack.label)
        measure = {"cost": cost, "agreement": agreement}[options.what]
        lines, is_kept = measure(Bench(stack, Path(folder), supervisor), options)
    print("\n".join(lines))
    if options.write:
        words = [word for word in sys.argv[1:] if word != "--write"]
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(written(page, options.what, part(options.what, words, stack.label, lines)), encoding="utf-8")
    return int(not is_kept)


if __name__ == "__main__":
    sys.exit(main())
