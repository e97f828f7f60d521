"""What a field costs: CPU of a message in the consumer against the numbers that it holds.

    python benchmarks/fields.py --stack native
    python benchmarks/fields.py --stack native --fields 2,50 --tags 4 --configuration baseline

Every round drains one full stream of each number of fields, in an order that alternates. Printed are CPU of a message
and ÷ that of the first (2 fields, as the original has), with its interval over the rounds; CPU of a field, which is
that of a message by its fields, ÷ CPU of a message of the first; and the slope: what each field more than the first's
adds. `--write FILE` appends the table to a page of figures, `--figure FILE` draws it. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from sentinel.lab.plots.canvas import Picture, grid, logarithmic, styled
from sentinel.lab.presentation.style import KNOWN
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.run.trial_record import CAPACITY, Plan
from sentinel.lab.stack import KINDS, choose, start
from sentinel.lab.statistics.rounds import estimates
from sentinel.lab.trials.trial import Trial
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.run.trial_record import Outcome

LOOK = KNOWN["optimised"]
NUMBERS = 8_000_000
"""Numbers in a stream at most: of 200 a message, 40,000 messages, 160 MB in Redis."""
HEADS = (
    "fields",
    "bytes",
    "messages",
    "msg/s",
    "CPU, µs/message",
    "÷ the first",
    "CPU, µs/field",
    "÷ the first's message",
    "slope, µs/field",
    "÷ the first's message",
)


def order(options: argparse.Namespace) -> Iterator[int]:
    """The fields of every trial: all of them a round, every other one backwards."""
    for number in range(options.rounds):
        yield from options.fields if number % 2 == 0 else reversed(options.fields)


def measured(options: argparse.Namespace, stack: Any, folder: Path, supervisor: Supervisor) -> dict[int, list[Outcome]]:
    """The outcomes by number of fields, one a round."""
    outcomes: dict[int, list[Outcome]] = {fields: [] for fields in options.fields}
    for number, fields in enumerate(tqdm(list(order(options)), unit="trial", mininterval=5)):
        count = max(1000, min(options.messages, NUMBERS // fields))
        load = LoadSettings("stream", count=count, fields=fields, tags=options.tags)
        plan = Plan(number, CAPACITY, options.configuration, options.configuration, load)
        trial = Trial(plan, stack, folder / str(number), supervisor, f"fields.{number}", check=lambda: None)
        outcome = trial.run()
        if outcome.problems:
            sys.exit(f"{fields} fields: {outcome.problems[0]}")
        outcomes[fields].append(outcome)
    return outcomes


def rows(outcomes: dict[int, list[Outcome]]) -> list[list[str]]:
    """The table's rows, in the order of the fields."""
    cpu = {fields: [o.cpu_us or float("nan") for o in trials] for fields, trials in outcomes.items()}
    first, lines = next(iter(cpu)), []
    for fields, trials in outcomes.items():
        size = statistics.median(o.message_bytes or 0 for o in trials)
        rate = statistics.median(o.throughput for o in trials)
        each = [value / fields for value in cpu[fields]]
        texts = [f"{fields}", f"{size:.0f}", f"{trials[0].plan.load.count:,}", f"{rate:,.0f}"]
        texts += [f"{statistics.median(cpu[fields]):.2f}", "" if fields == first else ratio(cpu[fields], cpu[first])]
        texts += [f"{statistics.median(each):.3f}", ratio(each, cpu[first])]
        lines.append([*texts, *_slope(cpu[fields], cpu[first], fields - first)])
    return lines


def _slope(cpu: list[float], first: list[float], more: int) -> list[str]:
    if not more:
        return ["", ""]
    slopes = [(new - old) / more for new, old in zip(cpu, first, strict=True)]
    return [f"{statistics.median(slopes):.3f}", ratio(slopes, first) if min(slopes) > 0 else "not above 0"]


def ratio(new: list[float], old: list[float]) -> str:
    """A quotient with its interval over the rounds, where there are enough of them."""
    value = estimates.compare(new, old)
    return f"{value.ratio:.3f} [{value.low:.3f}, {value.high:.3f}]"


@styled
def drawn(outcomes: dict[int, list[Outcome]]) -> Picture:
    """CPU of a message over its fields, a dot a trial, and CPU of a field."""
    figure, axes = grid(1, 2, 3.4)
    heads = "CPU, µs a message", "CPU, µs a field"
    for axis, head, fields_of in zip(axes[0], heads, (lambda _: 1, lambda fields: fields), strict=True):
        points = [(n, o.cpu_us / fields_of(n)) for n, trials in outcomes.items() for o in trials if o.cpu_us]
        middles = [statistics.median(value for m, value in points if m == n) for n in outcomes]
        axis.plot(*zip(*points, strict=True), linestyle="none", color=LOOK.colour, alpha=0.5, markersize=4, marker="o")
        axis.plot(list(outcomes), middles, color=LOOK.colour, linewidth=1.5)
        logarithmic(axis, "x", 0.8 * min(outcomes), 1.25 * max(outcomes))
        axis.set(title=head, xlabel="numbers in a message")
        axis.set_ylim(bottom=0)
    return Picture(figure, "CPU of a message, and of a field, over the numbers in a message.")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def main() -> int:
    """Read the options, start a stack, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--fields", type=_numbers, default=[2, 10, 50, 200], help="numbers in a message")
    parser.add_argument("--tags", type=int, default=0, help="tags in a message")
    parser.add_argument("--messages", type=int, default=300_000, help=f"of a stream, which holds {NUMBERS:,} numbers")
    parser.add_argument("--configuration", default="optimised")
    parser.add_argument("--figure", type=Path, help="write an SVG of it here")
    parser.add_argument("--write", type=Path, help="append the table to this file")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Supervisor() as supervisor,
        start(choose(options.stack)[0], Path(folder), supervisor) as stack,
    ):
        lines = [list(HEADS), ["---:"] * len(HEADS)]
        outcomes = measured(options, stack, Path(folder), supervisor)
        lines += rows(outcomes)
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(text)
    if options.figure:
        options.figure.write_bytes(drawn(outcomes).render()[1])
    if options.write:
        with options.write.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
