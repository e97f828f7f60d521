"""Counters that only grow, and the rates they yield. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Counters = Mapping[str, Mapping[str, int]]
"""By the name of a rate, then by device."""


def rates(before: Counters, after: Counters, seconds: float) -> dict[str, float]:
    """Growth per second, summed over the devices that both readings have.

    What a new device counted before it came is no growth; a counter that went back (reset, wrapped) is left out.

    Args:
        before: the earlier reading.
        after: the later reading.
        seconds: time between the two; where it is not above 0 there are no rates.

    Returns:
        Units per second, by the counters' names.
    """
    if seconds <= 0:
        return {}
    growth = {
        name: [now - before[name][device] for device, now in devices.items() if device in before.get(name, {})]
        for name, devices in after.items()
    }
    forward = {name: [each for each in differences if each >= 0] for name, differences in growth.items()}
    return {name: sum(differences) / seconds for name, differences in forward.items() if differences}
