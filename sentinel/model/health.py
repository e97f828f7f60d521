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
    """A consumer's report on itself, as a line of line protocol.

    Args:
        host: where it runs.
        consumer: its name in the group.
        now: time of the report, ns since the epoch.
        counts: messages so far by name; totals, and what is pending, are taken from it.
        of_interval: readings of the interval by field; None, where one is not known or does not exist, is left out.
    """
    known = {"consumer": consumer, "host": host}
    series = "".join(f",{key}={escape(value)}" for key, value in known.items() if value)
    fields: dict[str, float | None] = {name: counts.get(name) for name in TOTALS}
    fields["pending"] = counts["received"] - counts["written"] - counts["rejected"]
    fields |= of_interval
    written = ",".join(f"{name}={float(value)!r}" for name, value in fields.items() if value is not None)
    return f"{CONSUMER}{series} {written} {now}"


def rates(before: Mapping[str, int], after: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Messages received and stored per second, between two counts.

    Args:
        before: Counts of a consumer's ledger.
        after: The same counts later.
        seconds: How much later.
    """
    return {
        f"{name}_per_s": (after[count] - before.get(count, 0)) / seconds
        for name, count in (("received", "received"), ("stored", "written"))
        if seconds > 0
    }


def latencies(recorders: Mapping[str, Recorder]) -> dict[str, float]:
    """Quantiles of each kind of latency in ms, by field such as `e2e_p99_ms`; none of a kind that saw no message."""
    return {
        f"{kind}_{name}_ms": recorder.quantile(q) / 1e6
        for kind, recorder in recorders.items()
        if len(recorder)
        for name, q in QUANTILES.items()
    }


def agent_message(
    host: str, now: int, ledger: SenderLedger, *, cpu_percent: float, mem_percent: float, further: Mapping[str, float]
) -> Sample:
    """An agent's message about itself, without source and number: it belongs to no sequence and no host's readings.

    Args:
        host: where it runs.
        now: time of the message, ns since the epoch.
        ledger: its account so far.
        cpu_percent: CPU of its process since the last message, percent of one core.
        mem_percent: its resident memory, percent of the host's.
        further: other readings by field.
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
