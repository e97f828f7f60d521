"""Plans of trials: which configurations, in which order, under which load. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sentinel.configurations import BASELINE, parse
from sentinel.lab.outcome import AGAIN, CAPACITY, LATENCY, MEMORY, WARM_UP, Plan, warm_up
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.parameters import Common, Draining, Paced

SLOW_SHARE = {CAPACITY: 10, MEMORY: 20}
"""Where each point is a request a trial gets 1/10 of the messages, 1/20 under memray: it would take minutes else."""


def interleaved(names: Sequence[str], repeats: int) -> Iterator[tuple[int, str]]:
    """(repeat, name): A B C, C B A, A B C …, so that a drift of the machine meets all alike."""
    for repeat in range(repeats):
        yield from ((repeat, name) for name in (names if repeat % 2 == 0 else reversed(names)))


def _plan(p: Common, kind: str, label: str, load: LoadSettings, **more: Any) -> Plan:
    return Plan(0, kind, label, label.removesuffix(AGAIN), load, p.BATCH_SIZE, **more)


def capacity(p: Draining) -> list[Plan]:
    """Every configuration draining a full stream, the last one twice (A/A)."""
    order = interleaved([*p.names, p.names[-1] + AGAIN], p.REPEATS)
    return [
        _plan(p, CAPACITY, name, _full(p, name, CAPACITY), repeat=repeat, group="capacity") for repeat, name in order
    ]


def memory(p: Draining) -> list[Plan]:
    """Every configuration once under memray, with some messages more, which warm up."""
    if not p.MEMRAY:
        return []
    # The largest captures first: their pages are made while the others run.
    loads = {name: _full(p, name, MEMORY) for name in sorted(p.names, key=lambda name: _slowness(p, name))}
    return [
        _plan(p, MEMORY, name, replace(load, count=load.count + warm_up(load.count)), group="memory")
        for name, load in loads.items()
    ]


def _slowness(p: Draining, name: str) -> tuple[bool, int]:
    return parse(name).point != BASELINE.point, -_full(p, name, MEMORY).count


def _full(p: Draining, name: str, kind: str) -> LoadSettings:
    """A stream's worth of messages for a configuration: fewer where each point is a request."""
    slow = parse(name.removesuffix(AGAIN)).write == BASELINE.write
    count = p.MESSAGES // (SLOW_SHARE[kind] if slow else 1)
    return LoadSettings("stream", p.CODEC, p.WORKERS, count=count, seed=p.SEED)


def paced(p: Paced, names: Sequence[str], rate: float, group: str, repeats: int) -> list[Plan]:
    """Configurations in turn under one load of `rate` messages per second, after a warm-up."""
    load = LoadSettings(p.TRANSPORT, p.CODEC, p.WORKERS, rate, p.DURATION + WARM_UP, seed=p.SEED)
    return [_plan(p, LATENCY, name, load, repeat=repeat, group=group) for repeat, name in interleaved(names, repeats)]
