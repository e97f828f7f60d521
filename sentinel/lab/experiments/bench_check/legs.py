"""What the gate measures besides its configurations: `optimised` under a light load, and with wide messages. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, WARM_UP, Plan
from sentinel.lab.trials import plans
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

LIGHT, AT_ONCE, WIDE = "light load", "light load, no linger", "50 fields"
"""Labels: reads that linger as they do by themselves, and not at all; messages of 50 numbers."""
RATE, SECONDS = 5000.0, 1.0
"""Of the light load: msg/s, and how long it is measured."""
FIELDS = 50


@dataclass(frozen=True)
class Pinned(Benchmark):
    """The parameters of the gate."""

    @property
    def legs(self) -> list[str]:
        """Labels that budgets may name."""
        return [*self.names, LIGHT, AT_ONCE, WIDE]


def light(p: Pinned) -> list[Plan]:
    """A light load, with linger and without, in an order that alternates.

    Args:
        p: The gate's parameters.
    """
    load = LoadSettings(p.TRANSPORT, p.CODEC, p.WORKERS, RATE, SECONDS + WARM_UP, seed=p.SEED)
    bare = Plan(0, LATENCY, LIGHT, OPTIMISED.name, load, p.BATCH_SIZE, group=LIGHT)
    return list(_rounds(p, [bare, replace(bare, label=AT_ONCE, linger=0.0)]))


def wide(p: Pinned) -> list[Plan]:
    """Full streams of wide messages, in the group of all capacities.

    Args:
        p: The gate's parameters.
    """
    load = LoadSettings("stream", p.CODEC, p.WORKERS, count=p.MESSAGES, seed=p.SEED, fields=FIELDS)
    return list(_rounds(p, [Plan(0, CAPACITY, WIDE, OPTIMISED.name, load, p.BATCH_SIZE, group=CAPACITY)]))


def _rounds(p: Pinned, legs: list[Plan]) -> Iterator[Plan]:
    by_label = {leg.label: leg for leg in legs}
    for repeat, label in plans.interleaved(list(by_label), p.rounds):
        yield replace(by_label[label], repeat=repeat)
