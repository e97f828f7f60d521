"""Which of the runs under `runs/` a history is about, and why not the others; whatever cannot be is one line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError
from sentinel.lab import formatting, registry
from sentinel.lab.experiments.history.record import Alike, Followed, LeftOut, Point, Record, Series
from sentinel.lab.index.alike import Kind, commonest, kind, originals
from sentinel.lab.run.listing import entries
from sentinel.lab.run.run import RUNS
from sentinel.lab.run.run_data import FINISHED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.experiments.history.parameters import History
    from sentinel.lab.run.listing import Entry
    from sentinel.lab.run.run_data import RunData


def chosen(p: History, root: Path) -> Record:
    """The runs of a history with their key figures, and those that are left out.

    Args:
        p: The parameters.
        root: The checkout that holds `runs/`.

    Raises:
        SettingsError: no run of the notebook can be followed, or `LIKE` names none.
    """
    listed = entries(root)
    own = [entry for entry in listed if entry.data and entry.data.notebook == p.NOTEBOOK]
    if not own:
        raise SettingsError(f"NOTEBOOK={p.NOTEBOOK}: {_without(listed, root)}")
    reasons = _unfit(own)
    kinds = {e.folder.name: kind(data, registry.usual(p.NOTEBOOK)) for e in own if (data := e.data)}
    fit = [entry for entry in own if entry.folder.name not in reasons]
    like = _like(p, own, fit, kinds)
    reasons |= {
        entry.folder.name: f"not comparable: {', '.join(kinds[entry.folder.name].differences(like))}"
        for entry in fit
        if kinds[entry.folder.name] != like
    }
    followed = [entry for entry in fit if kinds[entry.folder.name] == like]
    return Record(
        followed=[_followed(entry.folder.name, data) for entry in followed if (data := entry.data)],
        left_out=[LeftOut(name, why) for name, why in reasons.items()] + _unreadable(listed),
        alike=Alike(dict(like.machine), dict(like.stack), dict(like.load)),
        series=_series(followed),
    )


def _without(listed: Sequence[Entry], root: Path) -> str:
    """That there is nothing to follow, and what there is."""
    counts = Counter(entry.data.notebook for entry in listed if entry.data and entry.measured)
    if not counts:
        return f"no runs in {root / RUNS}: `make benchmark` makes one"
    there = ", ".join(f"{name} ({number})" for name, number in counts.most_common())
    return f"no runs of that notebook in {root / RUNS}: there are those of {there}"


def _unfit(own: Sequence[Entry]) -> dict[str, str]:
    """Why some runs can be part of no history, by folder."""
    copied = originals([(entry.folder.name, data.id) for entry in own if (data := entry.data)])
    reasons = {}
    for entry, first in zip(own, copied, strict=True):
        if entry.state != FINISHED:
            reasons[entry.folder.name] = f"it is {entry.state}"
        elif not first:
            reasons[entry.folder.name] = f"a copy of {entry.data.id if entry.data else ''}"
        elif not entry.measured:
            reasons[entry.folder.name] = "it has no key figures"
    return reasons


def _like(p: History, own: Sequence[Entry], fit: Sequence[Entry], kinds: dict[str, Kind]) -> Kind:
    if not p.LIKE:
        moments = [(entry.data.created if entry.data else "", kinds[entry.folder.name]) for entry in fit]
        if (like := commonest(moments)) is None:
            raise SettingsError(f"NOTEBOOK={p.NOTEBOOK}: none of its {len(own)} runs is finished and has key figures")
        return like
    if p.LIKE not in {entry.folder.name for entry in fit}:
        there = (
            f"the newest of {formatting.counted(len(fit), 'run')} is {fit[-1].folder.name}" if fit else "there is none"
        )
        raise SettingsError(f"LIKE={p.LIKE} is no finished run of {p.NOTEBOOK} with key figures: {there}")
    return kinds[p.LIKE]


def _unreadable(listed: Sequence[Entry]) -> list[LeftOut]:
    """Folders of whose records not even the notebook is known."""
    return [LeftOut(entry.folder.name, f"its record is {entry.state}") for entry in listed if entry.data is None]


def _followed(folder: str, data: RunData) -> Followed:
    git, where = data.machine.git or {}, data.machine
    versions = {"kernel": where.kernel or "", "Python": where.python or "", **where.packages}
    known = {name: version for name, version in versions.items() if version}
    return Followed(data.id, folder, data.created, git.get("commit", ""), git.get("dirty", False), known)


def _series(followed: Sequence[Entry]) -> list[Series]:
    """The key figures of all runs, in the order in which they come first."""
    collected: dict[tuple[str, str], Series] = {}
    for number, entry in enumerate(followed):
        for f in entry.measured:
            new = Series(f.column, f.measure, f.title, f.unit, f.higher, [])
            series = collected.setdefault((f.column, f.measure), new)
            series.points.append(Point(number, f.value, f.low, f.high, f.coverage, f.n))
    return list(collected.values())
