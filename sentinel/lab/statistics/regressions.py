"""Which key measures of two configurations are looked at for what got worse. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.statistics import tails
from sentinel.lab.statistics.metrics import MEASURES, Measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.compare import Verdict
    from sentinel.lab.statistics.metrics import Compared

KINDS, PERCENTILES = ("internal", "e2e", "stored"), ("p50", "p99", "p99.9")
KEY = {
    name: MEASURES[name]
    for name in ("capacity", "capacity_cpu_us", "cpu_us", "capacity_peak_rss_mb", "bytes_per_message")
}
"""Besides the latencies, by name."""


def key(name: str) -> Measure:
    """The key measure of that name.

    Args:
        name: One of `KEY`, or a latency such as `stored_p99`.

    Returns:
        The measure; for a name that is not in `KEY`, a latency in ms.
    """
    return KEY.get(name) or Measure(name, name.replace("_", " "), "ms")


def looked_at(outcomes: Sequence[Outcome]) -> list[str]:
    """The names of all key measures: those of `KEY`, then the latencies.

    Args:
        outcomes: The trials behind the latencies; a percentile counts where the messages of all of them carry it.
    """
    return [
        *KEY,
        *(
            f"{kind}_{percentile}"
            for kind in KINDS
            for percentile in PERCENTILES
            if tails.carried(percentile, tails.fewest(outcomes, kind))
        ),
    ]


def verdicts(
    values: Mapping[str, Compared], latencies: Sequence[Outcome], disturbances: Sequence[str] = ()
) -> dict[str, Verdict]:
    """What is said of every key measure that has a ratio, by name.

    Args:
        values: New ÷ old by measure.
        latencies: The trials behind the latencies.
        disturbances: What is known to disturb the machine, as clauses.
    """
    names = [name for name in looked_at(latencies) if name in values and values[name].estimate.rounds]
    return {name: key(name).verdict(values[name], disturbances) for name in names}
