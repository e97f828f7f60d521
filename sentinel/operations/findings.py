"""What a check finds: one thing each, good, worth a word or bad, and what to do about it. Pure."""

from __future__ import annotations

from typing import NamedTuple

GOOD, WARNING, BAD = "ok", "warning", "bad"


class Finding(NamedTuple):
    """One thing that was looked at."""

    state: str
    """`ok`, `warning` or `bad`."""
    subject: str
    """What was looked at, in a word or two."""
    found: str
    remedy: str = ""
    """What to do; empty where there is nothing to do."""


CLOCKS_AGREE = 1.0
"""Seconds by which two clocks may differ: a latency between two hosts is wrong by as much."""


def clock(subject: str, offset: float, uncertainty: float) -> Finding:
    """Compare another server's clock with this host's.

    Args:
        subject: the server, in a word or two.
        offset: seconds that its clock is ahead.
        uncertainty: seconds by which `offset` may be wrong.
    """
    words = f"{abs(offset):.3g} s {'ahead of' if offset > 0 else 'behind'} this host's (± {uncertainty:.2g} s)"
    if abs(offset) - uncertainty > CLOCKS_AGREE:
        return Finding(WARNING, subject, words, "set both by NTP: latencies are wrong by as much")
    return Finding(GOOD, subject, f"the same as this host's (± {max(uncertainty, abs(offset)):.2g} s)")


def duration(seconds: float) -> str:
    """Seconds in the largest unit that fits: `30 days`, `12 hours`."""
    for unit, size in (("day", 86_400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size:
            count = f"{seconds / size:.3g}"
            return f"{count} {unit}{'s' * (count != '1')}"
    return f"{seconds:.3g} s"
