"""What run.json holds of a run that was resumed, or may be. Pure."""

from __future__ import annotations

import msgspec

from sentinel.lab.machine.facts import Git
from sentinel.lab.run.trial_record import Outcome


class Interruption(msgspec.Struct, frozen=True):
    """A run ended before its time, and was resumed."""

    trials: int
    """Trials that it had finished."""
    after: int
    """Number of the last of them."""
    began: str
    """When its trials left the last sign of life, ISO 8601 in UTC."""
    ended: str
    """When it was resumed, ISO 8601 in UTC."""
    why: str
    """What had ended it."""
    git: Git = {}
    """The commit of the code that ran from then on."""


class Resumption(msgspec.Struct, kw_only=True):
    """How a run that ended before its time went on, and what it takes to do so."""

    interruptions: list[Interruption] = []
    """Each time that the run ended before its time and was resumed."""
    replaced: list[Outcome] = []
    """Trials that were measured again after an interruption, since their round was not whole: they count for nothing.
    Their folders are kept."""
    took: dict[str, list[float]] = {}
    """Seconds that each round took where REPEATS is `auto`, by group of trials: that decides how many come."""
    noted: list[str] = []
    """Of a run that ended before its time: those of its warnings that neither its end nor its trials added."""
