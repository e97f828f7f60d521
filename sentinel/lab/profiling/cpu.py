"""py-spy around the consumer: the command that samples it, whether that can be done here, and what becomes of it.

py-spy starts the program that it samples, since the right to look into a child needs no privilege on Linux (macOS asks
for root). Its own end says nothing of the program's: the consumer's ledger does.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import TrialError
from sentinel.lab.profiling import flamegraph, speedscope
from sentinel.lab.profiling import stacks as flames

if TYPE_CHECKING:
    from sentinel.lab.run.trial_record import Profile

RATE = 200
"""Samples per second: 600 in three seconds, at a few percent of the consumer's speed."""
FOLDED = "cpu.folded"
"""In a trial's folder, until `keep` moves it."""
GRAPH, STACKS, SPEEDSCOPE = "flame graph", "folded stacks", "for speedscope"
TRY = "import time; time.sleep(1)"
"""A program that lives long enough for py-spy to find it."""
TRY_LIMIT = 30.0
"""Seconds."""


def program() -> str:
    """py-spy beside this interpreter, else the one on PATH."""
    beside = Path(sysconfig.get_path("scripts"), "py-spy")
    return str(beside) if beside.exists() else beside.name


def sampling(folded: Path) -> list[str]:
    """What stands before a command that is to be sampled.

    Args:
        folded: Where the folded stacks are, once it has ended.

    Returns:
        The beginning of a command line.
    """
    options = {"--format": "raw", "--rate": str(RATE), "--output": str(folded)}
    # By a function's first line: stacks that differ by the line only are one.
    return [program(), "record", "--function", *(word for pair in options.items() for word in pair), "--"]


def obstacle() -> str:
    """Why nothing can be sampled here. Takes about a second: it samples a small program.

    Returns:
        The reason in py-spy's words; empty where sampling works.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [*sampling(Path(folder, FOLDED)), sys.executable, "-c", TRY]
        try:
            done = subprocess.run(
                command, capture_output=True, encoding="utf-8", errors="replace", timeout=TRY_LIMIT, check=False
            )
        except FileNotFoundError:
            return "py-spy is not installed: `pip install py-spy`, or `make` for everything"
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"py-spy cannot run: {error}"
    message = " ".join((done.stderr or done.stdout).split())[-500:]
    return f"py-spy cannot sample here: {message or f'exit code {done.returncode}'}" if done.returncode else ""


def names(label: str) -> dict[str, str]:
    """The files that are kept of a configuration's profile.

    Args:
        label: The configuration's label.

    Returns:
        File names by what they hold: the flame graph, the folded stacks, and the same for speedscope.
    """
    return {GRAPH: f"{label}-cpu.svg", STACKS: f"{label}-cpu.folded", SPEEDSCOPE: f"{label}-cpu.speedscope.json"}


def speedscope_of(label: str, folded: str) -> str:
    """Folded stacks as speedscope opens them.

    Args:
        label: The configuration's label.
        folded: All stacks of a trial; those at work on messages are kept.

    Raises:
        TrialError: it is no text of folded stacks.
    """
    return speedscope.text(flames.working(flames.parsed(folded)), label, RATE)


def keep(trial: Path, folder: Path, label: str) -> Profile:
    """Move a trial's folded stacks to where profiles are kept; flame graph and speedscope's file come beside them.

    Args:
        trial: The trial's folder.
        folder: The run's folder of profiles, made if it is not there.
        label: The configuration's label, of which the files' names are made.

    Returns:
        The summary of the stacks.

    Raises:
        TrialError: there are no stacks, no sample met the consumer at work, or the folder cannot be written.
    """
    graph, stacks, scope = (folder / name for name in names(label).values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (trial / FOLDED).rename(stacks)
        text = stacks.read_text(encoding="utf-8")
        folded = flames.parsed(text)
        summary = flames.summary(folded)
        title = f"{label}: where its CPU time goes ({summary['samples']:,} samples of py-spy, {RATE} a second)"
        graph.write_text(flamegraph.svg(flames.working(folded), title), encoding="utf-8")
        scope.write_text(speedscope_of(label, text), encoding="utf-8")
    except OSError as error:
        raise TrialError(f"the samples of {trial} cannot be kept in {folder}: {error}") from error
    return summary
