"""The parameter of notebooks that can play a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.parameters import Common
from sentinel.lab.replay import recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.rules import Rule

FASTEST = 1e7
"""The highest RATE, msg/s."""


@dataclass(frozen=True)
class Replayed(Common):
    """Of notebooks that can play a recording."""

    OWN: ClassVar[Mapping[str, Rule]] = {"REPLAY": recording.RULE}

    REPLAY: str = ""

    @property
    def replay(self) -> str:
        """See Common."""
        return self.REPLAY

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """See Parameters: where no RATE was given, a recording is played at its own.

        Raises:
            RecordingError: it cannot be played.
        """
        played = recording.of(given.get("REPLAY", ""))
        if played is None or not played.rate or "RATE" not in cls.rules():
            return dict(given)
        return {"RATE": min(max(1.0, played.rate), FASTEST), **given}
