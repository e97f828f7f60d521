"""install.sh: an environment is left alone where it is whole, and made anew where it is not; a wrong Python is named.

The Python is a stand-in that notes what it is asked to do: which of it install.sh asks for is what matters here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
case $* in
*python_version*) echo "{version} /home/of/{version}" ;;
*ensurepip*) ;;
"-m venv "*) echo venv >> {log}; mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; touch "$3/pyvenv.cfg" ;;
"-m pip install"*) echo pip >> {log}; exit "$(cat {exits})" ;;
esac
"""


class Checkout:
    """A folder with what install.sh reads, and Pythons that note what they are asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "check out"
        self.venv = self.folder / ".venv"
        self._log, self._exits = folder / "log", folder / "exits"
        self._programs = folder
        self.folder.mkdir()
        for name in ("install.sh", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, self.folder)
        self.pip_exits(0)

    def pip_exits(self, code: int) -> None:
        """How installing ends from now on."""
        self._exits.write_text(str(code), encoding="utf-8")

    def python(self, version: str) -> str:
        """A Python of this version."""
        program = self._programs / f"python-{version}"
        text = PYTHON.format(version=version, log=self._log, exits=self._exits)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return str(program)

    def install(self, python: str = "", venv: str = ".venv") -> tuple[int, list[str], str]:
        """Exit code of install.sh, what it asked Python to do, and what it said."""
        self._log.write_text("", encoding="utf-8")
        command = ["sh", str(self.folder / "install.sh"), venv, python]
        path = os.pathsep.join([str(self._programs), os.environ["PATH"]])
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
        )
        return done.returncode, self._log.read_text(encoding="utf-8").split(), done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout whose `python3` is a 3.12."""
    made = Checkout(tmp_path)
    (tmp_path / "python3").symlink_to(made.python("3.12.1"))
    return made


def test_a_whole_environment_is_left_alone(checkout: Checkout) -> None:
    """The first call makes and fills it, every other does nothing, whether its own Python is asked for or none."""
    code, done, output = checkout.install()
    assert (0, ["venv", "pip"]) == (code, done)
    assert "Setting up" in output
    assert (0, [], "") == checkout.install()
    assert (0, [], "") == checkout.install(checkout.python("3.12.1"))


def test_changed_pins_are_installed_into_it(checkout: Checkout) -> None:
    """What pyproject.toml or constraints.txt say anew is installed, in the same environment."""
    checkout.install()
    with (checkout.folder / "constraints.txt").open("a", encoding="utf-8") as file:
        file.write("more==1\n")
    code, done, output = checkout.install()
    assert (0, ["pip"]) == (code, done)
    assert "Installing what changed" in output
    assert (0, [], "") == checkout.install()


def test_another_python_makes_it_anew(checkout: Checkout) -> None:
    """The Python that was asked for is the one that there is afterwards, and it stays when none is asked for."""
    checkout.install()
    code, done, output = checkout.install(checkout.python("3.13.0"))
    assert (0, ["venv", "pip"]) == (code, done)
    assert "anew, since it is of Python 3.12.1 /home/of/3.12.1, not 3.13.0 /home/of/3.13.0" in output
    assert (0, [], "") == checkout.install()


@pytest.mark.parametrize("spoil", ["moved", "copied", "python gone", "python upgraded", "interrupted"])
def test_an_environment_that_is_not_whole_is_made_anew(checkout: Checkout, tmp_path: Path, spoil: str) -> None:
    """One of another place, of a Python that is gone or changed, or left half-made does not pass for installed."""
    checkout.install()
    if spoil == "moved":
        checkout.folder = checkout.folder.rename(tmp_path / "elsewhere")
    elif spoil == "copied":
        checkout.folder = Path(shutil.copytree(checkout.folder, tmp_path / "copy"))
    elif spoil == "python gone":
        (checkout.venv / "bin" / "python").unlink()
    elif spoil == "python upgraded":
        shutil.copy(checkout.python("3.12.9"), checkout.venv / "bin" / "python")
    else:
        (checkout.venv / ".ready").write_text("", encoding="utf-8")
    code, done, output = checkout.install()
    assert (0, ["venv", "pip"]) == (code, done)
    assert "anew, since" in output
    assert (0, [], "") == checkout.install()


def test_a_failed_installation_fails_and_is_made_anew(checkout: Checkout) -> None:
    """pip's failure is install.sh's, and the next call begins again."""
    checkout.pip_exits(3)
    assert (3, ["venv", "pip"]) == checkout.install()[:2]
    checkout.pip_exits(0)
    code, done, output = checkout.install()
    assert (0, ["venv", "pip"]) == (code, done)
    assert "its installation was not finished" in output


@pytest.mark.parametrize(("version", "fault"), [("2.7.18", "old"), ("3.10.4", "old"), ("3.15.0a1", "new")])
def test_a_python_that_is_not_supported_is_named(checkout: Checkout, version: str, fault: str) -> None:
    """The message has the program, its version and the versions that will do; what was installed stays."""
    checkout.install()
    python = checkout.python(version)
    code, done, output = checkout.install(python)
    assert (1, []) == (code, done)
    assert f"{python} is Python {version}, which is too {fault}: 3.11 to 3.14 are supported." in output
    assert (0, [], "") == checkout.install()


def test_a_python_that_does_not_run_is_named(checkout: Checkout) -> None:
    """A program that is not there is refused with what to do."""
    code, done, output = checkout.install("no-such-python")
    assert (1, []) == (code, done)
    assert "no-such-python does not run: name a Python, such as make install PYTHON=python3.12" in output


def test_a_folder_of_something_else_is_not_touched(checkout: Checkout) -> None:
    """VENV must be free, or an environment: what else lies there is not deleted."""
    (checkout.folder / "work").mkdir()
    (checkout.folder / "work" / "thesis").touch()
    code, done, output = checkout.install(venv="work")
    assert (1, []) == (code, done)
    assert "work is there and is no virtual environment" in output
    assert (checkout.folder / "work" / "thesis").exists()
