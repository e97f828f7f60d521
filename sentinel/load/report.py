"""How a load ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel.model.histogram import Recorder, quantiles
from sentinel.model.ledger import SenderLedger, as_line


@dataclass(frozen=True)
class LoadReport:
    """How a load ended."""

    ledger: SenderLedger
    started: int
    """First intended send time, ns since the epoch."""
    elapsed: float
    """Seconds from there to the last answer."""
    delay: dict[str, int] = field(default_factory=dict)
    """Send delay (ns), a `histogram.Recorder` as dict: actual minus intended send."""

    @property
    def rate(self) -> float:
        """Messages per second that Redis took."""
        return self.ledger.sent / self.elapsed if self.elapsed else 0.0

    def __str__(self) -> str:
        late = quantiles("send_delay_", Recorder.from_dict(self.delay))
        return " ".join([as_line("load", self.ledger), f"rate={self.rate:.0f}/s", *late])
