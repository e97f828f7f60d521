"""A contender: a consumer that the user brings, told by the one file of its folder, `contender.toml`.

What the file may say is said once, here; docs/contenders.md explains it. Nothing is started in this module.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from sentinel.environment import child_environment
from sentinel.errors import ContenderError
from sentinel.settings import CODEC_NAMES, TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "contender.toml"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"
SPOKEN = tuple(f"{transport}/{codec}" for transport in TRANSPORTS for codec in CODEC_NAMES)
"""All that a contender may speak."""
BY_FILE, BY_PROBE, BY_LOG = "file", "probe", "log:"
"""How a contender says that it reads: `$SENTINEL_READY` is there; a first message is stored; a line of its log."""
PROMISES = {
    "values": "changes values or times",
    "poison": "stops at poison messages",
    "complete": "loses messages",
    "once": "stores messages twice",
    "redelivery": "acknowledges before storing",
    "stop": "leaves messages unstored at SIGTERM",
    "grace": "outlives its grace",
}
"""Each promise that `sentinel verify` checks, and the words by which a contender says that it does not keep it."""

Words = tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True):
    """What contender.toml says."""

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    command: Annotated[Words, msgspec.Meta(min_length=1)]
    """Run in the contender's folder, without a shell."""
    speaks: Annotated[Words, msgspec.Meta(min_length=1)]
    build: Words = ()
    """Run once before the first trial, never timed."""
    version: Words = ()
    """Its first line of output is shown on the page."""
    ready: str = BY_FILE
    grace: Annotated[float, msgspec.Meta(gt=0, le=600)] = 30.0
    """Seconds from SIGTERM to its exit."""
    relaxes: Words = ()
    """Promises that it does not keep, in the words of `PROMISES`; an explanation may follow behind a colon."""


@dataclass(frozen=True)
class Contender:
    """A contender whose file was read and makes sense."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.manifest.name

    @property
    def relaxed(self) -> dict[str, str]:
        """Promises that it does not keep: keys of `PROMISES`, and its own words for each."""
        return {_promise(words): words for words in self.manifest.relaxes}

    def require(self, transport: str, codec: str) -> None:
        """Make sure that it speaks this.

        Raises:
            ContenderError: it does not.
        """
        if f"{transport}/{codec}" not in self.manifest.speaks:
            raise ContenderError(
                f"contender {self.name} speaks {', '.join(self.manifest.speaks)}, and TRANSPORT={transport}"
                f" CODEC={codec} is asked for: choose what it speaks, or leave it out"
            )

    def require_program(self) -> None:
        """Make sure that its command can be started.

        Raises:
            ContenderError: there is no such program.
        """
        self.program(self.manifest.command, "command")

    def program(self, command: Words, key: str) -> list[str]:
        """A command with its program found: in the folder where it has a slash, else on the contender's PATH.

        Raises:
            ContenderError: there is no such program.
        """
        first = command[0]
        there = self.folder / first if "/" in first else None
        path = shutil.which(str(there) if there else first, path=search_path())
        if path is None:
            where = f"{there} is not there or may not be run" if there else f"{first} is not on PATH"
            is_made = bool(self.manifest.build) and key != "build"
            advice = "does `build` make it?" if is_made else f"install it or correct {key!r}"
            raise ContenderError(f"{self.folder / FILE}: {key} = {list(command)}: {where}; {advice}")
        return [path, *command[1:]]


def search_path() -> str:
    """PATH of contenders: `python` is the lab's own interpreter, with all that is installed beside the lab."""
    return f"{Path(sys.executable).parent}:{child_environment().get('PATH', '')}"


def load(folder: Path) -> Contender:
    """The contender of a folder.

    Raises:
        ContenderError: the file is missing, unreadable, or says what makes no sense; the message is one line.
    """
    path = folder / FILE
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContenderError(
            f"{folder} is no contender: it has no {FILE} (`sentinel new-contender` makes one)"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContenderError(f"{path} cannot be read: {error}") from None
    return Contender(folder.resolve(), _manifest(path, text))


def _manifest(path: Path, expected_text: Mapping[str, Any]) -> Manifest:
    keys = Manifest.__struct_fields__
    if unknown := [key for key in expected_text if key not in keys]:
        raise ContenderError(f"{path}: {unknown[0]!r} is no key of a contender: there are {', '.join(keys)}")
    try:
        manifest = msgspec.convert(expected_text, Manifest)
    except msgspec.ValidationError as error:
        raise ContenderError(f"{path}: {error}") from None
    for check in (_check_speaks, _check_ready, _check_relaxes):
        if problem := check(manifest):
            raise ContenderError(f"{path}: {problem}")
    return manifest


def _check_speaks(manifest: Manifest) -> str:
    strange = [spoken for spoken in manifest.speaks if spoken not in SPOKEN]
    return f"speaks = {strange[0]!r} is unknown: expected some of {', '.join(SPOKEN)}" if strange else ""


def _check_ready(manifest: Manifest) -> str:
    ready = manifest.ready
    if ready in (BY_FILE, BY_PROBE):
        return ""
    if not ready.startswith(BY_LOG) or ready == BY_LOG:
        return f"ready = {ready!r} is unknown: expected file, log:REGEX or probe"
    try:
        re.compile(ready.removeprefix(BY_LOG))
    except re.error as error:
        return f"ready = {ready!r}: {error} in the regular expression"
    return ""


def _check_relaxes(manifest: Manifest) -> str:
    strange = [words for words in manifest.relaxes if not _promise(words)]
    known = "; ".join(PROMISES.values())
    return f"relaxes = {strange[0]!r} is no promise: expected some of: {known}" if strange else ""


def _promise(words: str) -> str:
    """The promise that these words relax, or empty."""
    text = words.partition(":")[0].strip()
    return next((key for key, phrase in PROMISES.items() if phrase == text), "")
