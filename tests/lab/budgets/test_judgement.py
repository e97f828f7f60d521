"""Budgets held against made-up trials: values, rounds, figures besides; the page, the record, Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.records import kept
from support.synthetic import made, summed

from sentinel.lab.budgets import asked
from sentinel.lab.budgets.answer import phrases, table
from sentinel.lab.budgets.bound import Bound
from sentinel.lab.budgets.holding import hold
from sentinel.lab.budgets.judgement import judged
from sentinel.lab.budgets.record import BROKEN, HOLDS, INVALID, MISSING
from sentinel.lab.exports import markdown
from sentinel.lab.run.run import Run, load
from sentinel.lab.run.run_data import RunData
from sentinel.lab.run.trial_record import LATENCY, PROFILE, Outcome, Plan
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A made-up benchmark of three rounds."""
    return made(tmp_path, repeats=3)


def loaded(run: Run, label: str = "optimised") -> list[Outcome]:
    """Its trials under the common load."""
    return [o for o in run.data.trials if o.plan.label == label and o.plan.group == LATENCY]


def delayed(run: Run, *values: float) -> None:
    """Give the rounds of `optimised` these stored p99, ms."""
    for outcome, value in zip(loaded(run), values, strict=True):
        outcome.latencies["stored"]["p99"] = value


@pytest.mark.parametrize(
    ("values", "rounds", "expected_verdict", "kept"),
    [
        ((8, 9, 30), None, HOLDS, 2),
        ((8, 30, 31), None, BROKEN, 1),
        ((8, 9, 30), (2, 3), HOLDS, 2),
        ((8, 9, 30), (3, 3), BROKEN, 2),
        ((8, 9, 30), (1, 1), BROKEN, 2),  # of more rounds the same share
        ((8, 9, 10), (3, 4), HOLDS, 3),  # a fourth that was never measured is not kept, as one may be
        ((8, 9, 10), (4, 4), BROKEN, 3),
    ],
)
def test_rounds_or_the_median_decide(
    run: Run, values: tuple[float, ...], rounds: tuple[int, int] | None, expected_verdict: str, kept: int
) -> None:
    """Of a value by itself the median decides; where so many rounds are asked for, each counts by itself."""
    delayed(run, *values)
    (row,) = judged([Bound("stored_p99", "optimised", at_most=10, rounds=rounds)], run.data.trials).rows
    assert (expected_verdict, kept, 3) == (row.verdict, row.kept, row.rounds)


def test_a_round_that_did_not_sustain_its_load_does_not_keep_a_latency(run: Run) -> None:
    """Its latencies are those of a growing queue: no value, and a round that counts against the bound."""
    delayed(run, 8, 9, 7)
    loaded(run)[2].sustained = False
    often = Bound("stored_p99", "optimised", at_most=10, rounds=(3, 3))
    (row,) = judged([often], run.data.trials).rows
    assert (BROKEN, 2, 3, 2) == (row.verdict, row.kept, row.rounds, row.seen.n)
    assert "2 of 3 rounds" == asked.rows(judged([often], run.data.trials))[0].rounds


def test_values_counts_and_ratios_are_told_with_their_units(run: Run) -> None:
    """A row has what was asked, the bound, what was measured and whether it is met, for any table."""
    bounds = [
        Bound("lost", "headline", at_most=0),
        Bound("capacity", "optimised", "baseline", at_least=1000),
        Bound("allocations_per_message", "optimised", at_most=99),
        Bound("visible_p50", "headline", at_most=9),
    ]
    answer = judged(bounds, run.data.trials)
    lost, ratio, count, missing = asked.rows(answer)
    assert ("✓", "Lost, headline", "≤ 0 messages", "0 messages", True) == (
        lost.mark, lost.asked, lost.bound, lost.measured, lost.met,
    )  # fmt: skip
    assert ("✗", False, "≥ 1,000×", "0 of 3 rounds") == (ratio.mark, ratio.met, ratio.bound, ratio.rounds)
    assert ratio.measured.partition("×")[2].startswith(" [")
    assert ("✓", "–") == (count.mark, count.rounds)
    assert count.measured.endswith(" allocations")
    assert ("✗", "–", MISSING) == (missing.mark, missing.measured, missing.verdict)
    assert not answer.passes
    assert "where ≥ 1,000× is asked for." in table(answer)
    assert ["Broken", "Missing"] == [str(phrase).partition(":")[0] for phrase in phrases(answer)]


def test_an_invalid_trial_breaks_the_whole_but_a_cpu_profile_does_not(run: Run) -> None:
    """Where a ledger does not add up no budget as a whole is met; that nothing could be sampled is a warning."""
    bounds = [Bound("lost", "headline", at_most=0)]
    plan = Plan(99, PROFILE, "optimised", "optimised", LoadSettings())
    assert judged(bounds, [*run.data.trials, Outcome(plan, problems=["py-spy failed"])]).passes
    loaded(run, "baseline")[0].valid = False
    answer = judged(bounds, run.data.trials)
    assert (True, False) == (answer.rows[0].passes, answer.passes)
    assert (INVALID, "adds up", False) == ((last := asked.rows(answer)[-1]).verdict, last.bound, last.met)


def test_a_figure_besides_is_bounded_like_a_value() -> None:
    """What an experiment computes once by configuration, such as a sweep's highest rate; one without is missing."""
    figures = {"held": {"optimised": 20_000.0, "baseline": 500.0}}
    bounds = [
        Bound("held", "optimised", at_least=20_000),
        Bound("held", "optimised", "baseline", at_least=41),
        Bound("held", "client-batching", at_least=1),
    ]
    rows = judged(bounds, [], figures=figures).rows
    assert [HOLDS, BROKEN, MISSING] == [row.verdict for row in rows]
    assert "20,000 msg/s" == asked.measured(rows[0])


def test_a_run_that_is_held_keeps_what_came_out(run: Run) -> None:
    """Record and page have it, above all else; what is summed up anew, and Markdown, have it too."""
    summed(run, run.data.trials)
    delayed(run, 8, 9, 30)
    answer = hold(run, [Bound("stored_p99", "optimised", at_most=10, rounds=(3, 3))])
    assert not answer.passes
    read = load(run.id, run.root)
    assert answer == read.data.budgets
    assert answer == RunData.from_dict(kept(read)).budgets
    page = run.report.read_text(encoding="utf-8")
    assert page.index("Stored p99, optimised") < page.index("✗ missed") < page.index("Only 2 cores")
    assert "2 of 3 rounds within it" in page
    text = markdown.of(read)
    assert "| ✗ | Stored p99, optimised | ≤ 10 ms in 3 of 3 rounds | 9.00 ms | 2 of 3 rounds |" in text
    assert text.index("✗") < text.index("| capacity, msg/s |")


def test_earlier_records_have_no_budgets(run: Run) -> None:
    """A record without the key is read, and writes none."""
    assert run.data.budgets is None
    assert "budgets" not in kept(run)
    assert msgspec.json.decode(json.dumps(kept(run)), type=dict[str, object])["id"] == run.data.id
