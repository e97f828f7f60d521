"""Refs of the repository: which commit a branch, tag or commit names, and a copy of its code. The one user of git here.

`.` is the working tree as it is, with whatever is not committed.
"""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sentinel.errors import SettingsError

WORKING_TREE = "."
PARTS = ("sentinel", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")
"""What a package is built from; the rest of a checkout does not change what a consumer does."""
SHOWN = 12
"""Digits of a commit's name."""


@dataclass(frozen=True)
class Ref:
    """A commit, or the working tree above one."""

    name: str
    """As it was asked for."""
    repository: Path
    commit: str
    """All 40 digits."""
    subject: str
    changed: tuple[str, ...] = ()
    """Files of `PARTS` that differ from the commit."""

    @property
    def title(self) -> str:
        """`main (0123456789ab)`, `. (0123456789ab, changed)`."""
        return f"{self.name} ({self.commit[:SHOWN]}{', changed' if self.changed else ''})"


def resolve(name: str, folder: Path) -> Ref:
    """What a name stands for.

    Args:
        name: A branch, tag or commit, or `WORKING_TREE`.
        folder: Anywhere in the repository.

    Raises:
        SettingsError: there is no git, no repository, or nothing of that name in it.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top:
        raise SettingsError(f"{folder} is in no git repository: commits are compared, so start it in a clone")
    repository, wanted = Path(top), "HEAD" if name == WORKING_TREE else name
    commit = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}")
    if not commit:
        raise SettingsError(f"{name!r} is no branch, tag or commit of {repository}{_hint(repository, name)}")
    subject = _git(repository, "show", "--no-patch", "--format=%s", commit)
    return Ref(name, repository, commit, subject, _changed(repository) if name == WORKING_TREE else ())


def _hint(repository: Path, name: str) -> str:
    """What may have been meant: clones of a CI often have a branch as the origin's only."""
    there = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"origin/{name}^{{commit}}")
    return f": origin/{name} is there" if there else ": `git fetch` brings those of the origin, `git branch -a` lists"


def _changed(repository: Path) -> tuple[str, ...]:
    listed = _git(repository, "status", "--porcelain", "--untracked-files=all", "--", *PARTS)
    return tuple(line[3:] for line in listed.splitlines())


def copy(ref: Ref, folder: Path) -> None:
    """Put a copy of `PARTS`, as far as the ref has them, into an empty folder.

    Raises:
        SettingsError: the ref holds no package of ours.
    """
    if ref.name == WORKING_TREE:
        _copy_tree(ref.repository, folder)
    else:
        _extract(ref, folder)
    if not (folder / "sentinel" / "__main__.py").exists() or not (folder / "pyproject.toml").exists():
        raise SettingsError(f"{ref.title} has no sentinel/__main__.py and pyproject.toml: there is no consumer in it")


def _copy_tree(repository: Path, folder: Path) -> None:
    """What git tracks, and would track: no caches, nothing that is ignored."""
    listed = _git(repository, "ls-files", "--cached", "--others", "--exclude-standard", "--", *PARTS)
    for name in dict.fromkeys(listed.splitlines()):
        if (source := repository / name).is_file():  # a deleted file is still listed
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _extract(ref: Ref, folder: Path) -> None:
    with tempfile.TemporaryFile() as archive:
        command = ["git", "-C", str(ref.repository), "archive", "--format=tar", ref.commit]
        subprocess.run(command, stdout=archive, stderr=subprocess.PIPE, check=True)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as file:
            members = [member for member in file if Path(member.name).parts[0] in PARTS]
            file.extractall(folder, members=members, filter="data")


def _git(folder: Path, *words: str) -> str:
    """What git answers; empty where it fails."""
    command = ["git", "-c", "core.quotePath=false", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError:
        raise SettingsError("git is not on PATH: it is what brings the code of BASE and HEAD") from None
    return done.stdout.rstrip() if done.returncode == 0 else ""
