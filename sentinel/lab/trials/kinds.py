"""Kinds of trial: how each starts its consumer, how often it is tried, and roughly how long it takes.

`latency`: a paced load beside the consumer, after a warm-up that is left out. `capacity`: a stream is filled first,
then the consumer drains it alone. `memory`: like capacity, under memray; `profile`: under py-spy; neither is ever used
for timing. `live`: as latency, with an agent beside, while somebody looks on.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab.profiling import cpu
from sentinel.lab.replay.recording import located
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, LIVE, MEMORY, PROFILE, Plan, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sentinel.settings import LoadSettings

CONSUMER = "consumer"
PER_PROCESS = 200_000
"""Messages per second that one process of the load generator is trusted with."""
SENT = ("workers", "rate", "duration", "count", "loop", "codec", "connections", "seed", "fields", "tags")
"""Settings of a load that are options of the load generator by the same name."""


@dataclass(frozen=True)
class Start:
    """How a consumer is started."""

    words: tuple[str, ...] = ()
    """Options besides those that every consumer of a trial has."""
    module: str = "sentinel"
    under: tuple[str, ...] = ()
    """The command of a program whose child it is."""
    python: str = sys.executable
    """The interpreter: another one has another version of the package."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables besides those that every program of a trial is given."""
    folder: Path | None = None
    """Where it starts; None: where the lab did."""


@dataclass(frozen=True)
class TrialKind:
    """One kind of trial."""

    start: Callable[[Plan, Path], Start]
    """By plan and folder of the trial."""
    seconds: float
    """Rough overhead beside a paced load, for the progress bar only."""
    program: str = CONSUMER
    """The process that is started and sampled: the consumer, or the one whose child it is."""
    leaves: str = ""
    """A file in the trial's folder without which it is tried again; empty where once is enough."""
    attempts: int = 1


def _beside_load(_plan: Plan, _folder: Path) -> Start:
    return Start()


def _draining(_plan: Plan, _folder: Path) -> Start:
    return Start(("--until-empty",))


def _under_memray(plan: Plan, folder: Path) -> Start:
    words = ("--capture", str(folder / "memray.bin"), "--warm-up", str(warm_up(plan.load.count)))
    return Start(words, module="sentinel.lab.profiling.memray_consumer")


def _under_pyspy(_plan: Plan, folder: Path) -> Start:
    return Start(("--until-empty",), under=tuple(cpu.sampling(folder / cpu.FOLDED)))


HERE = Start()
"""As the lab itself was started."""
KINDS: Mapping[str, TrialKind] = {
    LATENCY: TrialKind(_beside_load, 2.5),
    LIVE: TrialKind(_beside_load, 2.5),
    CAPACITY: TrialKind(_draining, 3.0),
    MEMORY: TrialKind(_under_memray, 7.0),
    # Now and then py-spy fails to find out which Python it samples, and finds out when it is tried again.
    PROFILE: TrialKind(_under_pyspy, 8.0, program="py-spy", leaves=cpu.FOLDED, attempts=3),
}
"""By the name that a plan has for it."""


def consumer_words(plan: Plan, start: Start, key: str, tag: str, record: Path) -> list[str]:
    """A consumer's module and options for a plan.

    Args:
        plan: What it is to do.
        start: How it is started.
        key: Of its stream or channel.
        tag: The `run` tag of its points.
        record: The folder of its record.
    """
    options = {
        "configuration": plan.configuration,
        "transport": _transport(plan),
        "key": key,
        "batch-size": plan.batch_size,
        "run": tag,
        "health": "off",  # nothing writes beside what is measured
        "record": record,
    }
    if plan.linger is not None:
        options["linger"] = f"{plan.linger:g}"
    verb = ["consume"] if start.module == "sentinel" else []
    return [start.module, *verb, *_words(options), *start.words]


def load_words(plan: Plan, key: str, record: Path) -> list[str]:
    """The load generator's module and options for a plan.

    Args:
        plan: What is to be sent; where nothing is paced, onto a stream, by one process.
        key: Of the stream or channel.
        record: The folder of its record.
    """
    load = plan.load
    options = {
        **{name: getattr(load, name) for name in SENT},
        "transport": _transport(plan),
        "key": key,
        "record": record,
        "processes": _processes(load),
        **({"replay": located(load.replay)} if load.replay else {}),
    }
    if load.sources:
        options["sources"] = load.sources
    return ["sentinel", "load", *_words(options)]


def _processes(load: LoadSettings) -> int:
    """How many are needed; of the sources of a recording the load generator itself finds out how many there are."""
    needed = 1 if load.count else math.ceil(load.rate / PER_PROCESS)
    return needed if load.replay else min(load.emitters, needed)


def _transport(plan: Plan) -> str:
    """Nothing can be put on a channel before the consumer is there."""
    return plan.load.transport if plan.paced else "stream"


def _words(options: Mapping[str, object]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]
