"""A comparison's tables, as rows of short texts and as markup, and the notes below them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.compare.answer import measure_of, title
from sentinel.lab.presentation.tables import hinted, table, tag, together
from sentinel.lab.profiling.difference import chance
from sentinel.lab.statistics.compare import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from sentinel.lab.experiments.compare.record import Column, Difference, Record, Row, Stages
    from sentinel.lab.statistics.compare import Verdict

HEADS = ("Measure, unit", "A", "B", "B ÷ A", "verdict")
STAGE_HEADS = ("Stage", "A, %", "B, %", "change, points", "A, µs", "B, µs", "change, µs")
CAPITAL = {"e2e_p50": "E2E p50", "e2e_p99": "E2E p99"}
"""Measures whose first letter alone is not all that is written large."""
LOOKS = {Word.BETTER: "good", Word.WORSE: "bad"}
"""CSS classes of verdicts."""


def head(row: Row) -> str:
    """A measure with its unit: `Capacity, msg/s`."""
    measure = measure_of(row)
    return f"{CAPITAL.get(measure.name) or measure.title[:1].upper() + measure.title[1:]}, {measure.unit}"


def cells(row: Row) -> list[str]:
    """Both medians and their ratio."""
    return [formatting.figure(row.a), formatting.figure(row.b), formatting.ranged(row.ratio)]


def word(verdict: Verdict | None) -> str:
    """A verdict, and what would settle it."""
    if verdict is None:
        return "not judged"
    if verdict.word != Word.UNRESOLVED or verdict.further is None:
        return str(verdict.word)
    return f"{verdict.word} (about {formatting.counted(verdict.further, 'round')} more)"


def key(column: Column, *, judged: bool) -> Markup:
    """The key measures of one configuration.

    Args:
        column: The configuration in both runs.
        judged: Whether there are verdicts at all.
    """
    rows = [[head(row), *_hinted(row), *([_word(row)] if judged else [])] for row in column.rows]
    heads = HEADS if judged else HEADS[:-1]
    whole = table(heads, rows, words=(len(HEADS) - 1,))
    notes = tag("div", together([tag("p", why) for why in column.why]), class_="notes") if column.why else ""
    return together([tag("h3", column.label), whole, notes])


def _hinted(row: Row) -> list[object]:
    seen = [*map(formatting.spread, row.spreads), formatting.note(row.ratio)]
    return [hinted(*pair) for pair in zip(cells(row), seen, strict=True)]


def _word(row: Row) -> object:
    if row.verdict is None:
        return word(None)
    why = str(formatting.because(row.verdict))
    return tag("span", word(row.verdict), class_=LOOKS.get(row.verdict.word, ""), title=why)


def differences(record: Record) -> Markup:
    """What is not the same in both runs, what forbids to judge them first."""
    heads = ("What differs", "A", "B", "judged nevertheless")
    rows = [[each.name, each.a, each.b, _judged(each)] for each in record.differences]
    if not rows:
        same = "Machine, stack, load, parameters and the lab's commit are the same in both runs."
        return tag("p", same, class_="calm")
    return together([tag("h3", "What differs between the runs"), table(heads, rows, words=(1, 2, 3), class_="wraps")])


def _judged(difference: Difference) -> str:
    if difference.forbids:
        return "no"
    return f"yes, but not {difference.but}" if difference.but else "yes"


def sides(record: Record) -> list[list[object]]:
    """What each run is, a row a fact."""
    facts: dict[str, list[object]] = {
        "Run": [title(side) for side in record.sides.values()],
        "Notebook": [side.notebook for side in record.sides.values()],
        "Date": [f"{side.created[:16].replace('T', ' ')} UTC" for side in record.sides.values()],
        "State": [side.state for side in record.sides.values()],
        "Trials": [_trials(side.validity.trials, len(side.validity.invalid)) for side in record.sides.values()],
        "A timer was late by, ms at p99": [formatting.figure(side.late_p99) for side in record.sides.values()],
        "Turns of a fixed piece of work slowed, %": [formatting.figure(side.slow) for side in record.sides.values()],
        "In this run alone": [", ".join(record.alone.get(name, [])) or "–" for name in record.sides],
        "Folder": [side.folder for side in record.sides.values()],
    }
    return [[name, *values] for name, values in facts.items()]


def _trials(trials: int, invalid: int) -> str:
    return f"{trials}, {invalid} of them invalid" if invalid else str(trials)


def notes(record: Record) -> list[str]:
    """How the figures came about, and what follows from how many they are."""
    ratios = [row.ratio for column in record.columns for row in column.rows]
    judged = len(record.verdicts)
    told = [
        "Medians of the trials that count; A is what was there before, B what is held against it.",
        f"Ratio: B ÷ A{formatting.estimates(ratios)}. Rounds of two runs are no pairs: each trial of B is held against"
        " every trial of A.",
    ]
    if judged:
        told.append("Noise floor: the wider of those that the runs' own A/A controls show; none where neither has one.")
    if judged > 1:
        told.append(
            f"{judged} measures are looked at, each with its own interval: of twenty that are equal, about one differs"
            " by chance."
        )
    return told


# -- where it goes ---------------------------------------------------------------------------------------------------


def signed(value: float) -> str:
    """A change with its sign."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{formatting.figure(abs(value))}"


def stages(profile: Stages) -> list[list[object]]:
    """Every stage's share and microseconds in both runs; changes beyond what sampling makes are set off."""
    rows: list[list[object]] = [
        [name, *_shares(profile, a, b), *_microseconds(profile, a, b)] for name, a, b in profile.stages
    ]
    return [*rows, ["all stages", "100", "100", "", *_microseconds(profile, 1.0, 1.0)]]


def _microseconds(profile: Stages, a: float, b: float) -> list[str]:
    """What these shares of a message's CPU are in both runs, and how much more it is."""
    old, new = (None if cost is None else share * cost for share, cost in zip((a, b), profile.cpu_us, strict=True))
    change = formatting.NOTHING if old is None or new is None else signed(new - old)
    return [formatting.figure(old), formatting.figure(new), change]


def functions(profile: Stages) -> list[list[object]]:
    """The functions that changed most, by their own share."""
    return [[name, *_shares(profile, a, b)] for name, a, b in profile.functions]


def _shares(profile: Stages, a: float, b: float) -> list[object]:
    points = signed(100 * (b - a))
    sure = abs(b - a) > chance((a, b), profile.samples)
    return [f"{100 * a:.1f}", f"{100 * b:.1f}", tag("strong", points) if sure else points]


def sampling(profiles: Mapping[str, Stages]) -> str:
    """What the shares are, and which of their changes say something."""
    counts = "; ".join(
        f"{label}: {formatting.count(profile.samples[0])} samples in A, {formatting.count(profile.samples[1])} in B"
        for label, profile in profiles.items()
    )
    return (
        f"py-spy, one trial of each run ({counts}). Microseconds: the share of the samples × the median CPU per message"
        " of the capacity trials, in which nothing was profiled. Bold: more apart than sampling alone makes it in 95 of"
        " 100 pairs of equal profiles; another trial may differ more."
    )
