"""A watch in figures and sentences. Pure: its outcome and the agent's samples in."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.lab import formatting
from sentinel.lab.experiments.live.figures import named
from sentinel.lab.experiments.live.record import Account, Answer, Host, Record
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.live.figures import Figures
    from sentinel.lab.experiments.live.parameters import Live
    from sentinel.lab.experiments.live.record import Watched
    from sentinel.lab.run.trial_record import Outcome


def of_live(
    p: Live, outcome: Outcome, samples: Sequence[Mapping[str, Any]], watched: Watched, whole: Figures
) -> Record:
    """The record's part that a watch makes.

    Args:
        p: Its parameters.
        outcome: What its trial found.
        samples: Of this host, by its agent.
        watched: How long it took, and whether it was ended by hand.
        whole: Its key figures from the first message to the last, the same that the view shows.
    """
    (name,) = p.names
    latencies = {f"{kind}_{named(q)}": _known(value) for (kind, q), value in whole.latencies.items()}
    figures = {"throughput": _known(whole.stored), "cpu_us": outcome.cpu_us, **latencies}
    seen = host(samples)
    answer = Answer(_counted(outcome, len(samples), watched), figures, seen)
    return Record(
        summary={name: figures, "host": msgspec.to_builtins(seen) or {}},
        watched=watched,
        answer=answer,
        verdict=[*map(str, phrases(answer))],
        warnings=outcome.warnings,
    )


def nothing() -> Record:
    """The record of a session in which no watch was carried out."""
    answer = Answer()
    return Record(answer=answer, verdict=[*map(str, phrases(answer))])


def host(samples: Sequence[Mapping[str, Any]]) -> Host | None:
    """The agent's samples summed up.

    Args:
        samples: Samples as they travel, in order.

    Returns:
        Median and highest CPU and memory in percent, and the last load; None without samples.
    """
    if not samples:
        return None
    cpu, mem = ([sample[name] for sample in samples] for name in ("cpu_usage", "mem_usage"))
    load1 = (samples[-1].get("fields") or {}).get("load1")
    return Host(len(samples), statistics.median(cpu), max(cpu), statistics.median(mem), load1)


def _counted(outcome: Outcome, samples: int, watched: Watched) -> Account:
    got = outcome.consumer
    return Account(
        seconds=watched.seconds,
        interrupted=watched.interrupted,
        valid=outcome.valid,
        problems=outcome.problems,
        sent=outcome.sender.get("sent", 0),
        samples=samples,
        stored=outcome.stored,
        lost=outcome.lost,
        rejected=got.get("rejected", 0),
        unread=outcome.unread,
        overwritten=got.get("overwritten") or 0,
        retries=got.get("retries", 0),
    )


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


# -- in sentences ----------------------------------------------------------------------------------------------------


def phrases(answer: Answer) -> list[Phrase]:
    """The answer in sentences.

    Args:
        answer: The answer as data.

    Returns:
        Phrases on what became of the messages, how long they took, and how the host was.
    """
    if answer.account is None:
        return [Phrase(["Nothing was watched."])]
    return [_account(answer.account), *_latency(answer.figures), Phrase([_host(answer.host)])]


def _account(host: Account) -> Phrase:
    cut = " (interrupted)" if host.interrupted else ""
    time = f"In {formatting.figure(host.seconds)} s{cut}"
    if not host.valid:
        why = "; ".join(host.problems)
        return phrase("{time}, the watch is {invalid}: {why}.", time=time, invalid=Strong("invalid"), why=why)
    counts = {"lost": host.lost, "rejected": host.rejected, "left unread": host.unread}
    counts["overwritten"] = host.overwritten
    bad = [f"{formatting.count(count)} {fate}" for fate, count in counts.items() if count]
    again = [f"{formatting.counted(host.retries, 'request')} made again"] if host.retries else []
    return Phrase([
        f"{time}, {formatting.count(host.sent)} messages were sent, {formatting.count(host.samples)} of them this"
        " host's own"
        f" samples, and the store holds {formatting.count(host.stored)}:"
        f" {formatting.joined(bad + again) or 'nothing was lost'}."
        " Every message is accounted for."
    ])  # fmt: skip


def _latency(host: Mapping[str, float | None]) -> list[Phrase]:
    if host.get("stored_p50") is None:
        return []
    shown = ("p50", "p99") if host.get("stored_p99") is not None and host.get("e2e_p99") is not None else ("p50",)
    stored = [f"{formatting.figure(host[f'stored_{name}'])} ms ({name})" for name in shown]
    e2e = [f"{formatting.figure(host.get(f'e2e_{name}'))} ms" for name in shown]
    few = "" if len(shown) > 1 else f" For a p99 there were too few: it takes {tails.NEEDED['p99']} messages."
    return [Phrase([
        f"At {formatting.figure(host['throughput'])} msg/s a message was stored after {formatting.joined(stored)},"
        f" counted from its intended send; it was in a batch after {formatting.joined(e2e)}.{few}"
    ])]  # fmt: skip


def _host(host: Host | None) -> str:
    if host is None:
        return "The agent sent no sample, so nothing is known of this host."
    return (
        f"This host: CPU {formatting.figure(host.cpu)} % (median of {formatting.counted(host.samples, 'sample')}; up to"
        f" {formatting.figure(host.cpu_max)} %), memory {formatting.figure(host.mem)} %, load"
        f" {formatting.figure(host.load1)} at"
        " the end."
    )
