"""An agent watches itself: what a reading takes, what the process uses; and makes a message of it now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sentinel.model.health import agent_message
from sentinel.probe import OwnUse, memory_bytes

if TYPE_CHECKING:
    from sentinel.agent.backlog import Backlog
    from sentinel.model.sample import Sample
    from sentinel.settings import AgentSettings


class AgentHealth:
    """An agent's reports on itself, due every `settings.health` seconds, or never where that is 0."""

    def __init__(self, settings: AgentSettings) -> None:
        self.made = 0
        """Messages made so far."""
        self._settings = settings
        self._use = OwnUse()
        self._memory = memory_bytes()
        self._due = time.monotonic() + settings.health
        self._longest = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time for a message."""
        return self._settings.health > 0 and time.monotonic() >= self._due

    def took(self, seconds: float) -> None:
        """Note that a reading of the host took `seconds`."""
        self._longest = max(self._longest, seconds)

    def message(self, now: int, backlog: Backlog) -> Sample:
        """The report on the time since the last one.

        Args:
            now: time of the report, ns since the epoch.
            backlog: what waits, and the account so far.
        """
        self._due = time.monotonic() + self._settings.health
        use, longest = self._use.read(), self._longest
        self._longest = 0.0
        self.made += 1
        return agent_message(
            self._settings.host,
            now,
            backlog.account,
            cpu_percent=use.cpu_percent,
            mem_percent=100 * use.rss_bytes / self._memory if self._memory else 0.0,
            further={"rss_bytes": use.rss_bytes, "backlog": len(backlog), "collect_ms": 1000 * longest},
        )
