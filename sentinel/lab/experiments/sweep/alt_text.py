"""What the figure of a sweep shows, in words with numbers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.sweep.knee import Knee
    from sentinel.lab.experiments.sweep.results import Point


def held(knee: Knee) -> str:
    """The highest rate at which a configuration meets the SLO, as a verb's phrase."""
    if knee.rate is None:
        return "is without an answer" if knee.at_least else "meets the SLO at no rate offered"
    return f"meets the SLO up to {'at least ' if knee.at_least else ''}{formatting.plain(knee.rate)} msg/s"


def climb(points: Mapping[str, Sequence[Point]], knees: Mapping[str, Knee], slo: float) -> str:
    """The knee of every curve, and its ends."""
    sentences = []
    for name, some in points.items():
        ends = [
            f"stored p99 {formatting.figure(point.values.get('stored_p99'))} ms at {formatting.plain(point.rate)}"
            for point in {point.rate: point for point in (some[0], some[-1])}.values()
        ]
        sentences.append(
            f"{name} {held(knees[name])}, {formatting.joined(ends)} (n = {formatting.counted(len(some), 'trial')})"
        )
    return (
        "Latency percentiles and achieved rate over the offered rate in messages per second, on log axes, with a line"
        f" at {formatting.plain(slo)} ms: {'; '.join(sentences)}."
    )
