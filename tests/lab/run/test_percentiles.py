"""PERCENTILES: what is asked for is planned, kept by every trial, summed up and shown; the verdict stays its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.pages import after, section
from support.records import changed
from support.synthetic import made

from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.plots.spectrum import ticks
from sentinel.lab.report.results import rows
from sentinel.lab.run import queries, series
from sentinel.lab.statistics import tails
from sentinel.lab.trials import plans
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

ASKED = "50,95,99.99"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A benchmark; not to be changed."""
    return made(tmp_path_factory.mktemp("run"), repeats=1)


def test_a_trial_keeps_what_its_plan_asks_for() -> None:
    """The usual percentiles always, the asked ones beside them: out of the trial's own histogram."""
    (plan,) = plans.paced(Benchmark(PERCENTILES=ASKED), ["optimised"], 1000.0, "latency", 1)
    assert "95,99.99" == plan.percentiles
    recorder = Recorder()
    recorder.record(np.arange(1, 100_001, dtype=np.int64) * 1000)
    kept = series.percentiles(recorder, tails.names(plan.percentiles))
    assert ["p50", "p90", "p99", "p99.9", "p95", "p99.99", "max", "n", "zero", "negative"] == list(kept)
    assert [95.0, 99.99] == pytest.approx([kept["p95"], kept["p99.99"]], rel=0.01)
    assert "" == plans.paced(Benchmark(), ["optimised"], 1000.0, "latency", 1)[0].percentiles


def asking(run: Run) -> Run:
    """The run as it is where others are asked for, of 40,000 messages a trial."""
    run.data.parameters |= {"PERCENTILES": ASKED}

    def more(outcomes: list[Outcome]) -> None:
        for latency in (latency for outcome in outcomes for latency in outcome.latencies.values()):
            latency |= {"p95": 1.5 * latency["p90"], "p99.99": 2 * latency["p99.9"], "n": 40_000}

    return after(run, more)


def test_tables_show_what_is_asked_for(tmp_path: Path) -> None:
    """Those and the maximum, with their ratios; p90, p99 and p99.9 are kept, but not shown."""
    run = asking(made(tmp_path))
    names = [row.name for row in rows(run)]
    assert ["Stored p50", "Stored p95", "Stored p99.99", "Stored max"] == [n for n in names if n.startswith("Stored")]
    assert {"stored_p99", "stored_p99.99"} < run.data.ratios.keys()
    assert "p99.99 from 36,887 messages" not in section("key_results", run).text


def test_what_is_not_carried_is_shown_nowhere(run: Run) -> None:
    """Of 800 messages a p99.99 is no figure: neither in the table nor in a figure's alt text."""
    other = changed(run, parameters=run.data.parameters | {"PERCENTILES": ASKED})
    assert "Stored p99.99" not in [row.name for row in rows(other)]
    text = section("key_results", other).text
    assert "p95 from 72 messages a trial on and p99.99 from 36,887 messages a trial on" in text
    (image,) = [attributes for tag, attributes in section("latency", other).tags if tag == "img"]
    assert "p99.99" not in (image["alt"] or "")
    assert "p95" in (image["alt"] or "")


def test_the_verdict_is_of_the_same_percentiles_whatever_is_shown(tmp_path: Path) -> None:
    """p50, p99 and p99.9 are judged, and what is said is said of p99."""
    run = made(tmp_path)
    before = [item for item in run.data.verdict if "p99" in item]
    run.data.parameters |= {"PERCENTILES": "50"}
    assert before == [item for item in after(run, lambda _: None).data.verdict if "p99" in item]


def test_an_older_run_shows_the_usual_ones(run: Run) -> None:
    """Its record has no such parameter."""
    older = changed(run, parameters={k: v for k, v in run.data.parameters.items() if k != "PERCENTILES"})
    assert ["p50", "p90", "p99", "p99.9"] == queries.percentiles(older)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("p50", "p90", "p99", "p99.9"), ["0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999"]),
        (("p50", "p95"), ["0", "50", "95", "99", "99.9", "99.99", "99.999", "99.9999"]),
        (("p99.99",), ["0", "99.99", "99.999", "99.9999"]),
    ],
)
def test_the_axis_marks_what_is_asked_for(asked: tuple[str, ...], expected: list[str]) -> None:
    """From 0 on, and decades beyond the last."""
    marks = ticks(asked)
    assert expected == list(marks.values())
    assert sorted(marks) == list(marks)
