"""A watch in figures and sentences. Pure: its outcome and the agent's samples in."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.live.parameters import Live
    from sentinel.lab.experiments.live.window import Figures
    from sentinel.lab.run.trial_record import Outcome


def of_live(
    p: Live, outcome: Outcome, samples: Sequence[Mapping[str, Any]], watched: Mapping[str, Any], whole: Figures
) -> dict[str, Any]:
    """`summary`, `verdict` and `warnings` of a watch.

    `watched`: its `seconds`, and whether it was `interrupted`; `whole`: its key figures from the first message to the
    last, the same that the view shows.
    """
    (name,) = p.names
    latencies = {f"{kind}_p{100 * q:.0f}": _known(value) for (kind, q), value in whole.latencies.items()}
    summary = {name: {"throughput": _known(whole.stored), "cpu_us": outcome.cpu_us, **latencies}, "host": host(samples)}
    return {
        "summary": summary,
        "verdict": [_account(outcome, len(samples), watched), *_latency(whole), _host(summary["host"])],
        "warnings": outcome.warnings,
    }


def host(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Median and highest CPU and memory (%) of the samples, and the last load; empty without samples."""
    if not samples:
        return {}
    cpu, mem = ([sample[name] for sample in samples] for name in ("cpu_usage", "mem_usage"))
    return {
        "samples": len(samples),
        "cpu": statistics.median(cpu),
        "cpu_max": max(cpu),
        "mem": statistics.median(mem),
        "load1": (samples[-1].get("fields") or {}).get("load1"),
    }


def _account(outcome: Outcome, samples: int, watched: Mapping[str, Any]) -> str:
    cut = " (interrupted)" if watched["interrupted"] else ""
    time = f"In {formatting.figure(watched['seconds'])} s{cut}"
    if not outcome.valid:
        return f"{time}, the watch is invalid: {'; '.join(outcome.problems)}."
    sent, got = outcome.sender["sent"], outcome.consumer
    counts = {"lost": outcome.lost, "rejected": got["rejected"], "left unread": outcome.unread}
    counts["overwritten"] = got.get("overwritten", 0)
    bad = [f"{formatting.count(count)} {fate}" for fate, count in counts.items() if count]
    again = [f"{formatting.counted(got['retries'], 'request')} made again"] if got["retries"] else []
    return (
        f"{time}, {formatting.count(sent)} messages were sent, {formatting.count(samples)} of them this host's own"
        f" samples, and the store holds {formatting.count(outcome.stored)}:"
        f" {formatting.joined(bad + again) or 'nothing was lost'}. Every message is accounted for."
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _latency(whole: Figures) -> list[str]:
    if not math.isfinite(whole.latencies["stored", 0.5]):
        return []
    ms = {key: formatting.figure(value) for key, value in whole.latencies.items()}
    return [
        f"At {formatting.figure(whole.stored)} msg/s a message was stored after {ms['stored', 0.5]} ms (p50) and"
        f" {ms['stored', 0.99]} ms (p99), counted from its intended send; it was in a batch after {ms['e2e', 0.5]} ms"
        f" and {ms['e2e', 0.99]} ms."
    ]


def _host(host: Mapping[str, Any]) -> str:
    if not host:
        return "The agent sent no sample, so nothing is known of this host."
    return (
        f"This host: CPU {formatting.figure(host['cpu'])} % (median of"
        f" {formatting.counted(host['samples'], 'sample')}; up to"
        f" {formatting.figure(host['cpu_max'])} %), memory {formatting.figure(host['mem'])} %, load"
        f" {formatting.figure(host['load1'])} at the end."
    )
