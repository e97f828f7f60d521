"""What was asked of a run: every bound that it can answer, met or not, with the file that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.pages import after, section
from support.records import changed
from support.synthetic import made

from sentinel.lab import registry
from sentinel.lab.presentation.question import Question
from sentinel.lab.report.answers import asked, raw
from sentinel.lab.run.trial_record import HEADLINE, MEMORY
from sentinel.lab.statistics import published

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole benchmark, at the published rate; not to be changed."""
    return made(tmp_path_factory.mktemp("run"), repeats=3)


def questions(run: Run) -> dict[str, Question]:
    """By what they begin with."""
    return {question.asked.split(maxsplit=1)[0]: question for question in registry.questions(run)}


def test_a_benchmark_is_held_to_what_was_published(run: Run) -> None:
    """Rate, both latencies and the reduction, by the medians of the record."""
    held = questions(run)
    summary = run.data.summary
    assert ["Throughput", "Internal", "E2E", "Allocated"] == list(held)
    bars = published.LATENCIES["internal_p99"], published.LATENCIES["e2e_p99"]
    values = summary[HEADLINE]["internal_p99"], summary[HEADLINE]["e2e_p99"]
    expected = [bar.met_by(value or 0.0) for bar, value in zip(bars, values, strict=True)]
    assert [True, *expected, True] == [question.met for question in held.values()]
    assert values == (held["Internal"].value, held["E2E"].value)
    assert {"SentinelStream, published"} == {question.by for question in held.values()}


def test_a_load_that_was_not_sustained_misses_the_rate(run: Run, tmp_path: Path) -> None:
    """Then its latencies are not known: those of a queue are compared with nothing."""

    def slow(outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            outcome.sustained = outcome.plan.group != HEADLINE

    held = questions(after(made(tmp_path, repeats=1), slow))
    assert [False, None, None, True] == [question.met for question in held.values()]
    assert ["not sustained", "–", "–"] == [question.measured for question in held.values()][:3]


def test_what_a_run_cannot_answer_is_not_asked(run: Run) -> None:
    """Below the published rate nothing is said of latencies at it; without memray nothing of bytes."""
    answer = run.data.to_dict()["answer"]
    slower = changed(run, answer=answer | {"headline": answer["headline"] | {"rate": 500.0}, "bytes": None})
    assert [] == registry.questions(slower)
    assert "What was asked" not in section("answer", slower).text
    assert [] == registry.questions(changed(run, answer=None))


def test_the_table_marks_what_is_met() -> None:
    """Met, missed or not known, in words besides the colour; the number keeps its digits and leads to its file."""
    some = [
        Question("A", "< 1 ms", "0.5 ms", met=True, raw="t.json", by="me", value=0.51234),
        Question("B", "< 1 ms", "2 ms", met=False),
        Question("C", "< 1 ms", "–", met=None, raw="t.json"),
    ]
    text = asked.rows(some)
    for part in ("✓ met", "✗ missed", "? not known", 'data-value="0.51234"><a class="raw" href="t.json">0.5 ms</a>'):
        assert part in text
    assert 1 == text.count('href="t.json"')
    assert "" == asked.rows([])


def test_a_median_leads_to_the_trial_that_it_is_of(run: Run) -> None:
    """The record of the trial in the middle; of what no trial has, the run's."""
    trials = [o for o in run.data.trials if o.plan.group == HEADLINE]
    middle = sorted(trials, key=lambda o: o.latencies["stored"]["p99"])[1]
    assert raw.trial(run, middle.plan.number) == raw.median(run, trials, "stored_p99")
    assert middle.latencies["stored"]["p99"] == run.data.summary[HEADLINE]["stored_p99"]
    memory = [o for o in run.data.trials if o.plan.kind == MEMORY]
    assert raw.record(run) == raw.median(run, memory, "stored_p99")
