"""Refs as installed packages: each in an environment of its own, made by uv, kept in the cache by what is in it.

Both sides are installed in the same way, from a copy of their code and with their own pins. What is asked of a ref's
consumer is tried before anything is measured: the module that its interpreter imports, and the options that it knows.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.environment import cache_folder, child_environment
from sentinel.errors import SettingsError
from sentinel.lab.experiments.regression import refs
from sentinel.lab.experiments.regression.record import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentinel.lab.experiments.regression.refs import Ref

HASHED = ("sentinel", "pyproject.toml", "constraints.txt")
"""What decides which code runs."""
OPTIONS = (
    "--configuration", "--transport", "--key", "--batch-size", "--run", "--health", "--record", "--until-empty",
)  # fmt: skip
"""What a trial tells `sentinel consume`."""
MEMRAY_CONSUMER = "sentinel.lab.profiling.memray_consumer"
ALONE = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1", "PYTHONHOME": ""}
"""Variables under which an interpreter imports what is installed beside it, and nothing of the current folder."""
LIMIT = 900.0
"""Seconds that one step of an installation may take."""
KEPT = 12
"""Installations in the cache, the latest used ones."""


@dataclass(frozen=True)
class Installed:
    """A ref's package, ready to be run."""

    folder: Path
    side: Side
    """What the record says of it."""

    @property
    def python(self) -> Path:
        """The interpreter that imports it."""
        return self.folder / "env" / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """Variables for that interpreter."""
        return dict(ALONE)


def install(name: str, folder: Path, *, weighed: bool, note: Callable[[str], object]) -> Installed:
    """A ref's package in an environment of its own, made where the cache does not have it.

    Args:
        name: A branch, tag or commit, or `.`.
        folder: Anywhere in the repository.
        weighed: Whether its memory is to be measured, for which memray is installed as well.
        note: Called with what is being done, where that takes long.

    Raises:
        SettingsError: there is no git, no repository, no such ref, no uv; it cannot be installed, or its consumer lacks
            what a trial asks of it. One line, with the log where there is one.
    """
    ref = refs.resolve(name, folder)
    with tempfile.TemporaryDirectory(dir=_cache()) as copied:
        refs.copy(ref, Path(copied))
        place = _cache() / _key(Path(copied))
        with _held(place):
            if not (place / "ready").exists():
                note(f"installing {ref.title} into {place}")
                _make(ref, Path(copied), place)
            (place / "ready").touch()
            why = _without_memray(ref, place) if weighed else ""
        _forget()
    side = Side(ref.name, ref.commit, ref.subject, list(ref.changed), _module(ref, place), place.name, why)
    _require_options(ref, place)
    return Installed(place, side)


def _cache() -> Path:
    folder = cache_folder() / "refs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}; XDG_CACHE_HOME names another place") from None
    return folder


def _key(source: Path) -> str:
    """A name for what is installed: the same code, pins and Python have the same."""
    digest = hashlib.sha256(f"{platform.python_version()} {Path(sys.executable).resolve()}".encode())
    for part in HASHED:
        path = source / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"\0{file.relative_to(source)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:20]


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """One process at a time: another one that wants the same waits, and then has it."""
    with place.with_name(f"{place.name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget() -> None:
    """Remove what has not been used for longest."""
    ready = sorted(_cache().glob("*/ready"), key=lambda path: path.stat().st_mtime)
    for path in ready[:-KEPT]:
        shutil.rmtree(path.parent, ignore_errors=True)


def _make(ref: Ref, copied: Path, place: Path) -> None:
    """Install it; `ready` is written last."""
    shutil.rmtree(place, ignore_errors=True)
    source = place / "source"
    shutil.copytree(copied, source)
    _run(ref, place, [[_uv(), "venv", "--python", sys.executable, str(place / "env")]])
    _add(ref, place, str(source))
    (place / "ready").touch()


def _add(ref: Ref, place: Path, package: str) -> None:
    """Add a package to the environment, with the ref's own pins; what uv's cache has comes from there."""
    pins = ["--constraints", "constraints.txt"] if (place / "source" / "constraints.txt").exists() else []
    into = [_uv(), "pip", "install", "--python", str(place / "env"), "--compile-bytecode", *pins]
    _run(ref, place, [[*into, "--offline", package], [*into, package]])


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    if not (uv := str(beside) if beside.exists() else shutil.which("uv")):
        raise SettingsError(f"uv is neither beside {sys.executable} nor on PATH: pip install uv, or make install")
    return uv


def _run(ref: Ref, place: Path, attempts: Sequence[Sequence[str]]) -> None:
    """Run commands until one succeeds: without the network first, so that what is cached is enough."""
    log = place / "install.log"
    for command in attempts:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n")
            file.flush()
            try:
                done = subprocess.run(
                    command, cwd=place / "source", stdout=file, stderr=file, timeout=LIMIT, check=False,
                    env=child_environment(NO_COLOR=1),
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                file.write(f"still running after {LIMIT:g} s\n")
                continue
        if done.returncode == 0:
            return
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    reasons = [line for line in lines if "error:" in line or "cause:" in line] or lines
    raise SettingsError(f"{ref.title} cannot be installed: {reasons[-1][:300]}; the log is {log}")


# -- what it can do --------------------------------------------------------------------------------------------------


def _asked(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(place / "env" / "bin" / "python"), *words]
    return subprocess.run(
        command, cwd=place, env=child_environment(**ALONE), capture_output=True, encoding="utf-8", errors="replace",
        timeout=60, check=False,
    )  # fmt: skip


def _module(ref: Ref, place: Path) -> str:
    """The path of the package that its interpreter imports."""
    done = _asked(place, "-c", "import sentinel; print(sentinel.__file__)")
    path = done.stdout.strip()
    if done.returncode or not Path(path).is_relative_to(place / "env"):
        why = path or _last(done.stderr)
        raise SettingsError(f"{ref.title} is not what its own interpreter imports: {why}; remove {place}")
    return path


def _require_options(ref: Ref, place: Path) -> None:
    done = _asked(place, "-m", "sentinel", "consume", "--help")
    if done.returncode:
        raise SettingsError(f"{ref.title} has no `sentinel consume`: {_last(done.stderr)}")
    if missing := [option for option in OPTIONS if option not in done.stdout]:
        raise SettingsError(
            f"`sentinel consume` of {ref.title} has no {', '.join(missing)}, which every trial sets: it is too old, or"
            " too new, to be compared with"
        )


def _without_memray(ref: Ref, place: Path) -> str:
    """Why its memory cannot be measured, once memray was installed beside it; empty where it can."""
    if _asked(place, "-c", "import memray").returncode:
        try:
            _add(ref, place, "memray")
        except SettingsError as error:
            return str(error)
    done = _asked(place, "-m", MEMRAY_CONSUMER, "--help")
    return f"{MEMRAY_CONSUMER} of {ref.title} does not run: {_last(done.stderr)}" if done.returncode else ""


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
