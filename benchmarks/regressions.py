"""Whether `sentinel run regression` finds a planted slowdown, and leaves equal versions alone.

    python benchmarks/regressions.py --runs 10 --stack native
    python benchmarks/regressions.py --runs 10 --stack native --write     # docs/measurements-regressions.md

In a clone of this repository a branch gets a slower hot path: after each read the consumer burns a share (a quarter) of
the CPU time that it has used for messages, so that CPU per message is 1.25 times as much by construction. *slower* is
that branch against the commit it stands on, and must be worse in every run; *same* is that commit against itself, and
must be worse in none. The two take turns. Exits 1 where either is broken. Run it on an idle machine; about a minute a
run, with `--latency` two. `NAME=VALUE` behind the options changes the short parameters: of six short rounds one slower
branch in ten stays unknown, of nine with REPEATS=9 MESSAGES=30000 none (docs/measurements-regressions.md).
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import scipy

from sentinel.environment import child_environment
from sentinel.lab import formatting
from sentinel.lab.experiments.regression.record import EXIT_CODES, NO_WORSE, UNKNOWN, WORSE, Record
from sentinel.lab.run import run as records
from sentinel.lab.stack import KINDS
from sentinel.probe import machine

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "measurements-regressions.md"
HOT_PATH = Path("sentinel", "consumer", "consumer.py")
SLOWER, SAME = "slower", "same"
SHORT = {"REPEATS": "6", "RATE": "0", "MEMRAY": "False"}
WITH_LATENCY = {"REPEATS": "7", "RATE": "2000", "DURATION": "1", "MEMRAY": "False"}
PATCH = '''

_take, _begun, _burned = Consumer._take, None, 0.0


def _slowly(self: Consumer, read: Read) -> None:
    """Take a read, then burn {share} of all CPU time that messages took so far, less what was burned."""
    global _begun, _burned
    _begun = time.process_time() if _begun is None else _begun
    _take(self, read)
    due = {share} * (time.process_time() - _begun - _burned) - _burned
    end = time.thread_time() + due
    while time.thread_time() < end:
        pass
    _burned += max(0.0, due)


Consumer._take = _slowly
'''


@dataclass(frozen=True)
class Done:
    """One run of the command."""

    word: str
    """What it found, or `failed`."""
    seconds: float
    ratios: dict[str, float]


class Clone:
    """A clone in which the planted branch is made and the command is run."""

    def __init__(self, folder: Path, share: float) -> None:
        self.folder = folder
        git(folder.parent, "clone", "--quiet", str(ROOT), str(folder))
        base = git(folder, "rev-parse", "HEAD")
        with (folder / HOT_PATH).open("a", encoding="utf-8") as file:
            file.write(PATCH.format(share=share))
        who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
        git(folder, *who, "commit", "--quiet", "--all", "--message", f"Burn {share:g} of the CPU time of each read")
        self.heads = {SLOWER: git(folder, "rev-parse", "HEAD"), SAME: base}
        git(folder, "checkout", "--quiet", base)  # load, bus and lab are those of the base

    def runs(self) -> list[Run]:
        """The runs so far, oldest first."""
        return [run for run in records.find(self.folder) if run.data.notebook == "regression"]

    def run(self, kind: str, given: dict[str, str]) -> Done:
        """Run the command once."""
        words = {"BASE": self.heads[SAME], "HEAD": self.heads[kind], **given}
        command = [str(Path(sys.executable).with_name("sentinel")), "run", "regression"]
        begun = time.monotonic()
        done = subprocess.run(
            [*command, *(f"{name}={value}" for name, value in words.items())],
            cwd=self.folder, env=child_environment(), capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        seconds = time.monotonic() - begun
        runs = self.runs()
        answer = runs[-1].sections(Record).answer if runs else None
        if answer is None or EXIT_CODES[answer.word] != done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return Done("failed", seconds, {})
        ratios = {name: j.ratio.value for name, j in answer.judgements.items() if j.ratio.value is not None}
        return Done(answer.word, seconds, ratios)


def git(folder: Path, *words: str) -> str:
    """What git answers."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()


def measured(clone: Clone, runs: int, kinds: list[str], given: dict[str, str]) -> dict[str, list[Done]]:
    """All runs, the kinds in turn; a line each."""
    done: dict[str, list[Done]] = {kind: [] for kind in kinds}
    for number in range(runs):
        for kind in kinds:
            done[kind].append(latest := clone.run(kind, given))
            ratios = ", ".join(f"{name} {value:.3f}" for name, value in latest.ratios.items())
            print(f"{number + 1}/{runs} {kind}: {latest.word} ({latest.seconds:.0f} s; {ratios})", flush=True)
    return done


def table(done: dict[str, list[Done]]) -> list[str]:
    """What the runs found, in Markdown."""
    heads = ["head is", "runs", WORSE, NO_WORSE, UNKNOWN, "failed", "capacity", "CPU per message", "a run takes"]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for kind, runs in done.items():
        counts = [sum(each.word == word for each in runs) for word in (WORSE, NO_WORSE, UNKNOWN, "failed")]
        ratios = [spread([r.ratios[m] for r in runs if m in r.ratios]) for m in ("capacity", "capacity_cpu_us")]
        seconds = f"{statistics.median(each.seconds for each in runs):.0f} s"
        lines.append(f"| {' | '.join(map(str, [kind, len(runs), *counts, *ratios, seconds]))} |")
    return lines


def spread(values: list[float]) -> str:
    """The median of a ratio over runs, from its smallest to its largest."""
    if not values:
        return formatting.NOTHING
    return f"{statistics.median(values):.2f}× ({min(values):.2f} to {max(values):.2f})"


def page(lines: list[str], command: str, stack: str) -> str:
    """The page of docs/."""
    where = machine()
    return "\n".join([
        "# Measured: regression tests of a planted slowdown, and of equal versions",
        "",
        f"`{command}`, {stack}; {where['cpu_count_logical']} cores of {where['cpu_model']},",
        f"CPython {platform.python_version()}, scipy {scipy.__version__}, {datetime.now(UTC):%Y-%m-%d}.",
        "",
        "*slower*: after each read the consumer burns a share of its CPU time once more, usually a quarter.",
        "*same*: one commit against itself. Ratios are head ÷ base, medians over the runs and the range of them.",
        "",
        *lines,
        "",
    ])  # fmt: skip


def main() -> int:
    """Read the options, plant, run, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="of each kind")
    parser.add_argument("--stack", choices=KINDS, default="auto")
    parser.add_argument("--share", type=float, default=0.25, help="of the CPU time, burned once more")
    parser.add_argument("--only", choices=[SLOWER, SAME], help="one kind alone")
    parser.add_argument("--latency", action="store_true", help="under a load as well: twice as long")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {PAGE.relative_to(ROOT)}")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="in place of the short ones")
    options = parser.parse_args()
    own = dict(word.split("=", 1) for word in options.parameters)
    given = {"STACK": options.stack, **(WITH_LATENCY if options.latency else SHORT), **own}
    with tempfile.TemporaryDirectory() as folder:
        clone = Clone(Path(folder) / "clone", options.share)
        done = measured(clone, options.runs, [options.only] if options.only else [SLOWER, SAME], given)
        label = next((run.data.stack.label for run in clone.runs() if run.data.stack), "no stack")
    lines = table(done)
    print("\n".join(lines))
    if options.write:
        PAGE.write_text(page(lines, f"python benchmarks/regressions.py {' '.join(sys.argv[1:])}", label))
    missed = any(each.word != WORSE for each in done.get(SLOWER, []))
    return int(missed or any(each.word in {WORSE, "failed"} for each in done.get(SAME, [])))


if __name__ == "__main__":
    sys.exit(main())
