"""A run's next session: its record made ready to go on, and what is kept of the interruption."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.errors import RunError
from sentinel.lab.resuming import sameness
from sentinel.lab.resuming.obstacles import obstacle
from sentinel.lab.resuming.record import Interruption, Resumption
from sentinel.lab.run.run import load
from sentinel.lab.run.run_data import RUNNING, RunData
from sentinel.lab.run.trial_record import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.machine.facts import Git
    from sentinel.lab.run.run import Run

KILLED = "its process was killed"
"""What ended a run that did not even say so."""


def taken_up(run: Run, described: Mapping[str, Any]) -> RunData:
    """The record with which a run goes on: its trials, and nothing that was concluded from them.

    Args:
        run: The run; its record is read.
        described: What a new run of the same parameters would begin with here and now (`Study.described`).

    Raises:
        RunRecordError: the record cannot be read.
        RunError: it has ended meanwhile, or machine, versions or what is compared are not what they were.
    """
    data, now = load(run.id, run.root).data, msgspec.to_builtins(described, enc_hook=plain)
    if why := obstacle(data):
        raise RunError(f"run {run.id} cannot be resumed: {why}")
    own = {name: section for name, section in data.own.items() if name in now}
    known = {"configurations": data.configurations, **own}
    machine = {"machine": sameness.chosen(msgspec.to_builtins(data.machine), sameness.MACHINE)}
    there = {name: now.get(name) for name in known}
    sameness.require(run.id, machine | known, {"machine": sameness.chosen(now["machine"], sameness.MACHINE)} | there)
    git: Git = now["machine"]["git"]
    past = data.resumption
    return RunData(
        id=data.id, state=RUNNING, notebook=data.notebook, created=data.created, parameters=data.parameters,
        configurations=data.configurations, contenders=data.contenders, machine=data.machine, stack=data.stack,
        warnings=_warnings(data, now["warnings"], git), trials=data.trials, order=data.order, own=own,
        resumption=Resumption(
            interruptions=[*past.interruptions, _interruption(run, data, git)], replaced=past.replaced, took=past.took
        ),
    )  # fmt: skip


def _interruption(run: Run, data: RunData, git: Git) -> Interruption:
    last = max(outcome.plan.number for outcome in data.trials)
    ended = datetime.now(UTC)
    began = min(last_sign(run), ended)
    return Interruption(len(data.trials), last, _text(began), _text(ended), data.why or KILLED, git)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def last_sign(run: Run) -> datetime:
    """When a run last wrote into the folder of a trial; nothing does so afterwards.

    Args:
        run: A run with a trial.
    """
    files = (path for path in (run.folder / "trials").rglob("*") if path.is_file())
    return datetime.fromtimestamp(max(path.stat().st_mtime for path in files), UTC)


def _warnings(data: RunData, now: list[str], git: Git) -> list[str]:
    """Those of the sessions so far and what is new now, and that the code has changed where it has."""
    before = data.resumption.noted if data.state != RUNNING else data.warnings
    past = data.resumption.interruptions
    code = past[-1].git if past else data.machine.git or {}
    last = max(outcome.plan.number for outcome in data.trials)
    changed = [] if code == git else [_changed(last, code, git)]
    later = [f"Since this run was resumed after trial {last}: {warning}" for warning in now if warning not in before]
    return [*before, *changed, *later]


def _changed(last: int, before: Git, now: Git) -> str:
    return (
        f"The lab's own code changed while this run was interrupted: it was {_code(before)} until trial {last}, and is"
        f" {_code(now)} since."
    )


def _code(git: Git) -> str:
    changes = " with changes" if git.get("dirty") else ""
    return f"commit {git['commit'][:12]}{changes}" if git else "in no checkout"
