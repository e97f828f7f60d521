"""How an agent ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.model.ledger import as_line

if TYPE_CHECKING:
    from sentinel.model.ledger import SenderLedger


@dataclass(frozen=True)
class AgentReport:
    """What an agent did and what it cost."""

    ledger: SenderLedger
    elapsed: float
    """Seconds."""
    cpu_percent: float
    """Of one core, this process as a whole, over `elapsed`."""
    rss_bytes: int
    """Resident memory at the end."""
    skipped_ticks: int
    """Samples not taken because their time had passed (a machine too busy, or halted)."""
    health: int = 0
    """Messages about itself; the ledger counts them with the samples."""

    def __str__(self) -> str:
        line = as_line("agent", self.ledger)
        cost = f"cpu_percent={self.cpu_percent:.2f} rss_mib={self.rss_bytes / 2**20:.1f}"
        health = f" health={self.health}" if self.health else ""
        return f"{line}{health} skipped_ticks={self.skipped_ticks} elapsed_s={self.elapsed:.1f} {cost}"
