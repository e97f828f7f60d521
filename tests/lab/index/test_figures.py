"""Key figures: medians with intervals out of a record, and only of loads that other runs have as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.histories import written
from support.records import changed, record

from sentinel.lab import registry
from sentinel.lab.index.figures import WHOLE, counted, of_record, words
from sentinel.lab.run.run import Run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A benchmark of two configurations, with a headline."""
    return written(tmp_path, 1)


def test_a_figure_is_the_median_over_valid_trials(run: Run) -> None:
    """One invalid trial neither moves it nor is counted; the interval spans the others."""
    run.data.trials[0].valid = False
    (figure,) = [f for f in of_record(run.data) if (f.column, f.measure) == ("baseline", "capacity")]
    values = sorted(o.throughput for o in run.data.trials if o.plan.label == "baseline" and o.valid)
    assert (values[1], values[0], values[2], 0.75, 3) == (
        figure.value, figure.low, figure.high, figure.coverage, figure.n,
    )  # fmt: skip
    assert ("msg/s", True) == (figure.unit, figure.higher)


def test_the_headline_comes_last_with_its_rate(run: Run) -> None:
    """Its column names configuration and rate: at another rate it is another series."""
    columns = list(dict.fromkeys(figure.column for figure in of_record(run.data)))
    assert ["baseline", "optimised", "optimised at 25,000 msg/s"] == columns


@pytest.mark.parametrize(("rates", "loaded"), [({"latency": 1000.0}, True), ({}, True), ({"latency": 580.0}, False)])
def test_a_load_that_was_lowered_is_left_out(run: Run, rates: dict[str, float], loaded: bool) -> None:
    """Latencies at the common load count where it is the one that was asked for."""
    trials = run.data.to_dict()["trials"]
    for trial in trials:
        trial["plan"]["group"] = "latency" if trial["plan"]["group"] == "headline" else trial["plan"]["group"]
    figures = of_record(changed(run, rates=rates, trials=trials).data)
    assert loaded == any(figure.measure == "stored_p99" for figure in figures)


def test_a_load_that_was_not_sustained_has_no_latency(run: Run) -> None:
    """The latencies of a growing queue are no figure of the configuration."""
    for outcome in run.data.trials:
        outcome.sustained = outcome.plan.group != "headline"
    assert not [figure for figure in of_record(run.data) if figure.measure in {"stored_p99", "e2e_p99"}]


def test_a_sweep_has_the_rates_it_found() -> None:
    """The highest rate with its interval; a configuration that meets the SLO nowhere has none."""
    knee = {"rate": 900.0, "low": 800.0, "high": 1000.0, "next": 1100.0, "why": "stored p99", "held": [5, 6]}
    knee |= {"at_least": False}
    none = {"rate": None, "low": None, "high": 100.0, "next": 100.0, "why": "loss", "at_least": False}
    run = Run("x", data=record(notebook="sweep", knees={"optimised": knee, "baseline": none}))
    (figure,) = registry.figures(run)
    assert ("optimised", "rate", 900.0, 800.0, 1000.0, 6) == (
        figure.column, figure.measure, figure.value, figure.low, figure.high, figure.n,
    )  # fmt: skip


@pytest.mark.parametrize("answer", [None, 3, [], {"verdicts": 3}, {"verdicts": {"capacity": None}}])
def test_an_answer_of_another_form_has_no_words(answer: Any) -> None:
    """Whatever an experiment keeps as its answer, the list goes on."""
    assert {} == words(Run("x", data=record(answer=answer)))


def test_words_are_those_of_all_experiments() -> None:
    """By measure, of one verdict, and of the run as a whole; the commonest word comes first."""
    judged = {"verdicts": {"a": {"word": "worse"}, "b": {"word": "better"}}, "judgements": {"c": {"word": "better"}}}
    given = words(Run("x", data=record(answer=judged | {"word": "no worse"})))
    assert {WHOLE: "no worse", "a": "worse", "b": "better", "c": "better"} == given
    assert {"better": ["b", "c"], "no worse": [WHOLE], "worse": ["a"]} == counted(given)
    assert {WHOLE: "unstable"} == words(Run("x", data=record(answer={"verdict": {"word": "unstable"}})))
