"""What the consumer and the agent say about themselves: counts and costs in, one line or one message out.

Pure. A consumer's health is a line of its own, `sentinel_consumer,consumer=C,host=H …`, written beside the points; an
agent has only the bus, so its health is a `Sample` under the measurement `sentinel_agent`. All fields are floats,
counts too: InfluxDB keeps the first type that a field came with and refuses any other, messages carry floats already,
VictoriaMetrics knows nothing else, and a float counts exactly up to 2^53.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.model.lineprotocol import escape
from sentinel.model.sample import AGENT, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.model.histogram import Recorder
    from sentinel.model.ledger import SenderLedger

CONSUMER = "sentinel_consumer"
"""Measurement of what a consumer says about itself."""

TOTALS = (
    "received", "written", "rejected", "retries", "lost", "skipped", "duplicated",
    "overwritten", "jumped", "trimmed_unread",
)  # fmt: skip
"""Counts of a consumer's ledger that its line carries, since the consumer's start; what is not known is left out."""
QUANTILES = {"p50": 0.5, "p99": 0.99}


def consumer_line(
    host: str, consumer: str, now: int, counts: Mapping[str, int], of_interval: Mapping[str, float | None]
) -> str:
    """One line at `now` (ns since the epoch): the totals among `counts`, what is pending, and readings of the interval.

    A reading that is None is left out: it is not known, or there is no such thing on this bus.
    """
    known = {"consumer": consumer, "host": host}
    series = "".join(f",{key}={escape(value)}" for key, value in known.items() if value)
    fields: dict[str, float | None] = {name: counts.get(name) for name in TOTALS}
    fields["pending"] = counts["received"] - counts["written"] - counts["rejected"]
    fields |= of_interval
    written = ",".join(f"{name}={float(value)!r}" for name, value in fields.items() if value is not None)
    return f"{CONSUMER}{series} {written} {now}"


def rates(before: Mapping[str, int], after: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Messages received and stored per second between two counts."""
    return {
        f"{name}_per_s": (after[count] - before.get(count, 0)) / seconds
        for name, count in (("received", "received"), ("stored", "written"))
        if seconds > 0
    }


def latencies(recorders: Mapping[str, Recorder]) -> dict[str, float]:
    """Quantiles of each kind in ms, such as `e2e_p99_ms`; nothing of a kind that saw no message."""
    return {
        f"{kind}_{name}_ms": recorder.quantile(q) / 1e6
        for kind, recorder in recorders.items()
        if len(recorder)
        for name, q in QUANTILES.items()
    }


def agent_message(
    host: str, now: int, ledger: SenderLedger, *, cpu_percent: float, mem_percent: float, further: Mapping[str, float]
) -> Sample:
    """An agent's message about itself: its share of one core and of the memory, its account so far, and `further`.

    It has no source and no number, so it belongs to no sequence and no host's readings.
    """
    account = {"scheduled": ledger.scheduled, "sent": ledger.sent, "unsent": ledger.unsent}
    return Sample(
        timestamp=now // 1_000_000_000,
        cpu=cpu_percent,
        mem=mem_percent,
        sent=now,
        host=host,
        fields={name: float(value) for name, value in (account | dict(further)).items()},
        measurement=AGENT,
    )
