"""Plans of trials: which configurations, in which order, under which load. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sentinel.consumer.configurations import is_known, parse
from sentinel.lab.run.trial_record import (
    CAPACITY,
    CONTROL,
    LATENCY,
    MEMORY,
    PILOT,
    PROFILE,
    UNTAPPED,
    WARM_UP,
    Plan,
    warm_up,
)
from sentinel.settings import LEAST_FIELDS, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sentinel.lab.parameters import Common, Draining, Paced

SLOW_SHARE = {CAPACITY: 10, MEMORY: 20, PROFILE: 10}
"""Where each point is a request a trial gets 1/10 of the messages, 1/20 under memray: it would take minutes else."""
FAST_FACTOR, REST = 10, 7
"""Where reads and requests are large a timed trial gets ten times the messages: it would be over in 0.2 s else. Fewer
times where messages are wide: so many fields take about as long as the rest of a message."""
PROFILED_SECONDS, MOST_PROFILED = 3.0, 500_000
"""Seconds of samples of a profile trial, or DURATION where that is less, and the most messages that it takes."""


def interleaved(names: Sequence[str], repeats: int) -> Iterator[tuple[int, str]]:
    """A B C, C B A, A B C …, so that a drift of the machine meets all alike.

    Args:
        names: Of what takes turns.
        repeats: How often each has its turn.

    Yields:
        Number of the repeat, from 0, and name.
    """
    for repeat in range(repeats):
        yield from ((repeat, name) for name in (names if repeat % 2 == 0 else reversed(names)))


def _plan(p: Common, kind: str, label: str, load: LoadSettings, **more: Any) -> Plan:
    configuration = label.removesuffix(CONTROL).removesuffix(UNTAPPED).removesuffix(PILOT)
    return Plan(0, kind, label, configuration, load, p.BATCH_SIZE, **more)


def capacity(p: Draining) -> list[Plan]:
    """Every configuration draining a full stream, the last one twice (A/A); with contenders one without the tap."""
    order = interleaved([*p.names, p.names[-1] + CONTROL, *_untapped(p)], p.rounds)
    return [
        _plan(p, CAPACITY, name, full(p, name, CAPACITY), repeat=repeat, group="capacity") for repeat, name in order
    ]


def _untapped(p: Common) -> list[str]:
    """The last of our configurations once more, where there are contenders and therefore a tap."""
    ours = profiled(p)
    return [ours[-1] + UNTAPPED] if ours and len(ours) < len(p.names) else []


def memory(p: Draining) -> list[Plan]:
    """Every configuration once under memray, with some messages more, which warm up."""
    if not p.MEMRAY:
        return []
    # The largest captures first: their pages are made while the others run.
    loads = {name: full(p, name, MEMORY) for name in sorted(profiled(p), key=lambda name: _slowness(p, name))}
    return [
        _plan(p, MEMORY, name, replace(load, count=load.count + warm_up(load.count)), group="memory")
        for name, load in loads.items()
    ]


def profile(p: Draining, rates: Mapping[str, float], longest: float = PROFILED_SECONDS) -> list[Plan]:
    """Every configuration once under py-spy.

    Args:
        p: The notebook's parameters.
        rates: The configurations' capacities, where they are known, msg/s.
        longest: Seconds that one trial may take.
    """
    plans, seconds = [], min(PROFILED_SECONDS, longest)
    for name in profiled(p):
        load = full(p, name, PROFILE)
        enough = min(int(rates.get(name, 0.0) * seconds), MOST_PROFILED)
        plans.append(_plan(p, PROFILE, name, replace(load, count=max(load.count, enough)), group="profile"))
    return plans


def _slowness(p: Draining, name: str) -> tuple[bool, int]:
    return not parse(name).point.object_per_point, -full(p, name, MEMORY).count


def profiled(p: Common) -> list[str]:
    """The configurations that memray and py-spy can look into: ours."""
    return [name for name in p.names if is_known(name)]


def full(p: Draining, name: str, kind: str) -> LoadSettings:
    """A stream's worth of messages: fewer where each point is a request, more where they pass quickest."""
    if not is_known(name):
        return load_of(p, count=p.MESSAGES)
    configuration = parse(name.removesuffix(CONTROL).removesuffix(UNTAPPED))
    fast = configuration.receive.whole_reads and configuration.write.whole_batches
    count = p.MESSAGES * (_fast_factor(p.FIELDS) if fast and kind == CAPACITY else 1)
    if configuration.write.request_per_point:
        count //= SLOW_SHARE[kind]
    return load_of(p, count=count)


def _fast_factor(fields: int) -> int:
    return max(1, round(FAST_FACTOR * (REST + LEAST_FIELDS) / (REST + fields)))


def load_of(p: Common, transport: str = "stream", **more: Any) -> LoadSettings:
    """A load of the messages and sources that the parameters ask for."""
    many: dict[str, Any] = {
        "workers": p.WORKERS,
        "sources": p.sources,
        "fields": p.FIELDS,
        "tags": p.TAGS,
        "seed": p.SEED,
        "replay": p.replay,
    }
    return LoadSettings(transport, p.CODEC, **many, **more)


def paced_load(p: Paced, rate: float) -> LoadSettings:
    """A load of so many messages a second for the measured seconds and the warm-up."""
    return load_of(p, p.TRANSPORT, rate=rate, duration=p.DURATION + WARM_UP, loop=p.LOOP)


def paced(p: Paced, names: Sequence[str], rate: float, group: str, repeats: int) -> list[Plan]:
    """Configurations in turn under one load, after a warm-up.

    Args:
        p: The notebook's parameters.
        names: The configurations.
        rate: Of the load, msg/s.
        group: Trials of one group are compared with each other.
        repeats: Trials of each.
    """
    load, how = paced_load(p, rate), {"group": group, "percentiles": p.asked}
    return [_plan(p, LATENCY, name, load, repeat=repeat, **how) for repeat, name in interleaved(names, repeats)]
