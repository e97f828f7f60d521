"""Where contenders are found: a name under `contenders/`, or the path of a folder.

In parameters and records a contender stands as `name@path`, so that a run's columns are known without its folder.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from sentinel.consumer.choices import AXES
from sentinel.consumer.configurations import is_known, names, parse
from sentinel.errors import ContenderError, ExtensionError, SettingsError
from sentinel.lab.contenders.contender import FILE, NAME, Contender, load
from sentinel.lab.run.run import project_root

FOLDER = "contenders"
TEMPLATE = "template"
MARK = "@"
OWN = "its own"
"""What a contender chose on each axis of ours: nobody knows."""


def canonical(word: str) -> str:
    """A configuration of ours by its name, or a contender as `name@path`.

    Args:
        word: A configuration, `contenders/mine`, `mine`, `/home/me/mine` or `mine@contenders/mine`.

    Raises:
        ContenderError: it names a contender that cannot be read, or whose name is taken.
        ExtensionError: it names a configuration of another package that cannot be used.
        SettingsError: it is neither.
    """
    word = word.strip()
    try:
        return parse(word).name
    except ExtensionError:
        raise
    except SettingsError:
        folder = _folder(word)
        if folder is None:
            raise
    contender = _of_its_own_name(folder)
    return f"{contender.name}{MARK}{shown(contender.folder)}"


def named(word: str) -> Contender:
    """The contender that a word means: a path, or a name under `contenders/`.

    Raises:
        ContenderError: there is none, it cannot be read, or its name is taken.
    """
    folder = _folder(word.strip()) or located(word.strip())
    if not folder.is_dir():
        there = sorted(path.parent.name for path in (project_root() / FOLDER).glob(f"*/{FILE}"))
        expected = f"a folder with a {FILE}, or a name in {FOLDER}/" + (f": {', '.join(there)}" if there else "")
        raise ContenderError(f"{word!r} is no contender: expected {expected}")
    return _of_its_own_name(folder)


def _of_its_own_name(folder: Path) -> Contender:
    contender = load(folder)
    if contender.name in names():
        raise ContenderError(f"{folder}: name = {contender.name!r} is a configuration of the lab: choose another name")
    return contender


def made(name: str) -> Path:
    """A new contender of this name under `contenders/`, a copy of the template; its folder as one types it from here.

    Raises:
        ContenderError: the name is taken or none, or there is no template.
    """
    template, folder = project_root() / FOLDER / TEMPLATE, project_root() / FOLDER / name
    if not re.fullmatch(NAME, name) or name in names():
        raise ContenderError(f"{name!r} is no name for a contender: expected letters, digits, . _ - and none of ours")
    if folder.exists():
        raise ContenderError(f"{folder} is there already: choose another name")
    if not template.is_dir():
        raise ContenderError(f"{template} is not there: run this in a checkout of the lab")
    shutil.copytree(template, folder)
    path = folder / FILE
    text = path.read_text(encoding="utf-8").replace(f'"{TEMPLATE}"', f'"{name}"', 1)
    path.write_text(text, encoding="utf-8")
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def name_of(word: str) -> str:
    """The column's name of a word that is canonical."""
    return word.partition(MARK)[0] if MARK in word else parse(word).name


def typed(word: str) -> str:
    """A word that is canonical as one types it: a contender's path alone."""
    return word.partition(MARK)[2] or word


def axes(name: str) -> dict[str, str]:
    """Axis to choice, for the record."""
    return parse(name).axes() if is_known(name) else dict.fromkeys(AXES, OWN)


def among(configurations: str) -> dict[str, Contender]:
    """The contenders of a list of configurations, by name.

    Raises:
        ContenderError: one cannot be read any more.
    """
    words = [word.strip() for word in configurations.split(",") if MARK in word]
    return {contender.name: contender for contender in (load(located(word.partition(MARK)[2])) for word in words)}


def located(path: str) -> Path:
    """A contender's folder: where the path leads from here, or from the checkout."""
    given = Path(path).expanduser()
    return given if given.is_dir() else project_root() / given


def _folder(word: str) -> Path | None:
    """The folder that a word means, where it means one."""
    name, mark, path = word.partition(MARK)
    if mark and re.fullmatch(NAME, name):
        return located(path)
    if "/" in word or word.startswith("."):
        return located(word)
    named = project_root() / FOLDER / word
    return named if word and named.is_dir() else None


def shown(folder: Path) -> str:
    """The folder as a run records it: from the checkout, where it is in there."""
    root = project_root().resolve()
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)
