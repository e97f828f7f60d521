"""How a run ends: its trials summed up and its record written, whole or as far as it came, and what it is worth.

Everything is computed from the record, so that a run whose process was killed can be concluded by another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab import registry
from sentinel.lab.formatting import counted
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run_data import FAILED, FINISHED, RUNNING
from sentinel.lab.run.trial_record import LATENCY, PROFILE, names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


def keep(run: Run, outcomes: Sequence[Outcome]) -> None:
    """Put the trials so far into the record, without writing it.

    Args:
        run: Whose record.
        outcomes: All trials carried out so far, in order; they replace those that the record has.
    """
    run.data.trials, run.data.order = list(outcomes), names_of(outcomes)


def conclude(
    sum_up: Callable[[Run, list[Outcome]], dict[str, Any]],
    run: Run,
    outcomes: list[Outcome],
    state: str = FINISHED,
    why: str = "",
) -> None:
    """Sum a run up and write its record.

    Args:
        sum_up: Returns sections of the record by their keys in run.json; `warnings` among them are added to those that
            the record has.
        run: The run that ends.
        outcomes: All its trials, in the order in which they were carried out.
        state: `FINISHED`, `INTERRUPTED` or `FAILED`.
        why: What ended the run before its time; empty leaves what the record says.

    Raises:
        RunError: the record cannot be written, or a section is not what the record has under that key.
        Exception: whatever `sum_up` raises for a finished run; for any other it becomes a warning. The trials are
            written in either case.
    """
    keep(run, outcomes)
    run.data.state, run.data.why = state, why or run.data.why
    run.data.resumption.noted = list(run.data.warnings) if state != FINISHED else []
    try:
        summary = _summed_up(sum_up, run, outcomes)
        early = [_unfinished(run)] if state != FINISHED else []
        run.data.add(summary | {"warnings": [*early, *run.data.warnings, *summary.get("warnings", [])]})
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
    done = counted(len(run.data.trials), "trial")
    return f"This run ended before its time ({run.data.why}): all figures are of the {done} that it finished."


def recovered(run: Run, state: str = FAILED, why: str = "its process was killed") -> Run:
    """The run, concluded if its record says that it is running and no process carries it out.

    Args:
        run: A run of any state.
        state: The state that a run which is concluded here gets.
        why: What ended it.

    Returns:
        The same run.

    Raises:
        RunError: the record cannot be written.
        SettingsError: no experiment has the name that the record gives.
    """
    if run.state == RUNNING and not under_way(run):
        summary = registry.experiment(run.data.notebook).study().summarise
        conclude(summary, run, run.data.trials, state, why)
    return run


def kept(run: Run, done: int, planned: int) -> str:
    """What is kept of a run that ended early, as a clause for the terminal.

    Args:
        run: The run that ended.
        done: Trials that were finished.
        planned: Trials of the whole run; 0 where the number is not known beforehand.
    """
    place = run.folder.relative_to(run.root)
    if not done:
        return f"no trial was finished; the record is in {place}"
    count = f"{done} of {counted(planned, 'trial')}" if planned else counted(done, "trial")
    return f"{count} {'is' if done == 1 and not planned else 'are'} kept in {place}"


# -- what it is worth to a program that waits for it -----------------------------------------------------------------


def unanswered(run: Run) -> str:
    """Which questions were left without a valid trial.

    A question is a configuration in a group of trials. A CPU profile that could not be taken is a warning, no failure.

    Args:
        run: A run that has ended.

    Returns:
        A clause that names the questions, and the first reason; empty where each has a valid trial, and for a study.
    """
    trials = [o for o in run.data.trials if o.plan.kind != PROFILE]
    if run.data.stack is None:  # a study, which has no trials
        return ""
    if not trials:
        return "no trial was carried out, so nothing was measured"
    asked = dict.fromkeys((o.plan.label, o.plan.kind, o.plan.group) for o in trials)
    answered = {(o.plan.label, o.plan.kind, o.plan.group) for o in trials if o.valid}
    missing = [question for question in asked if question not in answered]
    if not missing:
        return ""
    named = ", ".join(f"{kind} of {label}" for label, kind, _ in missing)
    reason = next(problem for o in trials if not o.valid for problem in o.problems)
    return f"no valid trial of: {named}. The first reason: {reason}"


def missed(run: Run) -> str:
    """Which loads were not sustained, for `--strict`.

    Args:
        run: A run that has ended.

    Returns:
        A clause with the numbers of the valid latency trials that did not sustain their load; empty without any.
    """
    bad = [o for o in run.data.trials if o.plan.kind == LATENCY and o.valid and not o.sustained]
    if bad:
        return f"the load was not sustained in trial {', '.join(str(o.plan.number) for o in bad)}"
    return ""
