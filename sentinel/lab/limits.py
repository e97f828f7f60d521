"""Measuring the limits: what Redis alone and the store alone can do on this machine.

Each measurement is sized by short trials first, so that it takes about as long on a slow store as on a fast one, then
repeated, interleaved with the others. What is timed, and how, is in `alone`.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sentinel.lab.alone import BusAlone, StoreAlone
from sentinel.lab.bounds import BUS, LINES, Limit
from sentinel.lab.plans import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.lab.alone import Measurement
    from sentinel.lab.stack import Stack

__all__ = ["REPEATS", "SECONDS", "Limit", "expected", "measure", "steps"]

SECONDS = 0.8
"""Of one measurement."""
REPEATS = 3


def measure(
    stack: Stack,
    run: str,
    *,
    codec: str = "json",
    seconds: float = SECONDS,
    repeats: int = REPEATS,
    note: Callable[[str], object] = lambda _: None,
) -> list[Limit]:
    """Every limit of the stack, each measured `repeats` times for about `seconds`.

    `note` is given the name of each measurement that is done, `steps` in all. Nothing is left on the bus; points stay
    in the lab's bucket under the tag `run`, as a trial's do.

    Raises:
        BusError, StoreError: a server does not answer, or refuses.
        TrialError: something was lost on the way.
    """
    alone, store = BusAlone(stack.bus.keyed(f"lab:{run}"), codec), StoreAlone(stack, run)
    with closing(store):
        found = {one.name: one for one in (*alone.measurements(), *store.measurements())}
        counts = {}
        for name, one in found.items():
            counts[name] = _enough(one, seconds)
            note(name)
        rates: dict[str, list[float]] = {name: [] for name in found}
        for _, name in interleaved(list(found), repeats):
            rates[name].append(counts[name] / found[name].timed(counts[name]))
            note(name)
        store.verify()
    return [Limit(one.name, one.words, one.unit, tuple(rates[name])) for name, one in found.items()]


def steps(repeats: int = REPEATS) -> int:
    """How often `measure` calls `note`."""
    return (len(BUS) + len(LINES)) * (repeats + 1)


def expected(repeats: int = REPEATS) -> float:
    """Roughly how long `measure` takes, in seconds, for the progress bar only."""
    return 1.3 * SECONDS * steps(repeats)


def _enough(one: Measurement, seconds: float) -> int:
    """How many take about `seconds`, by trials that grow until one takes a quarter of it."""
    count = one.step
    while (took := one.timed(count)) < seconds / 4 and count < one.most:
        count = min(one.most, count * min(16, max(2, int(seconds / 3 / took))))
    whole = int(count / took * seconds) // one.step * one.step
    return max(one.step, min(one.most, whole))
