"""Small git repositories with a package that looks like ours, made in a test's folder."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from support.executions import ROOT

from sentinel.lab.experiments.regression import refs

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "sentinelstream-lab"
version = "0.1.0"

[tool.hatch.build.targets.wheel]
packages = ["sentinel"]
"""
MAIN = """import sys

sys.exit(print("{options}") if sys.argv[1:] == ["consume", "--help"] else "no such command")
"""
ALL = "--configuration --transport --key --batch-size --run --health --record --until-empty --max-age --name --deadline"


def git(folder: Path, *words: str) -> str:
    """What git answers there; a failure fails the test."""
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "init.defaultBranch=main"]
    command = ["git", *who, "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.strip()


def repository(folder: Path, options: str = ALL) -> Path:
    """A repository with one commit on main: a package `sentinel` whose `consume --help` lists these options."""
    (folder / "sentinel").mkdir(parents=True)
    (folder / "sentinel" / "__init__.py").write_text("WHO = 1\n")
    (folder / "sentinel" / "__main__.py").write_text(MAIN.format(options=options))
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "constraints.txt").write_text("")
    (folder / ".gitignore").write_text("*.ignored\n")
    git(folder, "init", "--quiet")
    commit(folder, "Begin")
    return folder


def commit(folder: Path, subject: str) -> str:
    """Commit all that is there; returns the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", subject)
    return git(folder, "rev-parse", "HEAD")


def project(folder: Path) -> Path:
    """A repository of its own with this project's code and notebooks as they are now, committed."""
    folder.mkdir(parents=True)
    refs.copy(refs.resolve(refs.WORKING_TREE, ROOT), folder)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / ".gitignore").write_text("/runs\n/profiles\n__pycache__\n")
    git(folder, "init", "--quiet")
    commit(folder, "Begin")
    return folder
