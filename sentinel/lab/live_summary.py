"""A watch in figures and sentences. Pure: its outcome and the agent's samples in."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.outcome import Outcome
    from sentinel.lab.parameters import Live


def of_live(
    p: Live, outcome: Outcome, samples: Sequence[Mapping[str, Any]], watched: Mapping[str, Any]
) -> dict[str, Any]:
    """`summary`, `verdict` and `warnings` of a watch; `watched`: its `seconds`, and whether it was `interrupted`."""
    (name,) = p.names
    latencies = {f"{kind}_{q}": values.get(q) for kind, values in outcome.latencies.items() for q in ("p50", "p99")}
    summary = {name: {"throughput": outcome.throughput, "cpu_us": outcome.cpu_us, **latencies}, "host": host(samples)}
    return {
        "summary": summary,
        "verdict": [_account(outcome, len(samples), watched), *_latency(outcome), _host(summary["host"])],
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
    time = f"In {words.figure(watched['seconds'])} s{cut}"
    if not outcome.valid:
        return f"{time}, the watch is invalid: {'; '.join(outcome.problems)}."
    sent, got = outcome.sender["sent"], outcome.consumer
    counts = {"lost": outcome.lost, "rejected": got["rejected"], "left unread": outcome.unread}
    bad = [f"{words.count(count)} {fate}" for fate, count in counts.items() if count]
    again = [f"{words.counted(got['retries'], 'request')} made again"] if got["retries"] else []
    return (
        f"{time}, {words.count(sent)} messages were sent, {words.count(samples)} of them this host's own samples, and"
        f" the store holds {words.count(outcome.stored)}: {words.joined(bad + again) or 'nothing was lost'}."
        " Every message is accounted for."
    )


def _latency(outcome: Outcome) -> list[str]:
    stored, e2e = (outcome.latencies.get(kind, {}) for kind in ("stored", "e2e"))
    if not stored.get("n"):
        return []
    return [
        f"At {words.figure(outcome.throughput)} msg/s a message was stored after {words.figure(stored.get('p50'))} ms"
        f" (p50) and {words.figure(stored.get('p99'))} ms (p99), counted from its intended send; it was in a batch"
        f" after {words.figure(e2e.get('p50'))} ms and {words.figure(e2e.get('p99'))} ms."
    ]


def _host(found: Mapping[str, Any]) -> str:
    if not found:
        return "The agent sent no sample, so nothing is known of this host."
    return (
        f"This host: CPU {words.figure(found['cpu'])} % (median of {words.counted(found['samples'], 'sample')}; up to"
        f" {words.figure(found['cpu_max'])} %), memory {words.figure(found['mem'])} %, load"
        f" {words.figure(found['load1'])} at the end."
    )
