"""What page and terminal say of contenders: who they are, what they relax, what the wire saw, what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import synthetic
from support.contested import CHECKS, contested

from sentinel.lab.contenders.verification.checks import Check
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.report import contenders, results, sections, terminal
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, UNTAPPED
from sentinel.lab.trials import plans

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run


def text_of(run: Run) -> str:
    """The section's markup in one piece."""
    return "\n".join(map(str, contenders.section(run)))


def test_without_contenders_there_is_no_section(tmp_path: Path) -> None:
    """Pages of our own configurations are as they were."""
    run = synthetic.made(tmp_path)
    assert [] == contenders.section(run)
    assert not [row for row in results.rows(run) if row.name.startswith("Visible")]


def test_the_section_says_who_they_are_and_what_they_promise(tmp_path: Path) -> None:
    """Name, command, version, what is relaxed, escaped; each check with its first difference."""
    text = text_of(contested(tmp_path, *CHECKS))
    for part in (
        "./consume",
        "mine 1.0",
        "✓\N{NO-BREAK SPACE}1, ~\N{NO-BREAK SPACE}1",
        "relaxed: ",
        "it ended",
        "it is &lt;plain&gt;",
    ):
        assert part in text
    assert "✗\N{NO-BREAK SPACE}1" in text_of(
        contested(tmp_path / "again", *CHECKS, Check("once", "stream/json", kept=False, detail="2 of 1"))
    )


def test_the_wire_is_told_of_every_consumer(tmp_path: Path) -> None:
    """Counts, batch sizes and the store's time, of ours as of contenders; what the tap costs."""
    text = text_of(contested(tmp_path))
    for part in ("baseline, capacity", "baseline, latency", "optimised, capacity", ">7<", "0.500", "1.50"):
        assert part in text
    assert "through it baseline has 0.500 of its capacity without it (n = 2 rounds, 0.500 to 0.500)" in text


def test_the_stores_tail_takes_enough_requests(tmp_path: Path) -> None:
    """Of fewer than 368 there is no p99."""
    run = contested(tmp_path)
    for outcome in queries.outcomes(run):
        outcome.wire = outcome.wire | {"requests": 367}
    assert "1.50" not in text_of(run)


def test_what_is_not_measurable_is_a_dash_with_a_reason(tmp_path: Path) -> None:
    """Internal and e2e of a contender that keeps no record, and stored latency of points that tell none."""
    run = contested(tmp_path, unmeasurable="its points carry whole seconds")
    rows = {row.head: row.cells for row in results.rows(run)}
    assert rows["E2E p50, ms"][0] != "–"
    assert ["–", "–"] == rows["E2E p50, ms"][1:]
    sentence = "Stored latency of optimised is not measurable: its points carry whole seconds."
    assert sentence in text_of(run)
    assert sentence in results.marks(run)


def test_a_cpu_that_says_too_little_is_a_dash_with_a_reason(tmp_path: Path) -> None:
    """Page and terminal say why, once, where a drain took less CPU than its ticks can tell."""
    run = contested(tmp_path)
    for outcome in queries.outcomes(run):
        if outcome.plan.configuration == "optimised" and outcome.plan.kind == CAPACITY:
            outcome.cpu_us, outcome.wire["cpu"] = None, "0.05 s are too little to say"
    run = synthetic.summed(run, queries.outcomes(run), ["baseline", "optimised"])
    (row,) = [row for row in results.rows(run) if row.name == "CPU per message"]
    assert "–" == row.cells[1] != row.cells[0]
    sentence = "CPU per message of optimised is not told: 0.05 s are too little to say."
    assert 1 == results.footnotes(run).count(sentence)
    assert sentence in text_of(run)


def test_a_drain_that_was_over_in_no_time_is_told(tmp_path: Path) -> None:
    """Of few messages neither capacity nor CPU says much; which contenders, and what to do, stand below the table."""
    run = contested(tmp_path)
    sentence = "optimised drained streams in less than 0.5 s: more MESSAGES tell more."
    assert sentence in results.marks(run)
    for outcome in queries.outcomes(run):
        outcome.wire["points"] = 10**6
    assert sentence not in results.marks(run)


def test_who_relaxes_a_promise_has_a_mark_beside_its_name(tmp_path: Path) -> None:
    """In the columns of page and terminal, the headline's too; below the table stands what it relaxes."""
    run = contested(tmp_path)
    page, text = sections.key_results(run).data, terminal.terminal_table(run)
    for shown in (page, " ".join(text.split())):
        assert "~ optimised says that it stops at poison messages: it is" in shown
    assert ">baseline</th>" in page
    assert ">optimised\N{NO-BREAK SPACE}~</th>" in page
    assert ">optimised at 25,000 msg/s\N{NO-BREAK SPACE}~</th>" in page
    assert "~" not in sections.key_results(synthetic.made(tmp_path / "ours")).data


def test_the_fifth_latency_stands_in_the_headline_column(tmp_path: Path) -> None:
    """It is measured there alone, and explained."""
    run = contested(tmp_path)
    rows = {row.head: row.cells for row in results.rows(run)}
    assert ["–", "–", "3.21"] == rows["Visible p50, ms"]
    assert any(note.startswith("Visible: age of the newest point") for note in results.footnotes(run))


def test_the_ledgers_section_ends_with_the_contenders(tmp_path: Path) -> None:
    """The page shows them where the counts are."""
    assert "On the wire, medians of trials" in sections.ledgers(contested(tmp_path, *CHECKS)).data


def test_the_headline_of_a_contender_is_its_stored_latency(tmp_path: Path) -> None:
    """What happens inside is not known, and not claimed."""
    (sentence,) = [s for s in contested(tmp_path).data.verdict if s.startswith("optimised sustained")]
    assert "what happens inside is not known" in sentence
    assert "stored p99" in sentence


@pytest.mark.parametrize(
    ("configurations", "labels"),
    [("baseline,optimised", []), ("baseline,optimised,mine@x", ["optimised (no tap)"]), ("mine@x", [])],
)
def test_the_taps_cost_has_a_leg_of_its_own(configurations: str, labels: list[str]) -> None:
    """The last of our configurations is also drained without a tap, where there is one."""
    planned = plans.capacity(Benchmark(CONFIGURATIONS=configurations, REPEATS=1))
    actual = [plan for plan in planned if plan.label.endswith(UNTAPPED)]
    assert labels == [plan.label for plan in actual]
    assert ["optimised"] * len(labels) == [plan.configuration for plan in actual]


def test_a_benchmark_without_contenders_is_summed_up_as_before(tmp_path: Path) -> None:
    """The record's parameters may lack what came with contenders."""
    run = synthetic.made(tmp_path)
    told = {name: value for name, value in run.data.parameters.items() if name != "UNVERIFIED"}
    assert summary.of_benchmark(Benchmark(**told), queries.outcomes(run), [], 200.0).verdict == run.data.verdict
