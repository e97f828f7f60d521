"""How a run ends: its trials summed up and its record written, whole or as far as it came.

Everything is computed from the record, so that a run whose process was killed can be concluded by another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.formatting import counted
from sentinel.lab.run.run import FINISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


def keep(run: Run, outcomes: Sequence[Outcome]) -> None:
    """Put the trials so far into the record's data."""
    run.data["trials"] = [outcome.to_dict() for outcome in outcomes]
    run.data["order"] = [f"{o.plan.kind}/{o.plan.label}" for o in outcomes]


def conclude(
    sum_up: Callable[[Run, list[Outcome]], dict[str, Any]],
    run: Run,
    outcomes: list[Outcome],
    state: str = FINISHED,
    why: str = "",
) -> None:
    """Sum a run up and write its record; `why` says what ended it, where that came too early.

    Raises:
        RunError: the record cannot be written.
    """
    keep(run, outcomes)
    run.data |= {"state": state} | ({"why": why} if why else {})
    try:
        summary = _summed_up(sum_up, run, outcomes)
        early = [_unfinished(run)] if state != FINISHED else []
        run.data |= summary | {"warnings": [*early, *run.data["warnings"], *summary.get("warnings", [])]}
    finally:  # whatever is wrong with the sum, the trials are kept
        run.save()


def _summed_up(
    sum_up: Callable[[Run, list[Outcome]], dict[str, Any]], run: Run, outcomes: list[Outcome]
) -> dict[str, Any]:
    """What the trials say; of a run that ended early a sum that cannot be made is a warning, not the end of it."""
    try:
        return sum_up(run, outcomes)
    except Exception as error:
        if run.state == FINISHED:
            raise
        return {"warnings": [f"What there is could not be summed up: {type(error).__name__}: {error}."]}


def _unfinished(run: Run) -> str:
    done = counted(len(run.data["trials"]), "trial")
    return f"This run ended before its time ({run.data['why']}): all figures are of the {done} that it finished."


def kept(run: Run, done: int, planned: int) -> str:
    """What is kept of a run that ended early, in words; `planned` is 0 where nobody knows."""
    place = run.folder.relative_to(run.root)
    if not done:
        return f"no trial was finished; the record is in {place}"
    count = f"{done} of {counted(planned, 'trial')}" if planned else counted(done, "trial")
    return f"{count} {'is' if done == 1 and not planned else 'are'} kept in {place}"
