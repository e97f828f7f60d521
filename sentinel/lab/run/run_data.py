"""What run.json holds, as typed data: the one module that knows its keys as strings.

`RunData.read` turns a file into structs once, which all else reads. Unknown keys, an experiment's own, are in `own`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, Self

import msgspec

from sentinel.errors import RunError, RunRecordError
from sentinel.lab.budgets.record import BudgetAnswer
from sentinel.lab.contenders.verification.checks import ContenderData
from sentinel.lab.limits.limit import Limit
from sentinel.lab.machine.facts import Machine
from sentinel.lab.replay.record import Recording
from sentinel.lab.resuming.record import Resumption
from sentinel.lab.run.trial_record import Outcome, Settling, TrialLength, plain
from sentinel.lab.statistics.compare import Noise, Ratio, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMAT, OLDEST = 2, 1
"""Format of run.json, and the oldest that is read. 1: first. 2: `answer` holds as data what `verdict` says in
sentences; ratios have `confidence` and `method`. What was added since has a default."""

RUNNING, FINISHED, INTERRUPTED, FAILED = "running", "finished", "interrupted", "failed"
"""States of a run, as run.json has them; a record without one is of a finished run."""

UNFINISHED, UNREADABLE, DAMAGED, OLDER, NEWER = "unfinished", "unreadable", "damaged", "older", "newer"
"""What can be wrong with a record: there is none, it cannot be opened, it is no record, or of another version."""


class StackData(msgspec.Struct, kw_only=True):
    """Bus and store of a run; what is not known is not there."""

    kind: str
    """`embedded`, `native`, `docker`, `compose` or `external`."""
    label: str
    """Kind, versions and how points are written, in words."""
    description: str | None = None
    """Versions and how points are written, in words."""
    reason: str | None = None
    """Why this kind was chosen, where nobody asked for it."""
    bus: str | None = None
    """The bus and its version."""
    store: str | None = None
    """The store and its version."""
    write_path: str | None = None
    """Path of the store's HTTP interface that points are posted to."""


class RunData(msgspec.Struct, kw_only=True):
    """One run's record."""

    format: int = FORMAT
    """Format of this file."""
    id: str
    """The run's id: UTC time, experiment, four hex digits; the name of its folder."""
    state: str = FINISHED
    """`running`, `finished`, `interrupted` or `failed`."""
    notebook: str
    """The experiment: the name of its notebook."""
    created: str = ""
    """When it began, ISO 8601 in UTC."""
    recording: Recording | None = None
    """What was played instead of made-up messages; None where messages were made up."""
    parameters: dict[str, Any] = {}
    """The notebook's parameters by name; times in s, rates in msg/s unless named otherwise."""
    configurations: dict[str, dict[str, str]] = {}
    """The configurations compared, by label: the choice on each axis."""
    contenders: dict[str, ContenderData] = {}
    """Consumers among them that the user brought, by label."""
    machine: Machine = msgspec.field(default_factory=Machine)
    """Where it was measured."""
    warnings: list[str] = []
    """What speaks against trusting it, in sentences."""
    stack: StackData | None = None
    """Bus and store; not there in a study, which starts none."""
    planned: int = 0
    """Trials of a whole run; 0 where that depends on what they find."""
    trials: list[Outcome] = []
    """What each trial found, in the order in which they were carried out."""
    order: list[str] = []
    """Kind and label of each trial, in that order."""
    looks: dict[str, list[int]] = {}
    """Where REPEATS was `auto`: rounds at which looks were announced, those that never came too, by group."""
    settling: dict[str, Settling] = {}
    """How these rounds ended, by group of trials."""
    length: TrialLength | None = None
    """How long latency trials were, and should have been; None without any."""
    limits: list[Limit] = []
    """What Redis alone and the store alone can do on the machine."""
    unprofiled: str = ""
    """Why no CPU profile was taken."""
    why: str = ""
    """What ended the run before its time."""
    resumption: Resumption = msgspec.field(default_factory=Resumption)
    """How it went on after an interruption, and what it takes to do so; not there where it is nothing."""
    rates: dict[str, float] = {}
    """Messages per second really offered: `latency` to all configurations, `headline` to the last."""
    summary: dict[str, dict[str, int | float | None]] = {}
    """Medians over the valid trials by column and measure; times in ms, but `cpu_us` and `capacity_cpu_us` in µs per
    message; `throughput` and `capacity` in msg/s, `peak_rss_mb` in MB, `lost` in messages, `bytes_per_message` in
    bytes; of a host's samples `cpu` and `mem` in percent."""
    spread: dict[str, dict[str, Spread]] = {}
    """Smallest, largest and number of the values behind each median, in its unit."""
    compared: tuple[str, str] = ("", "")
    """The configurations whose ratios are given: the first ÷ the second."""
    ratios: dict[str, Ratio] = {}
    """Ratios of medians by measure, with their intervals."""
    noise: Noise = Noise()
    """What the A/A control showed."""
    verdict: list[str] = []
    """The answer, in sentences."""
    budgets: BudgetAnswer | None = None
    """What became of the budgets that the run was held to; None where it was held to none."""
    own: dict[str, Any] = {}
    """All other keys: sections of one experiment."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """The record in a file.

        Args:
            path: A run.json.

        Raises:
            RunRecordError: it is missing, damaged, of another program or format; the message names file and key.
        """
        data = _loaded(path)
        _require_format(data, path)
        try:
            return cls.from_dict(data)
        except msgspec.ValidationError as error:
            raise RunRecordError(f"{path} is damaged: {mismatch(error)}", DAMAGED) from error

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; unknown keys go to `own`.

        Raises:
            msgspec.ValidationError: a value has the wrong type, or a key without a default is missing.
        """
        known, own = _divided(data)
        return msgspec.convert(known | {"own": own}, cls)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON can hold it; empty sections that not every run has are left out."""
        whole: dict[str, Any] = msgspec.to_builtins(self, enc_hook=plain)
        own: dict[str, Any] = whole.pop("own")
        kept = {name: value for name, value in whole.items() if value != EMPTY[name] or name in ALWAYS}
        for name in {"machine", "stack"} & kept.keys():
            kept[name] = {key: value for key, value in kept[name].items() if value is not None}
        return kept | own

    def only(self, names: Iterable[str]) -> dict[str, Any]:
        """Some sections as JSON can hold them.

        Args:
            names: Keys of run.json.

        Returns:
            Values by key; empty and unknown sections are left out.
        """
        known = {name: msgspec.to_builtins(getattr(self, name), enc_hook=plain) for name in names if name in KNOWN}
        kept = {name: value for name, value in known.items() if value != EMPTY[name]}
        return kept | {name: self.own[name] for name in names if name in self.own}

    def add(self, sections: Mapping[str, Any]) -> None:
        """Put sections into the record, in place of those that it had under the same keys.

        Args:
            sections: Structs, or values that JSON can hold, by their keys in run.json; unknown keys go to `own`.

        Raises:
            RunError: a section is not what the record has under that key.
        """
        known, own = _divided(msgspec.to_builtins(sections, enc_hook=plain))
        try:
            part = msgspec.convert({"id": self.id, "notebook": self.notebook, **known}, RunData)
        except msgspec.ValidationError as error:
            raise RunError(f"what {self.notebook} found cannot be kept in run.json: {mismatch(error)}") from error
        for name in known:
            setattr(self, name, getattr(part, name))
        self.own |= own


KNOWN = tuple(name for name in RunData.__struct_encode_fields__ if name != "own")
ALWAYS = (
    "format", "id", "state", "notebook", "parameters", "machine", "warnings", "planned", "trials", "order", "limits",
)  # fmt: skip
"""Keys that every record has, whatever they hold."""
EMPTY = msgspec.to_builtins(RunData(id="", notebook=""))
"""What a section holds that is not there."""


def _divided(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sections that every record may have, and the others."""
    return {k: v for k, v in data.items() if k in KNOWN}, {k: v for k, v in data.items() if k not in KNOWN}


def _loaded(path: Path) -> dict[str, Any]:
    try:
        data: Any = json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as error:
        fault = UNFINISHED if isinstance(error, FileNotFoundError) else UNREADABLE
        raise RunRecordError(f"no run can be read from {path}: {error.strerror}", fault) from error
    except (ValueError, RecursionError) as error:
        raise RunRecordError(f"{path} is damaged: it is no JSON ({error})", DAMAGED) from error
    if not isinstance(data, dict):
        raise RunRecordError(f"{path} is not the record of a run: expected an object, found {data!r:.20}", DAMAGED)
    if "format" not in data:
        raise RunRecordError(f"{path} is not the record of a run: it has no key `format`", DAMAGED)
    return data


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _require_format(data: Mapping[str, Any], path: Path) -> None:
    """Refuse formats that are not guessed at."""
    if type(given := data["format"]) is int and OLDEST <= given <= FORMAT:
        return
    fault = (NEWER if given > FORMAT else OLDER) if type(given) is int else DAMAGED
    reads = f"{OLDEST} to {FORMAT}{', so a newer one is needed' if fault == NEWER else ''}"
    raise RunRecordError(f"{path} has format {given!r}: this version reads {reads}", fault)


def mismatch(error: msgspec.ValidationError) -> str:
    """What does not fit in plain words, the key first: `trials[0].lost: expected int, found str`.

    Args:
        error: As msgspec words it, the key last.

    Returns:
        One line; where the record as a whole does not fit, without a key.
    """
    what, _, place = str(error).partition(" - at ")
    key = place.strip("`").removeprefix("$").removeprefix(".").replace("[...]", "[…]")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", what):
        return f"{key or 'it'} has no key `{missing[1]}`"
    words = what.replace("`", "").replace(", got ", ", found ")
    return f"{key}: {words[:1].lower()}{words[1:]}"
