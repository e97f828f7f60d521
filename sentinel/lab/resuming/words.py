"""What a page says of the interruptions of a run. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    from sentinel.lab.resuming.record import Interruption
    from sentinel.lab.run.run_data import RunData


def interrupted(data: RunData) -> dict[str, str]:
    """A row of the page's facts: when, after which trial, for how long, and what was measured again.

    Args:
        data: Of any run.

    Returns:
        A sentence by its name; empty where a run went on without interruption.
    """
    past = data.resumption
    if not past.interruptions:
        return {}
    numbers = [str(outcome.plan.number) for outcome in past.replaced]
    replaced = f"; measured again, and not counted: {_trials(numbers)}" if numbers else ""
    return {"Interrupted": f"{'; '.join(map(_told, past.interruptions))}{replaced}"}


def _told(each: Interruption) -> str:
    began, ended = (datetime.fromisoformat(text) for text in (each.began, each.ended))
    seconds = (ended - began).total_seconds()
    return f"{began:%Y-%m-%d %H:%M} UTC after trial {each.after} ({each.why}), for {formatting.span(seconds)}"


def _trials(numbers: list[str]) -> str:
    return f"trial {numbers[0]}" if len(numbers) == 1 else f"trials {formatting.joined(numbers)}"
