"""When measuring may stop, and what is still to be done, for REPEATS=auto. Pure; the looks are `sequential`'s."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.lab.statistics.rounds.estimates import Estimate

SETTLE = 0.05
"""Half-width below which a ratio has settled: ± 5 %."""


def settled(estimates: Iterable[Estimate], settle: float = SETTLE) -> bool:
    """Whether every ratio's interval is narrow enough; never whether it says something in particular."""
    return all(narrow(estimate, settle) for estimate in estimates)


def narrow(estimate: Estimate, settle: float = SETTLE) -> bool:
    """Whether the interval covers as it must, and is no wider than `aim`."""
    return estimate.keeps() and estimate.half_width <= aim(estimate, settle)


def aim(estimate: Estimate, settle: float = SETTLE) -> float:
    """How narrow the interval should be: ± `settle`, and half of it where the ratio is nearer to 1 than that.

    There the question is whether the interval fits into ± `settle` around 1, and one as wide as that hardly ever does.
    """
    near = abs(math.log(estimate.ratio)) <= math.log1p(settle) if estimate.rounds else True
    return settle / 2 if near else settle


def rounds_to_narrow(estimate: Estimate, settle: float = SETTLE) -> int | None:
    """About how many rounds more make the interval narrow enough; None where nothing is known of its width."""
    if narrow(estimate, settle):
        return 0
    width = 1.96 * estimate.standard_error
    if not math.isfinite(width):
        return None
    return max(1, math.ceil(estimate.rounds * (width / math.log1p(aim(estimate, settle))) ** 2) - estimate.rounds)


def progress(estimates: Mapping[str, Estimate], settle: float = SETTLE) -> str:
    """`capacity settled at ± 3 %; stored p99 ± 9 %, about 4 rounds more`; by what each ratio is called."""
    return "; ".join(_progress(name, estimate, settle) for name, estimate in estimates.items())


def _progress(name: str, estimate: Estimate, settle: float) -> str:
    more = rounds_to_narrow(estimate, settle)
    rest = f", about {more} round{'s' * (more != 1)} more" if more else ""
    if not (estimate.keeps() and math.isfinite(estimate.half_width)):
        return f"{name}: too few rounds for an interval{rest}"
    width = f"± {_percent(estimate.half_width)} %"
    return f"{name} settled at {width}" if narrow(estimate, settle) else f"{name} {width}{rest}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.01 else f"{100 * share:.1f}"
