"""Other programs that read what is exported: installed once, into a cache; a skip where that cannot be done."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sentinel.environment import cache_folder, child_environment

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHSTAT = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"
SPEEDSCOPE, OTAVA, PYARROW = "speedscope@1.25.0", "apache-otava==0.8.0", "pyarrow>=18"


def benchstat() -> Path:
    """The program."""
    return installed(BENCHSTAT, _by_go) / "benchstat"


def otava() -> Path:
    """The program, in an environment of its own: it pins what ours pins otherwise."""
    return installed(OTAVA, _by_uv) / "env" / "bin" / "otava"


def speedscope_schema() -> Path:
    """The file that says what speedscope opens."""
    return installed(SPEEDSCOPE, _by_npm) / "package" / "dist" / "release" / "file-format-schema.json"


def pyarrow() -> Path:
    """A folder from which pyarrow can be imported."""
    return installed(PYARROW, _as_target)


def installed(what: str, install: Callable[[str, Path], None]) -> Path:
    """The folder of a program, which is whole or not there; kept for the next time.

    Args:
        what: With its version, as its registry names it.
        install: Puts it into a folder.
    """
    name = "".join(sign if sign.isalnum() or sign in ".-" else "_" for sign in what)
    place = cache_folder() / "export-consumers" / f"{name}-{sys.version_info[0]}.{sys.version_info[1]}"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
        try:
            install(what, part)
            part.rename(place)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(part, ignore_errors=True)
            if not place.exists():  # another process may have been quicker
                told = getattr(error, "stderr", "") or ""
                pytest.skip(f"{what} cannot be installed here: {error} {told[-300:]}")
    return place


def run(*words: str | Path, folder: Path, **environment: str | Path) -> str:
    """What a program prints; its failure is an error with its words."""
    done = subprocess.run(
        words, cwd=folder, env=child_environment(**environment), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _tried(*words: str | Path, folder: Path, **environment: str | Path) -> None:
    subprocess.run(
        words,
        cwd=folder,
        env=child_environment(**environment),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=150,
    )


def _by_go(what: str, folder: Path) -> None:
    _tried("go", "install", what, folder=folder, GOBIN=folder, GOFLAGS="-mod=mod")


def _by_npm(what: str, folder: Path) -> None:
    _tried("npm", "pack", "--silent", what, folder=folder)
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")


def _uv() -> str:
    return str(Path(sys.executable).with_name("uv"))


def _by_uv(what: str, folder: Path) -> None:
    # Moved once it is whole, so its own scripts must not name the place that they were made in.
    _tried(_uv(), "venv", "--quiet", "--relocatable", "--python", sys.executable, folder / "env", folder=folder)
    _tried(_uv(), "pip", "install", "--quiet", "--python", folder / "env" / "bin" / "python", what, folder=folder)


def _as_target(what: str, folder: Path) -> None:
    _tried(
        _uv(),
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--python",
        sys.executable,
        "--target",
        folder,
        what,
        folder=folder,
    )
