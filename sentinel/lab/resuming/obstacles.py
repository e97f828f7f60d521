"""Which runs are not resumed, whatever the machine is like, and why. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.rules import AUTO
from sentinel.lab.run.run_data import FINISHED, FORMAT
from sentinel.lab.run.trial_record import LIVE

if TYPE_CHECKING:
    from sentinel.lab.run.run_data import RunData


def obstacle(data: RunData) -> str:
    """Why a run with this record cannot be resumed, as a clause; empty where it can.

    Args:
        data: Of a run that no process carries out.
    """
    if data.state == FINISHED:
        return "it is finished, so there is nothing to go on with"
    if data.format != FORMAT:
        return f"its record has format {data.format}, of an earlier version; only format {FORMAT} goes on"
    if not data.trials:
        return "no trial of it was finished, so there is nothing to keep; start it anew"
    if any(outcome.plan.kind == LIVE for outcome in data.trials):
        return "what was watched is over, and is not measured by trials; start it anew"
    if data.parameters.get("REPEATS") == AUTO and not data.resumption.took:
        return "REPEATS=auto goes by the time that rounds took, and its record says of none; start it anew"
    return ""
