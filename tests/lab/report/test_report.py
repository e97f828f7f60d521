"""Report: every section's words and numbers come from the run; what is missing is said, never a crash or a zero."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from markupsafe import Markup
from support.pages import after, section, verdict_of
from support.records import changed, kept, record
from support.synthetic import ALL, made

from sentinel.lab import formatting
from sentinel.lab.experiments.benchmark.summary import HEADLINE
from sentinel.lab.presentation import alt_text, tables
from sentinel.lab.registry import table
from sentinel.lab.report import sections
from sentinel.lab.report.results import MARK, rows
from sentinel.lab.run import queries, series
from sentinel.lab.run.queries import Curve
from sentinel.lab.run.run import Run
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, MEMORY
from sentinel.lab.statistics import published
from sentinel.lab.statistics.compare import UNKNOWN, Ratio
from sentinel.model.histogram import Recorder
from sentinel.runtime.text_table import WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome

SECTIONS = ("header", "key_results", "latency", "shift", "over_time", "capacity", "ledgers", "memory", "answer")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run; not to be changed."""
    return made(tmp_path_factory.mktemp("run"))


@pytest.fixture
def own(tmp_path: Path) -> Run:
    """A run of the test's own."""
    return made(tmp_path, repeats=1)


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (115_836.8, "116,000"), (1000, "1,000"), (999.9, "1,000"), (532.2, "532"), (20.25, "20.2"), (9.996, "10.0"),
        (1.0, "1.00"), (0.42496, "0.425"), (0.00417, "0.00417"), (0.0, "0"), (None, "–"), (float("nan"), "–"),
        (-2.5, "-2.50"), (float("inf"), "–"),
    ],
)  # fmt: skip
def test_three_significant_digits(value: float | None, text: str) -> None:
    """Numbers keep three digits, never an exponent; what is not there is a dash."""
    assert text == formatting.figure(value)


def test_ratios_show_their_interval_or_say_that_there_is_none() -> None:
    """A ratio of single trials is not dressed up."""
    ratios = [Ratio(2.0, 1.8, 2.2, 3), Ratio(2.0, None, None, 1), UNKNOWN]
    assert ["2.00× [1.80, 2.20]", "2.00× (n = 1: no interval)", "–"] == [str(formatting.ratio(item)) for item in ratios]
    assert ["2.00× [1.80, 2.20]", "2.00×", "–", "–"] == [formatting.ranged(item) for item in (*ratios, None)]


def test_lists_are_joined_as_in_prose() -> None:
    """One, two, many, none."""
    assert ["", "a", "a and b", "a, b and c"] == [formatting.joined(list(text)) for text in ("", "a", "ab", "abc")]


# -- the head --------------------------------------------------------------------------------------------------------


def test_the_head_says_where_it_was_measured(run: Run) -> None:
    """Stack with versions, machine, commit, date, load and run are all there."""
    text = section("header", run).text
    for part in ("Valkey 9", "/write", "Some processor, 2 cores, 8 GB", "0123456789ab, with changes", "UTC", run.id):
        assert part in text
    assert "200 and 25,000 msg/s from 16 workers, json over stream" in text
    assert "WORKERS 16" in text


def test_the_answer_says_how_far_to_trust_it(run: Run) -> None:
    """Warnings, the noise floor and the state of the machine stand below the verdict, and nowhere else."""
    text = section("answer", run).text
    assert "Only 2 cores: <they> share them." in text
    assert f"Noise floor capacity {formatting.floor(run.data.noise.bands['capacity'])}" in text
    assert "Other guests took at most 0 % of its time in a trial." in text
    assert "Only 2 cores" not in section("header", run).text


def test_a_python_that_is_not_optimised_is_marked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside its version; a run that does not know how its Python was compiled has no mark."""
    assert "not optimised" not in section("header", run).text
    monkeypatch.setattr(run.data.machine, "python_optimised", False)
    assert "CPython 3.11 (not optimised)" in section("header", run).text


def test_an_embedded_store_is_not_taken_for_influxdb(run: Run) -> None:
    """The page says so in a badge of its own, and only then."""
    other = changed(run, stack=run.data.to_dict()["stack"] | {"kind": "native"})
    for name in ("header", "answer"):
        assert ("p", {"class": "badge"}) in section(name, run).tags
        assert "embedded store, not InfluxDB" in section(name, run).text
        assert ("p", {"class": "badge"}) not in section(name, other).tags


def test_an_older_run_without_a_description_shows_its_label(run: Run) -> None:
    """A record of before there was one still makes a page."""
    stack = run.data.to_dict()["stack"] | {"label": "as it was"}
    del stack["description"]
    assert "as it was" in section("header", changed(run, stack=stack)).text


def test_what_others_wrote_is_escaped(run: Run) -> None:
    """A server's version, a warning or a reason cannot become markup."""
    bad = "<script>alert(1)</script>"
    stack = run.data.to_dict()["stack"] | {"reason": bad, "description": bad}
    other = changed(run, stack=stack, warnings=[bad], verdict=[bad], answer=None)
    for name in ("header", "answer"):
        assert "script" not in [tag for tag, _ in section(name, other).tags]
        assert bad in section(name, other).text


# -- key results -----------------------------------------------------------------------------------------------------


def cells(run: Run) -> dict[str, list[str]]:
    """Head of a row to its cells."""
    return {row.name: row.cells for row in rows(run)}


def test_cells_are_the_medians_of_the_summary(run: Run) -> None:
    """The table shows what run.json holds, in the columns' order, the headline last."""
    summary = run.data.summary
    expected = [formatting.figure(summary[key]["stored_p99"]) for key in (*ALL, HEADLINE)]
    assert expected == cells(run)["Stored p99"]
    assert [formatting.figure(summary[key]["capacity"]) for key in ALL] + ["–"] == cells(run)["Capacity"]
    assert ["200", "200", "200", "25,000"] == cells(run)["Offered load"]
    assert formatting.figure(summary[HEADLINE]["cpu_us"]) == cells(run)["CPU per message"][-1]


def test_tails_are_shown_where_the_messages_carry_them(own: Run) -> None:
    """p99.9 and the maximum stand in the table, headline included; a tail that is not carried is a dash, and said."""

    def rich(outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            n = 4000 if outcome.plan.group == HEADLINE else 100 if outcome.plan.label == "baseline" else 800
            for latency in outcome.latencies.values():
                latency["n"] = n

    assert "E2E p99.9" not in cells(own)
    other = after(own, rich)
    summary = other.data.summary
    assert ["–", "–", "–", formatting.figure(summary[HEADLINE]["e2e_p99.9"])] == cells(other)["E2E p99.9"]
    p99 = [formatting.figure(summary[key]["e2e_p99"]) for key in (*ALL[1:], HEADLINE)]
    assert ["–", *p99] == cells(other)["E2E p99"]
    assert [formatting.figure(summary[key]["e2e_max"]) for key in (*ALL, HEADLINE)] == cells(other)["E2E max"]
    assert "–" == {row.name: row.ratio for row in rows(other)}["E2E p99"]
    text = section("key_results", other).text
    assert "p99 from 368 messages a trial on and p99.9 from 3,688 messages a trial on" in text


def test_the_reduction_is_against_the_first_configuration(run: Run) -> None:
    """Percent of allocated bytes less than the first; the first itself has none."""
    allocated = [run.data.summary[name]["bytes_per_message"] for name in ALL]
    expected = ["–", *(formatting.figure(100 * (1 - value / allocated[0])) for value in allocated[1:]), "–"]
    assert expected == cells(run)["Reduction"]


def test_published_figures_stand_beside_ours(run: Run) -> None:
    """The original's table has its own column, with dashes for what it did not publish."""
    shown = {row.name: row.published for row in rows(run)}
    sentences = [shown[name] for name in ("Offered load", "Internal p99", "E2E p99", "Stored p99", "Reduction")]
    p99 = [published.LATENCIES[f"{kind}_p99"] for kind in ("internal", "e2e")]
    assert [*map(str, (published.RATE, *p99)), "–", str(published.REDUCTION)] == sentences
    assert "SentinelStream, published" in section("key_results", run).text


def test_a_load_that_was_not_sustained_is_marked(own: Run) -> None:
    """Throughput and latencies of a queue carry a mark, and a footnote says in how many trials."""

    def slow(outcomes: list[Outcome]) -> None:
        next(o for o in outcomes if o.plan.kind == LATENCY and o.plan.label == "baseline").sustained = False

    changed = after(own, slow)
    marked = {name for name, texts in cells(changed).items() if texts[0].endswith(MARK)}
    assert {
        "Throughput sustained",
        *(f"{kind} {p}" for kind in ("Internal", "E2E", "Stored") for p in ("p50", "p90", "p99", "max")),
    } == marked
    assert not any(text.endswith(MARK) for texts in cells(changed).values() for text in texts[1:])
    assert (
        f"{MARK} baseline: load not sustained in 1 of 1 trial; latencies there are those of a growing queue"
        in section("key_results", changed).text
    )


def test_rare_counts_are_shown_where_there_are_any(own: Run) -> None:
    """Jumps, overwriting and what nobody heard are told below the ledgers' table with their trials."""
    rare = ("jumped", "overwritten", "unheard", "skipped")
    assert not any(name in section("ledgers", own).text for name in rare)

    def change(outcomes: list[Outcome]) -> None:
        outcomes[0].consumer |= {"jumped": 1234, "overwritten": 77, "skipped": None}
        outcomes[1].sender |= {"unheard": 4321}

    text = section("ledgers", after(own, change)).text
    for shown in ("1,234 jumped (trial 0): ", "77 overwritten (trial 0): ", "4,321 unheard (trial 1): "):
        assert shown in text
    assert "skipped" not in text


def test_lost_messages_of_all_repeats_are_added(own: Run) -> None:
    """Loss is a sum, not a median: one lost message in one trial shows."""
    changed = after(own, lambda outcomes: setattr(next(o for o in outcomes if o.plan.group == HEADLINE), "lost", 1234))
    assert ["0", "0", "0", "1,234"] == cells(changed)["Lost"]


# -- terminal and list of runs ---------------------------------------------------------------------------------------


def test_the_terminal_table_fits_and_is_aligned(run: Run) -> None:
    """No line is wider than a terminal, and the columns of all rows end at the same places."""
    lines = table(run).splitlines()
    assert max(map(len, lines)) <= WIDTH
    rule = next(n for n, line in enumerate(lines) if line.startswith("───"))
    body = lines[rule + 1 : rule + 1 + len(rows(run))]
    assert {len(lines[rule])} == {len(line) for line in body}
    assert any("stored p99" in line for line in lines[rule:])
    assert "embedded stack" in lines[0]


def test_the_terminal_table_gives_up_intervals_before_it_wraps(run: Run) -> None:
    """With long intervals the ratio stands alone; the page still has them."""
    long = {"value": 0.0012345, "low": 0.00123, "high": 0.00125}
    wide = {name: ratio | long for name, ratio in kept(run)["ratios"].items()}
    other = changed(run, ratios=wide)
    assert max(map(len, table(other).splitlines())) <= WIDTH


def test_key_figures_have_the_same_names_for_every_run(run: Run, own: Run) -> None:
    """A list of runs has one set of columns, whatever a run holds."""
    empty = Run("x", run.root, record(created="2026-01-01T00:00:00+00:00"))
    figures = sections.key_figures(run)
    assert list(figures) == list(sections.key_figures(empty)) == list(sections.key_figures(own))
    assert {"embedded", "2026-01-01 00:00", "optimised", "0"} <= set(figures.values())
    assert all(isinstance(value, str) and len(value) < 20 for value in figures.values())
    assert "no results" in table(empty)


@pytest.mark.parametrize(("messages", "shown"), [(368, True), (367, False)])
def test_key_figures_show_no_p99_that_its_messages_do_not_carry(run: Run, messages: int, shown: bool) -> None:
    """In a list of runs, too, a p99 of fewer than 368 messages a trial is a dash."""
    trials = kept(run)["trials"]
    for trial in trials:
        for latency in trial["latencies"].values():
            latency["n"] = messages
    assert shown is (sections.key_figures(changed(run, trials=trials))["e2e p99 ms"] != formatting.NOTHING)


def test_a_ratio_in_the_table_says_what_its_interval_is(run: Run) -> None:
    """Coverage, rounds and method stand behind each ratio, and below the table for all of them."""
    hints = [attributes.get("title") or "" for _, attributes in section("key_results", run).tags]
    assert formatting.note(run.data.ratios["capacity"]) in hints
    text = section("key_results", run).text
    assert "the Hodges–Lehmann estimate, not the quotient of the medians" in text
    assert formatting.intervals(run.data.ratios.values()) in text


def test_the_capacity_figure_says_what_the_control_is_for(run: Run) -> None:
    """Both legs count in the ratios, and what they differ by is the noise floor; without a second leg none is known."""
    text = section("capacity", run).text
    assert f"noise floor of {formatting.floor(run.data.noise.band)}, and both legs count in its ratios." in text
    bare = changed(run, noise={"band": 0.0, "again": [], "bands": {}})
    assert "no noise floor is known" in section("capacity", bare).text


# -- figures and ledgers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["latency", "shift", "over_time", "capacity", "memory"])
def test_pictures_have_alt_text_and_are_inlined(run: Run, name: str) -> None:
    """Every picture says in words what it shows, and brings its bytes along."""
    images = [attributes for tag, attributes in section(name, run).tags if tag == "img"]
    assert images
    assert all(len(image["alt"] or "") > 60 and "nan" not in (image["alt"] or "") for image in images)
    assert all((image["src"] or "").startswith("data:image/") for image in images)


def drawn(run: Run, name: str) -> pd.DataFrame:
    """The numbers of a figure, as another program reads them."""
    return pd.read_csv(io.StringIO(run.figures[name]), comment="#")


def test_figures_hand_out_what_they_draw(run: Run) -> None:
    """A section keeps its figure's numbers with the run, and its caption leads to where the page will put them."""
    figures = {"latency": "latency", "shift": "shift", "over_time": "over-time", "capacity": "capacity"}
    for name, file in {**figures, "memory": "memory-difference"}.items():
        links = [given["href"] for tag, given in section(name, run).tags if tag == "a" and given.get("class") == "raw"]
        assert f"../../runs/{run.id}/figures/{file}.csv" in links
        assert len(drawn(run, file)) > 2


def test_the_numbers_of_a_figure_are_those_of_the_run(run: Run) -> None:
    """Capacities trial by trial; the end of a spectrum is the largest latency, at the rarity of one message of all."""
    section("capacity", run)
    section("latency", run)
    rates = drawn(run, "capacity").groupby("configuration", sort=False)["capacity"].apply(list).to_dict()
    assert {name: pytest.approx(values, rel=1e-5) for name, values in queries.capacities(run).items()} == rates
    frame = drawn(run, "latency")
    curve = next(curve for curve in queries.latencies(run)["stored"] if curve.key == "optimised")
    last = frame.query("latency == 'stored' and configuration == 'optimised' and trial == 'all'").iloc[-1]
    expected = len(curve.whole), curve.whole.quantile(1.0) / 1e6
    assert pytest.approx(expected, rel=1e-5) == (last["rarity"], last["value"])
    assert "# value: latency, ms" in run.figures["latency"].splitlines()


def test_the_shift_compares_any_two_columns(run: Run) -> None:
    """The pair of the run, or the one asked for; its sentences stand below the figure."""
    text = section("shift", run).text
    assert "optimised is lower than baseline in each of 2 rounds" in text
    assert "2 rounds cannot make a band of 95 %: that takes 6" in text
    other = sections.shift(run, "client-batching", "optimised").data
    assert "Latency of client-batching ÷ that of optimised" in other


def test_the_shift_is_of_sustained_trials(own: Run) -> None:
    """Where no round has two trials that count there is no figure; e2e is left out where a consumer keeps no record."""

    def slow(outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            outcome.sustained = outcome.plan.label != "baseline"

    assert "No round left the latencies of both optimised and baseline" in section("shift", after(own, slow)).text


def test_a_histogram_is_read_once(own: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several sections draw the same trials."""
    section("latency", own)
    monkeypatch.setattr(series, "histograms", None)
    assert "Stored: " in section("shift", own).text


def test_alt_text_and_lists_name_no_tail_that_is_not_carried(own: Run) -> None:
    """With fewer than 368 messages a trial the maximum stands in its place, or a dash."""

    def few(outcomes: list[Outcome]) -> None:
        for latency in (latency for outcome in outcomes for latency in outcome.latencies.values()):
            latency["n"] = 300

    carried, other = sections.key_figures(own)["e2e p99 ms"], after(own, few)
    assert ("–", False) == (sections.key_figures(other)["e2e p99 ms"], carried == "–")
    assert not [name for values in other.data.summary.values() for name in values if "p99" in name]
    curves = {"e2e": [Curve("a", "a", [filled(367)])], "stored": [Curve("a", "a", [filled(368)])]}
    assert "End to end: a p50 1.00, maximum 1.00 (n = 1 trial)" in alt_text.spectrum(curves)
    assert "Stored: a p50 1.00, p99 1.00 (n = 1 trial)" in alt_text.spectrum(curves)


def filled(n: int) -> Recorder:
    """So many messages of a millisecond."""
    recorder = Recorder()
    recorder.record(1_000_000, times=n)
    return recorder


def test_the_ledger_has_a_row_for_every_trial(run: Run) -> None:
    """Trials appear in the order in which they were carried out, with the store's own count and a verdict in words."""
    page = section("ledgers", run)
    assert [str(number) for number in range(len(run.data.trials))] == re.findall(
        r"(?<= )(\d+) (?=latency|capacity|memory)", page.text
    )
    assert len(run.data.trials) == page.text.count("✓ accounted for")
    assert "latency, 200/s" in page.text


def test_memray_pages_are_linked_where_they_exist(own: Run) -> None:
    """A link leads from the run's folder to a page that is there; nothing else is linked."""
    own.profiles.mkdir(parents=True)
    (own.profiles / "baseline-table.html").write_text("")
    links = [given["href"] for tag, given in section("memory", own).tags if tag == "a" and "class" not in given]
    assert [f"../../profiles/{own.id}/baseline-table.html"] == links
    assert (own.folder / str(links[0])).resolve() == (own.profiles / "baseline-table.html").resolve()


def test_the_answer_is_the_verdict_word_by_word(run: Run) -> None:
    """Nothing is added to or left out of the computed sentences; what decides is stressed."""
    page = verdict_of(run)
    assert "".join(" ".join(run.data.verdict).split()) == "".join(page.text.split())
    assert "strong" in [tag for tag, _ in page.tags]


# -- what is missing -------------------------------------------------------------------------------------------------


def spoil(kind: str) -> Callable[[list[Outcome]], None]:
    """Make every trial of one kind invalid."""

    def change(outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.plan.kind == kind:
                outcome.valid, outcome.problems, outcome.stored = False, ["a ledger is missing"], None
                outcome.latencies, outcome.memory, outcome.sender, outcome.consumer = {}, {}, {}, {}

    return change


@pytest.mark.parametrize(
    ("kind", "name", "expected_text"),
    [
        (LATENCY, "latency", "No valid latency trial"),
        (LATENCY, "over_time", "No valid latency trial"),
        (CAPACITY, "capacity", "No valid capacity trial"),
        (MEMORY, "memory", "Invalid and left out: trial 8, 9 and 10."),
        (MEMORY, "ledgers", "✗ invalid"),
        (LATENCY, "ledgers", "a ledger is missing"),
    ],
)
def test_without_a_valid_trial_the_section_says_so(own: Run, kind: str, name: str, expected_text: str) -> None:
    """All trials of a kind invalid: words instead of a figure."""
    assert expected_text in section(name, after(own, spoil(kind))).text


def test_a_run_without_any_valid_trial_still_has_a_page(own: Run) -> None:
    """Every section stands, in the terminal too, when all has failed."""
    changed = after(own, lambda outcomes: [spoil(kind)(outcomes) for kind in (LATENCY, CAPACITY, MEMORY)])
    pages = {name: section(name, changed) for name in SECTIONS}
    assert "img" not in [tag for page in pages.values() for tag, _ in page.tags]
    assert "so no answer" in pages["answer"].text
    assert {"–"} == {text for row in rows(changed) if row.name != "Offered load" for text in row.cells}
    assert "so no answer" in " ".join(table(changed).split())


def test_one_invalid_trial_is_left_out_by_name(own: Run) -> None:
    """The figures go on without it, and the caption says which."""

    def change(outcomes: list[Outcome]) -> None:
        first = next(o for o in outcomes if o.plan.kind == LATENCY)
        first.valid, first.problems = False, ["the store holds 1 points, but acknowledged 2"]

    changed = after(own, change)
    number = next(o.plan.number for o in queries.outcomes(changed) if not o.valid)
    assert f"Invalid and left out: trial {number}." in section("latency", changed).text
    assert "Without a series, so not shown: baseline." in section("over_time", changed).text
    assert "the store holds 1 points, but acknowledged 2" in section("ledgers", changed).text


def test_empty_series_are_said(own: Run) -> None:
    """Trials that left no intervals behind cannot be drawn, which is no error."""
    for path in own.folder.rglob("intervals.jsonl"):
        path.unlink()
    assert "nothing to draw" in section("latency", own).text
    assert "nothing to draw" in section("over_time", own).text


def test_memory_that_was_not_measured_is_said(tmp_path: Path) -> None:
    """MEMRAY=False is a choice that the page repeats."""
    without = made(tmp_path, repeats=1, memray=False)
    assert "MEMRAY=False" in section("memory", without).text
    assert ["–"] * 4 == cells(without)["Allocated per message"]


def test_one_configuration_is_not_compared_with_itself(tmp_path: Path) -> None:
    """Alone, a configuration gets figures but no ratio."""
    alone = made(tmp_path, ALL[-1:], repeats=1)
    pages = {name: section(name, alone) for name in SECTIONS}
    assert "÷" not in pages["key_results"].text
    assert "ratio" not in table(alone)
    assert "1 configuration of the consumer (optimised)" in pages["header"].text
    assert 1 == sum(tag == "img" for tag, _ in pages["memory"].tags)


def test_a_run_without_reliability_warnings_says_so(run: Run) -> None:
    """An empty list of warnings is a statement, not a gap."""
    page = section("answer", changed(run, warnings=[]))
    assert "No warning: nothing speaks against these measurements." in page.text


def test_the_weightiest_warnings_are_in_sight(run: Run) -> None:
    """Two warnings show, those that most change what the figures mean; the others are counted and folded."""
    warnings = [
        "Only 2 cores: they share them.",
        "The machine was busy before the first trial.",
        "Capacity of baseline varies by 40 % between repeats.",
        "Trial 3: invalid: a message is missing.",
    ]
    page = section("answer", changed(run, warnings=warnings))
    seen = page.text.partition("2 more warnings")
    assert "4 warnings, the weightiest first Trial 3: invalid" in seen[0]
    assert warnings[2] in seen[0]
    assert all(warning in seen[2] for warning in warnings[:2])


def test_published_figures_stand_last(run: Run) -> None:
    """On a narrow screen the configurations come before what was not measured here."""
    heads = re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", sections.key_results(run).data)
    assert ["Measure, unit", *ALL] == heads[:4]
    assert tables.PUBLISHED == heads[-1]


def test_a_long_name_may_break_but_a_number_may_not() -> None:
    """Names that are lists of switches go on in the next line; thousands stay together."""
    assert "baseline,<wbr>decode=msgspec" == tables.breakable("baseline,decode=msgspec")
    assert "at 25,000 msg/s, <b>" == tables.breakable(Markup("at 25,000 msg/s, <b>"))
