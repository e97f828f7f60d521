"""What lingering costs and saves: CPU of a message against stored latency, by rate and linger.

    python benchmarks/linger.py --stack native
    python benchmarks/linger.py --stack native --base c2a139a

Every round offers each rate with each linger once, on both transports, in an order that alternates; with `--base`, also
to the consumer of another commit, installed in an environment of its own. Printed are, by rate and linger, CPU of the
consumer a message and in all, stored p50 and p99, and CPU ÷ that of the first leg (the base, or no linger) with its
interval over the rounds. `--write FILE` appends the table to a page of figures. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from sentinel.lab.experiments.regression import installed
from sentinel.lab.experiments.regression.trials import RefTrial
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.run.trial_record import LATENCY, WARM_UP, Plan
from sentinel.lab.stack import KINDS, choose, start
from sentinel.lab.statistics.rounds import estimates
from sentinel.lab.trials.trial import Trial
from sentinel.settings import LoadSettings, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.run.trial_record import Outcome

Case = tuple[str, float, float | None]
"""Transport, msg/s, seconds of linger; None: the base's consumer, which may know no linger."""
HEADS = ("transport", "msg/s", "linger", "CPU, µs/message", "CPU, % of a core", "p50, ms", "p99, ms", "CPU ÷ first")


def cases(options: argparse.Namespace) -> list[Case]:
    """All that a round holds, in order."""
    legs = [*([None] if options.base else []), *options.lingers]
    return [(t, r, linger) for t in options.transports for r in options.rates for linger in legs]


def order(options: argparse.Namespace) -> Iterator[Case]:
    """All rounds, every other one backwards."""
    for number in range(options.rounds):
        yield from cases(options) if number % 2 == 0 else reversed(cases(options))


def measured(
    options: argparse.Namespace, stack: Any, folder: Path, supervisor: Supervisor
) -> dict[Case, list[Outcome]]:
    """The outcomes of every case, one a round."""
    outcomes: dict[Case, list[Outcome]] = {case: [] for case in cases(options)}
    base = installed.install(options.base, Path(), weighed=False, note=print) if options.base else None
    trials = tqdm(list(order(options)), unit="trial", mininterval=5)
    for number, case in enumerate(trials):
        transport, rate, linger = case
        load = LoadSettings(transport, rate=rate, duration=options.duration + WARM_UP)
        plan = Plan(number, LATENCY, "optimised", "optimised", load, linger=linger)
        given = (plan, stack, folder / str(number), supervisor, f"linger.{number}")
        of_base = base is not None and linger is None
        trial = RefTrial(base, *given, check=_unchecked) if of_base else Trial(*given, check=_unchecked)
        outcome = trial.run()
        if outcome.problems:
            sys.exit(f"{transport} at {rate:,.0f} msg/s, linger {linger} s: {outcome.problems[0]}")
        outcomes[case].append(outcome)
    return outcomes


def _unchecked() -> None:
    """Nothing looks on beside these trials."""


def rows(outcomes: dict[Case, list[Outcome]]) -> list[list[str]]:
    """The table's rows, in the order of the cases."""
    cpu = {case: [o.cpu_us or float("nan") for o in trials] for case, trials in outcomes.items()}
    lines = []
    for (transport, rate, linger), trials in outcomes.items():
        first = next(case for case in outcomes if case[:2] == (transport, rate))
        each = statistics.median(cpu[transport, rate, linger])
        stored = [statistics.median(o.latencies["stored"][p] for o in trials) for p in ("p50", "p99")]
        against = "" if first[2] == linger else _ratio(cpu[transport, rate, linger], cpu[first])
        name = "base" if linger is None else f"{1000 * linger:g} ms"
        texts = [name, f"{each:.2f}", f"{each * rate / 1e4:.1f}", *(f"{ms:.1f}" for ms in stored)]
        lines.append([transport, f"{rate:,.0f}", *texts, against])
    return lines


def _ratio(new: list[float], old: list[float]) -> str:
    value = estimates.compare(new, old)
    return f"{value.ratio:.2f} [{value.low:.2f}, {value.high:.2f}]"


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]


def _seconds(word: str) -> float:
    return 0.0 if word == "0" else parse_duration(word)


def main() -> int:
    """Read the options, start a stack, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--base", help="a commit whose consumer is measured as well")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--rates", type=_numbers, default=[1000.0, 5000.0, 25000.0, 100000.0, 200000.0], help="msg/s")
    parser.add_argument(
        "--lingers", type=lambda text: [_seconds(word) for word in text.split(",")], default=[0.0, 0.005]
    )
    parser.add_argument("--transports", type=lambda text: text.split(","), default=["pubsub", "stream"])
    parser.add_argument("--duration", type=float, default=3.0, help="seconds that are measured")
    parser.add_argument("--write", type=Path, help="append the table to this file")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor() as supervisor,
        start(choose(options.stack)[0], Path(folder), supervisor) as stack,
    ):
        lines = [list(HEADS), ["---", *["---:"] * (len(HEADS) - 1)]]
        lines += rows(measured(options, stack, Path(folder), supervisor))
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(text)
    if options.write:
        with options.write.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
