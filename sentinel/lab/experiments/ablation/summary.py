"""What an ablation's trials say: medians per configuration, contributions per choice, verdict. Pure.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
The rule for what matters most: the largest shares of what is gained on the way up, on a log scale, whose ratio lies
beyond the noise floor; taking each choice off `optimised` confirms the order or says that it is another.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation.contributions import (
    DEPENDS,
    MEASURES,
    UNCLEAR,
    UNPAID,
    Contribution,
    Found,
    contributions,
    stored,
)
from sentinel.lab.run.trial_record import CONTROL, Outcome
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.reliability import validity, warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.lab.experiments.ablation.parameters import Ablation
    from sentinel.lab.statistics.compare import Ratio
    from sentinel.lab.statistics.metrics import Measure

MOST = 2
"""Choices that the verdict names as those that matter most."""


def of_ablation(p: Ablation, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """`summary`, `spread`, `noise`, `steps`, `compared`, `ratios`, `verdict` and `warnings` of run.json."""
    values = {name: measures(o for o in outcomes if o.plan.label == name) for name in p.names}
    first, last = values[p.names[0]], values[p.names[-1]]
    control = measures(o for o in outcomes if o.plan.label == p.names[-1] + CONTROL)
    bands = {m.name: compare.noise(last.get(m.name, []), control.get(m.name, [])) for m in MEASURES}
    by_measure = contributions(values, bands, p.SEED)
    ratios = {name: compare.ratio(last.get(name, []), first.get(name, []), p.SEED) for name in sorted({*last, *first})}
    return {
        "summary": {name: {m: statistics.median(v) for m, v in measured.items()} for name, measured in values.items()},
        "spread": {
            name: {m: [min(v), max(v), len(v)] for m, v in measured.items()} for name, measured in values.items()
        },
        "noise": {"band": bands["capacity"], "bands": bands, "again": control.get("capacity", [])},
        "steps": {
            measure.name: [contribution.to_dict() for contribution in steps] for measure, steps in by_measure.items()
        },
        "compared": [p.names[-1], p.names[0]],
        "ratios": {name: stored(ratio) for name, ratio in ratios.items()},
        "verdict": verdict(p, by_measure, ratios, outcomes),
        "warnings": warnings(outcomes),
    }


def verdict(p: Ablation, by_measure: Found, ratios: dict[str, Ratio], outcomes: Sequence[Outcome]) -> list[str]:
    """The answer, in sentences made from the data."""
    ends = p.names[-1], p.names[0]
    about = [_about(m, steps, ratios[m.name], ends) for m, steps in by_measure.items() if m.name in ratios]
    key = f"Below, on is a step ÷ the step before it, off is {ends[0]} ÷ {ends[0]} without the choice."
    return [validity(outcomes), f"{_named(by_measure)} {_unpaid(by_measure)} {key}", *about]


# -- what matters most, and what does not pay ------------------------------------------------------------------------


def leaders(steps: Sequence[Contribution]) -> list[Contribution]:
    """The choices that matter most to one measure, the largest share first; fewer where others are not significant."""
    return [contribution for contribution in _ranked(steps) if contribution.on_is == "better"][:MOST]


def _ranked(steps: Sequence[Contribution]) -> list[Contribution]:
    return sorted(
        (contribution for contribution in steps if contribution.share is not None),
        key=lambda contribution: -(contribution.share or 0.0),
    )


def _named(by_measure: Found) -> str:
    measure, steps = next(iter(by_measure.items()))
    named = [contribution.choice.label for contribution in leaders(steps)]
    to = measure.title.lower()
    if not named:
        return f"Which choices matter most to {to}: cannot tell."
    if len(named) < MOST:
        return f"The choice that matters most to {to} is {named[0]}; no other was shown to matter."
    return f"The two choices that matter most to {to} are {formatting.joined(named)}."


def _unpaid(by_measure: Found) -> str:
    """Every choice that was shown not to pay, with what it does not pay in."""
    where: dict[str, list[str]] = {}
    for measure, steps in by_measure.items():
        for contribution in steps:
            if contribution.says == UNPAID:
                where.setdefault(contribution.choice.label, []).append(_lower(measure.title))
    if not where:
        return "No choice was shown not to pay."
    return (
        f"Shown not to pay: {'; '.join(f'{label} in {formatting.joined(titles)}' for label, titles in where.items())}."
    )


def _lower(title: str) -> str:
    return title if title.startswith("CPU") else title.lower()


# -- one measure -----------------------------------------------------------------------------------------------------


def _about(measure: Measure, steps: Sequence[Contribution], total: Ratio, ends: tuple[str, str]) -> str:
    parts = [_whole(measure, total, steps[0].band, ends), _most(measure, steps, total), _others(steps, total)]
    return " ".join(part for part in parts if part)


def _whole(measure: Measure, total: Ratio, band: float, ends: tuple[str, str]) -> str:
    new, old = ends
    judged = measure.judged(total, band)
    how = {
        "cannot tell": f"cannot tell whether {new} differs from {old}{_hidden(total, band)}",
        "no difference": f"no difference between {new} and {old}",
    }.get(judged, f"{new} is {judged} than {old}")
    each = f"n = {total.n} each" if total.known else f"n = {total.n}: no interval"
    beyond = compare.beyond(band, measured=measure.repeated)
    return f"{measure.title}: {how}, {_said(total, total)}, {each} ({beyond})."


def _hidden(ratio: Ratio, band: float) -> str:
    return ", for run-to-run variation hides it" if compare.hidden(ratio, band) else ""


def _most(measure: Measure, steps: Sequence[Contribution], total: Ratio) -> str:
    ranked = _ranked(steps)
    if not ranked:
        missing = [contribution.choice.label for contribution in steps if not math.isfinite(contribution.on.value)]
        nothing = f"nothing is gained beyond the noise floor ({compare.floor(steps[0].band)})"
        why = f"no valid trials on both sides of {formatting.joined(missing)}" if missing else nothing
        return f"Which choices matter most: cannot tell, {why}."
    first = leaders(steps)
    if not first:
        ahead = formatting.joined(
            [f"{contribution.choice.label} ({_said(contribution.on, total)})" for contribution in ranked[:MOST]]
        )
        return f"Which choices matter most: cannot tell, {_why_not(steps)}; by the medians alone {ahead} lead."
    parts = [
        f"{contribution.choice.label} with {round(100 * (contribution.share or 0))} % ({_both(contribution, total)})"
        for contribution in first
    ]
    return (
        "On a log scale the largest parts are"
        f" {formatting.joined(parts)}.{_close(measure, steps)}{_checked(measure, steps)}"
    )


def _why_not(steps: Sequence[Contribution]) -> str:
    """Why no step was found to be better."""
    if not any(contribution.on.known for contribution in steps):
        return "since single trials have no interval"
    return f"no step lies wholly beyond the noise floor ({compare.floor(steps[0].band)})"


def _close(measure: Measure, steps: Sequence[Contribution]) -> str:
    """Whether the last that is named could as well be the next one, by their intervals."""
    named, better = leaders(steps), [contribution for contribution in _ranked(steps) if contribution.on_is == "better"]
    if len(better) <= MOST or not measure.repeated:
        return ""
    last, following = named[-1], better[MOST]
    if max(_gains(measure, following)) < min(_gains(measure, last)):
        return ""
    return f" Their intervals overlap: cannot tell whether {last.choice.label} or {following.choice.label} brings more."


def _gains(measure: Measure, contribution: Contribution) -> tuple[float, float]:
    return measure.gain(contribution.on.low), measure.gain(contribution.on.high)


def _checked(measure: Measure, steps: Sequence[Contribution]) -> str:
    """What taking the choices off again says about the order."""
    if not all(math.isfinite(contribution.off.value) for contribution in steps):
        return ""
    costly = sorted(steps, key=lambda contribution: -measure.gain(contribution.off.value))[:MOST]
    named = {contribution.choice.axis for contribution in leaders(steps)}
    if named == {contribution.choice.axis for contribution in costly}:
        return " Taken off again, the same two cost most."
    labels = formatting.joined([contribution.choice.label for contribution in costly])
    other = ": what a choice brings depends on the others" if len(named) == MOST else ""
    return f" Taken off again, {labels} cost most{other}."


def _others(steps: Sequence[Contribution], total: Ratio) -> str:
    """Which choices do not pay, pay only in some company, or cannot be told."""
    groups: list[tuple[Callable[[Contribution], bool], str]] = [
        (lambda contribution: contribution.says == UNPAID, "Does not pay"),
        (
            lambda contribution: contribution.says == DEPENDS and contribution.on_is == "better",
            "Pays on the way up, but not beside the others",
        ),
        (
            lambda contribution: contribution.says == DEPENDS and contribution.off_is == "better",
            "Pays beside the others, but not on the way up",
        ),
        (
            lambda contribution: contribution.says == UNCLEAR and contribution.on_is == "better",
            "Pays on the way up; beside the others the trials cannot tell",
        ),
        (
            lambda contribution: contribution.says == UNCLEAR and contribution.off_is == "better",
            "Pays beside the others; on the way up the trials cannot tell",
        ),
        (
            lambda contribution: (
                contribution.says == UNCLEAR and "better" not in (contribution.on_is, contribution.off_is)
            ),
            "The trials cannot tell whether it pays",
        ),
    ]
    sentences = []
    for belongs, how in groups:
        if members := [
            f"{contribution.choice.label} ({_both(contribution, total)})"
            for contribution in steps
            if belongs(contribution)
        ]:
            sentences.append(f"{how}: {formatting.joined(members)}.")
    return " ".join(sentences) or "Every choice pays."


def _both(contribution: Contribution, total: Ratio) -> str:
    """Its ratios; of the choice that is switched on last both are the same."""
    on, off = (_said(ratio, total) for ratio in (contribution.on, contribution.off))
    return (
        f"{on} on and off, as the last step"
        if contribution.choice.without == contribution.choice.before
        else f"{on} on, {off} off"
    )


def _said(ratio: Ratio, total: Ratio) -> str:
    """A ratio with its interval, and with its n where that differs from the whole's."""
    n = f", n = {ratio.n}," if ratio.known and ratio.n != total.n else ""
    return f"{str(ratio).split(' (', maxsplit=1)[0]}{n}"
