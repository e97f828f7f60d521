"""The parameter of notebooks that can play a recording."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.errors import SettingsError
from sentinel.lab.parameters import Common
from sentinel.lab.replay import recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.rules import Rule

FASTEST = 1e7
"""The highest RATE, msg/s."""
MADE_UP = ("SOURCES", "FIELDS", "TAGS", "LOOP")
"""Parameters of messages that are made up."""


@dataclass(frozen=True)
class Replayed(Common):
    """Of notebooks that can play a recording."""

    OWN: ClassVar[Mapping[str, Rule]] = {"REPLAY": recording.RULE}

    REPLAY: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        usual = {f.name: f.default for f in fields(self) if f.name in MADE_UP}
        given = [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        if self.REPLAY and given:
            raise SettingsError(
                f"REPLAY={self.REPLAY!r} with {', '.join(given)}: a recording has its own sources, messages and"
                " spacing, so leave either out"
            )

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
