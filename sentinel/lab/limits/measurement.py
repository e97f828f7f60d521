"""Measuring the limits: what Redis alone and the store alone can do on this machine.

Each measurement is sized by short trials first, so that it takes about as long on a slow store as on a fast one; where
there are several ways to do it, the one that reaches most is kept. Then it is repeated, interleaved with the others.
What is timed, and how, is in `bus` and `store`.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.lab.limits.bounds import BUS, CONNECTIONS, LINES, READ
from sentinel.lab.limits.bus import IsolatedBus
from sentinel.lab.limits.limit import Limit
from sentinel.lab.limits.store import IsolatedStore
from sentinel.lab.trials.plans import interleaved
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.lab.limits.component import Measurement
    from sentinel.lab.stack import Stack

__all__ = ["REPEATS", "SECONDS", "Limit", "again", "expected", "measure", "steps"]

SECONDS = 0.8
"""Of one measurement."""
REPEATS = 3
USUAL = LoadSettings()


def measure(
    stack: Stack,
    run: str,
    *,
    message: LoadSettings = USUAL,
    seconds: float = SECONDS,
    repeats: int = REPEATS,
    note: Callable[[str], object] = lambda _: None,
) -> list[Limit]:
    """Every limit of the stack. Nothing is left on the bus; points stay in the lab's bucket, as a trial's do.

    Args:
        stack: What is measured.
        run: The tag of the points.
        message: What messages are like: codec, fields and tags.
        seconds: About how long each measurement takes.
        repeats: How often each is made.
        note: Called with the name of each measurement that is done, `steps` times in all.

    Raises:
        BusError, StoreError: a server does not answer, or refuses.
        TrialError: something was lost on the way.
    """
    isolated, store = IsolatedBus(stack.bus.keyed(f"lab:{run}"), message), IsolatedStore(stack, run, message)
    with closing(store):
        measured = _fastest([*isolated.measurements(), *store.measurements()], seconds, note)
        rates: dict[str, list[float]] = {name: [] for name in measured}
        for _, name in interleaved(list(measured), repeats):
            way, count = measured[name]
            rates[name].append(count / way.timed(count))
            note(name)
        store.verify()
    return [
        Limit(measurement.name, measurement.words, measurement.unit, tuple(rates[name]))
        for name, (measurement, _) in measured.items()
    ]


def again(stack: Stack, run: str, limits: Sequence[Limit], message: LoadSettings) -> list[Limit]:
    """The limits, with a further value for each limit that a drained stream is held against.

    For after the capacities, since the others are measured before them: the machine may have been slower then.

    Args:
        stack: What is measured.
        run: The tag of the points.
        limits: What `measure` returned.
        message: What messages are like: codec, fields and tags.

    Raises:
        BusError, StoreError, TrialError: as `measure`.
    """
    isolated, store = IsolatedBus(stack.bus.keyed(f"lab:{run}"), message), IsolatedStore(stack, run, message)
    highest = {limit.words: limit.highest for limit in limits}
    with closing(store):
        read = next(way for way in isolated.measurements() if way.name == READ)
        write = max(store.measurements(), key=lambda way: highest.get(way.words, 0.0))
        more = {}
        for way in (read, write):
            count = _enough(way, highest[way.words], SECONDS)
            more[way.words] = count / way.timed(count)
        store.verify()
    return [_with(limit, more) for limit in limits]


def _with(limit: Limit, more: dict[str, float]) -> Limit:
    return replace(limit, values=(*limit.values, more[limit.words])) if limit.words in more else limit


def _fastest(
    ways: Sequence[Measurement], seconds: float, note: Callable[[str], object]
) -> dict[str, tuple[Measurement, int]]:
    """By name the way that reaches most in a short trial, with the count that takes about `seconds`."""
    measured: dict[str, tuple[Measurement, float]] = {}
    for way in ways:
        rate = _tried(way, seconds)
        if way.name not in measured or rate > measured[way.name][1]:
            measured[way.name] = way, rate
        note(way.name)
    return {name: (way, _enough(way, rate, seconds)) for name, (way, rate) in measured.items()}


def steps(repeats: int = REPEATS) -> int:
    """How often `measure` calls `note`.

    Args:
        repeats: As `measure` has it.
    """
    return len(BUS) + len(LINES) * len(CONNECTIONS) + (len(BUS) + len(LINES)) * repeats


def expected(repeats: int = REPEATS) -> float:
    """Roughly how long `measure` takes, in seconds, for the progress bar only.

    Args:
        repeats: As `measure` has it.
    """
    return 1.1 * SECONDS * steps(repeats)


def _tried(way: Measurement, seconds: float) -> float:
    """How many a second, by trials that grow until one takes a quarter of `seconds`."""
    count = way.step
    while (took := way.timed(count)) < seconds / 4 and count < way.most:
        count = min(way.most, count * min(16, max(2, int(seconds / 3 / took))))
    return count / took


def _enough(way: Measurement, rate: float, seconds: float) -> int:
    """How many take about `seconds`, in whole steps."""
    return max(way.step, min(way.most, int(rate * seconds) // way.step * way.step))
