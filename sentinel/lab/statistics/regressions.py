"""What got worse from one configuration to another, of every key measure that was looked at. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.statistics import compare, tails
from sentinel.lab.statistics.metrics import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.compare import Ratio

KINDS, PERCENTILES = ("internal", "e2e", "stored"), ("p50", "p99", "p99.9")
MEASURES = (
    Measure("capacity", "capacity", "msg/s", higher=True),
    Measure("capacity_cpu_us", "CPU per message while draining", "µs"),
    Measure("cpu_us", "CPU per message under the common load", "µs"),
    Measure("capacity_peak_rss_mb", "peak memory", "MB"),
    Measure("bytes_per_message", "allocated bytes per message", "bytes", repeated=False),
)
"""Besides the latencies."""


def looked_at(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Every key measure; of the latencies those that the messages of all these trials carry."""
    return [
        *MEASURES,
        *(
            Measure(f"{kind}_{percentile}", f"{kind} {percentile}", "ms")
            for kind in KINDS
            for percentile in PERCENTILES
            if tails.carried(percentile, tails.fewest(outcomes, kind))
        ),
    ]


def sentence(
    ratios: Mapping[str, Ratio], floors: Mapping[str, float], latencies: Sequence[Outcome], new: str, old: str
) -> str:
    """What got worse, with its ratio, or that nothing did; and how many measures were looked at.

    `floors` are noise floors by measure, `compare.BAND` where there is none; `latencies` the trials behind latencies.
    """
    judged = {
        measure: measure.judged(ratios[measure.name], floors.get(measure.name, compare.BAND))
        for measure in looked_at(latencies)
        if measure.name in ratios and math.isfinite(ratios[measure.name].value)
    }
    worse = [
        f"{measure.title}, {str(ratios[measure.name]).split(' (')[0]}"
        for measure, text in judged.items()
        if text == "worse"
    ]
    open_ended = list(judged.values()).count("cannot tell")
    count = f"{formatting.counted(len(judged), 'measure')} looked at"
    rest = f", {open_ended} of them inconclusive" if open_ended else ""
    if worse:
        return f"Worse than {old}: {'; '.join(worse)} ({count}{rest})."
    if (repeated := [ratios[measure.name].n for measure in judged if measure.repeated]) and max(repeated) == 1:
        return _single(list(judged), new, old)
    if open_ended == len(judged):
        return f"Whether anything got worse from {old} to {new}: cannot tell ({count}{rest})."
    unsure = f" ({open_ended} of them inconclusive)" if open_ended else ""
    return f"None of the {count} was seen to get worse than with {old}{unsure}."


def _single(judged: Sequence[Measure], new: str, old: str) -> str:
    """What single trials say: nothing, but for what varies so little that one is enough."""
    known = " and ".join(measure.title for measure in judged if not measure.repeated)
    but = f" but {known}" if known else ""
    return (
        f"One trial each of {old} and {new}: there is no interval, so nothing{but} can be judged;"
        " take REPEATS=3 or more."
    )
