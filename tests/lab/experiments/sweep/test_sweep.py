"""Sweep: numbers and sentences follow from the steps; every section stands, whatever held or went wrong."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from support.figures import labels, texts
from support.pages import Reader, verdict_of
from support.records import changed, kept, record
from support.synthetic import SECOND, START, Maker, made

from sentinel.consumer.configurations import parse
from sentinel.lab import formatting, registry
from sentinel.lab.budgets.bound import Bound
from sentinel.lab.budgets.judgement import judged
from sentinel.lab.budgets.record import BROKEN, HOLDS
from sentinel.lab.experiments.sweep import knee, plots, results, summary
from sentinel.lab.experiments.sweep import report as sweep_report
from sentinel.lab.experiments.sweep.climb import climb, confirm
from sentinel.lab.experiments.sweep.knee import CLIMB, CONFIRM, Step
from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.experiments.sweep.record import Record
from sentinel.lab.experiments.sweep.trials import ladder, observed
from sentinel.lab.limits.bounds import LINES, READ, XADD, store
from sentinel.lab.limits.limit import Limit
from sentinel.lab.presentation.phrase import Phrase, Strong
from sentinel.lab.presentation.style import styles
from sentinel.lab.registry import table
from sentinel.lab.report import sections
from sentinel.lab.run import queries, series
from sentinel.lab.run.trial_record import LATENCY, WARM_UP, Outcome, Plan
from sentinel.lab.statistics import published
from sentinel.lab.statistics.compare import RANGE, Ratio, Word, plain
from sentinel.lab.trials.kinds import PER_PROCESS
from sentinel.runtime.text_table import WIDTH
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.run.run import Run

OLD, NEW = "baseline", "optimised"
SECTIONS = ("header", "key_results", "climb", "steps", "limits", "ledgers", "answer")


def nothing_more(_: Outcome) -> None:
    """A trial stays as it is."""


def swept(root: Path, holds: dict[str, float], change: Callable[[Outcome], object] = nothing_more, **more: Any) -> Run:
    """A run as `SweepLab.close()` leaves it: each configuration holds rates up to its own, beyond stored p99 breaks."""
    p = Sweep(**{"CONFIGURATIONS": ",".join(holds), "DURATION": 3.0, "REPEATS": 2, "WORKERS": 4} | more)
    run = made(root, list(holds), repeats=1, memray=False)
    run.id = run.id.replace("benchmark", "sweep")
    maker, steps = Maker(run, p.SEED), list[Step]()

    def trial(name: str, rate: float, phase: str) -> Step:
        maker.add(LATENCY, name, 0, phase, rate)
        outcome = maker.outcomes[-1]
        outcome.plan = replace(outcome.plan, load=replace(outcome.plan.load, rate=rate))
        outcome.latencies["stored"]["p99"] = 80.0 if rate > holds[name] else 20.0
        change(outcome)
        sent, growth = 0.9 * rate if outcome.sender.get("unsent") else rate, 0.0 if outcome.sustained else 2 * rate
        steps.append(
            Step(name, rate, phase, outcome.plan.number, sent, growth, knee.reason(outcome, sent, growth, 50.0))
        )
        return steps[-1]

    rungs = ladder(p, 2)
    confirm(climb(p.names, trial, rungs), trial, rungs, p.REPEATS)
    sections = {name: value for name, value in run.data.to_dict().items() if name not in {"rates", "spread", "noise"}}
    run.data = record(
        **sections
        | {
            "notebook": "sweep",
            "parameters": asdict(p),
            "configurations": {name: parse(name).axes() for name in p.names},
            "trials": [outcome.to_dict() for outcome in maker.outcomes],
            "limits": [
                asdict(Limit(name, f"messages by {name}", "msg/s", (2e5, 4e5)))
                for name in (READ, XADD, *map(store, LINES))
            ],
        }
    )
    return summed(run, steps, maker.outcomes)


def summed(run: Run, steps: list[Step], outcomes: list[Outcome]) -> Run:
    """The run with these steps, summed up, after a way through JSON, which takes no NaN."""
    run.data.trials = outcomes
    run.data.add(plain(summary.of_sweep(Sweep(**run.data.parameters), steps, outcomes)))
    run.data = record(**run.data.to_dict())
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole sweep; not to be changed."""
    return swept(tmp_path_factory.mktemp("run"), {OLD: 600.0, NEW: 30_000.0})


def sentence(run: Run, start: str) -> str:
    """The one sentence of the verdict that starts so."""
    (sentence,) = [text for text in run.data.verdict if text.startswith(start)]
    return str(sentence)


# -- numbers and sentences -------------------------------------------------------------------------------------------


def test_the_summary_is_of_the_confirming_trials_at_the_answer(run: Run) -> None:
    """Medians are those of the repeats at the highest rate that holds, not of the climb's trials."""
    result = results.knees(run)[NEW]
    at = [o for s, o in results.tried(run) if (s.configuration, s.rate, s.phase) == (NEW, result.rate, CONFIRM)]
    assert 2 == len(at)
    assert sum(o.cpu_us or 0 for o in at) / 2 == pytest.approx(run.data.summary[NEW]["cpu_us"])
    assert 20.0 == run.data.summary[NEW]["stored_p99"]


def test_budgets_bound_the_highest_rate_and_what_was_confirmed_there(run: Run) -> None:
    """A sweep's budgets ask for its answer; trials of other rates, which fail by design, break none."""
    known, rate = registry.experiment("sweep"), results.knees(run)[NEW].rate
    assert rate is not None
    bounds = [
        Bound("held", NEW, at_least=rate),
        Bound("held", NEW, OLD, at_least=1000),
        Bound("stored_p99", NEW, at_most=20, rounds=(2, 2)),
    ]
    figures = {name: values(run) for name, values in known.derived.items()}
    rows = judged(bounds, known.held_to(run), figures=figures).rows
    assert [HOLDS, BROKEN, HOLDS] == [row.verdict for row in rows]
    assert (2, 2) == (rows[-1].kept, rows[-1].rounds)


def test_sums_follow_from_what_the_record_holds(run: Run) -> None:
    """Steps and outcomes out of run.json give the same knees, ratios, verdict and warnings again."""
    steps = run.sections(Record).steps
    again = plain(summary.of_sweep(Sweep(**run.data.parameters), steps, queries.outcomes(run)))
    assert kept(run) == kept(changed(run, **again))


def test_the_sentences_are_made_of_the_data(run: Run) -> None:
    """Those beside the data say the same, and the factor is set off; without the data they stand as they are."""
    assert run.data.verdict == [str(item) for item in registry.answer(run)]
    factor = formatting.times(run.sections(Record).ratios["held"].value)
    assert factor in [part for item in registry.answer(run) for part in item if isinstance(part, Strong)]
    assert [Phrase([text]) for text in run.data.verdict] == registry.answer(changed(run, answer=None))


def test_a_verdict_states_rate_interval_repeats_and_reason(run: Run) -> None:
    """Every number of the sentence is one of the knee's; the interval holds the true threshold."""
    low, high = (getattr(run.sections(Record).knees[NEW], end) for end in ("low", "high"))
    assert low <= 30_000 < high
    assert (
        f"{NEW} meets the SLO up to {low:,.0f} msg/s [{low:,.0f}, {high:,.0f}] in 3 of 3 trials. At {high:,.0f} msg/s"
        " 4 of 4 trials do not: stored p99 80.0 ms, over 50 ms."
    ) == sentence(run, f"{NEW} meets the SLO up to {low:,.0f}")


def test_too_few_messages_are_told_by_their_maximum(tmp_path: Path) -> None:
    """Where the trials carry no p99, neither sentence nor table nor alt text has one."""

    def few(outcome: Outcome) -> None:
        for latency in outcome.latencies.values():
            latency |= {"n": 300, "max": 40.0}
        outcome.latencies["stored"]["max"] = 90.0 if outcome.plan.load.rate > 600.0 else 40.0

    run = swept(tmp_path, {NEW: 600.0}, few)
    assert "stored max 90.0 ms, over 50 ms" in sentence(run, f"{NEW} meets the SLO up to")
    assert ["–"] == {row.name: row.cells for row in results.rows(run)}["Stored p99"]
    steps = section("steps", run).text
    assert "stored max over 50 ms" in steps
    assert "of fewer than 368 messages the longest must be" in steps
    (image,) = (attributes for tag, attributes in section("climb", run).tags if tag == "img")
    assert "stored max 40.0 ms at 250" in (image["alt"] or "")


def test_the_factor_spans_from_one_end_of_the_intervals_to_the_other(run: Run) -> None:
    """Smallest: our low by their high; largest: our high by their low."""
    new, old = (run.sections(Record).knees[name] for name in (NEW, OLD))
    ratio = run.data.ratios["held"]
    missed = sum(new.errors) + sum(old.errors)
    expected = Ratio(new.rate / old.rate, new.low / old.high, new.high / old.low, 3, 1 - missed, RANGE)
    assert expected == ratio
    text = sentence(run, f"{NEW} meets the SLO up to {formatting.ratio(ratio)}")
    assert f"the rate of {OLD}: better (p " in text


@pytest.mark.parametrize(
    ("holds", "repeats", "word", "why"),
    [
        ({OLD: 600.0, NEW: 30_000.0}, 2, Word.BETTER, r"p 0\.0\d+; the interval holds in at least 62 % of sweeps"),
        ({OLD: 30_000.0, NEW: 600.0}, 2, Word.WORSE, r"p 0\.0\d+; the interval holds in at least 62 % of sweeps"),
        (
            {OLD: 600.0, NEW: 750.0},
            1,
            Word.UNRESOLVED,
            r"3 repeats more at either highest rate and the next would .+",
        ),
        ({OLD: 600.0, NEW: 600.0}, 3, Word.UNRESOLVED, r"no offered rate divides the two: more REPEATS, or rates .+"),
    ],
)
def test_two_knees_are_compared_in_the_five_words(
    tmp_path: Path, holds: dict[str, float], repeats: int, word: Word, why: str
) -> None:
    """The word stands in the sentence and in the data, with the test that it rests on, or what would settle it."""
    run = swept(tmp_path, holds, REPEATS=repeats)
    compared = run.sections(Record).answer.verdict
    assert (word, word in {Word.BETTER, Word.WORSE}) == (compared.word, compared.ratio.p <= 0.05)
    assert re.search(rf" the rate of {OLD}: {word} \({why}\)\.$", run.data.verdict[3])


def test_knees_whose_order_contradicts_itself_are_unstable(tmp_path: Path) -> None:
    """Where a trial fails below a rate that another meets, and the trials do not divide the two, it says which."""

    def once(outcome: Outcome) -> None:
        outcome.latencies["stored"]["p99"] = 20.0 if outcome.plan.number else 80.0

    run = swept(tmp_path, {OLD: 1e9, NEW: 1e9}, once, RATES="100,200,400")
    why = f"{OLD} meets the SLO at 400 msg/s in some trial and fails at 100 in another"
    verdict = run.sections(Record).answer.verdict
    assert (Word.UNSTABLE, [why]) == (verdict.word, verdict.disturbances)
    assert f"{NEW} against {OLD}, where both may sustain more: unstable ({why})." == run.data.verdict[3]


def test_cpu_at_the_knees_is_compared_over_rounds(run: Run) -> None:
    """The confirming repeats are rounds: the ratio has their interval, its coverage, and how many rounds 95 % takes."""
    ratio = run.data.ratios["cpu_us"]
    assert (2, "unpaired", 4) == (ratio.n, ratio.method, ratio.needed)
    assert ratio.confidence == pytest.approx(1 - 2 / 6)
    (row,) = (row for row in results.rows(run) if row.name == "CPU per message")
    assert formatting.ranged(ratio) == row.ratio
    note = (
        f"Ratio of CPU per message: {NEW} ÷ {OLD}, each at its own highest rate (66.7 % interval of 2 unpaired rounds"
    )
    assert f"{note}; 95 % takes 4)." in results.footnotes(run)


def test_sweeps_of_earlier_versions_say_what_they_said(run: Run) -> None:
    """Without a verdict in the record there is no word, and without trials at its ends an interval has no coverage."""
    data = run.data.to_dict()
    answer = {name: value for name, value in data["answer"].items() if name != "verdict"}
    knees = {
        name: {key: value for key, value in kept.items() if key != "errors"} for name, kept in data["knees"].items()
    }
    older = changed(run, answer=answer, knees=knees)
    assert str(registry.answer(older)[3]).endswith(f" the rate of {OLD}.")
    assert [None, None] == [knee.coverage for knee in results.knees(older).values()]
    assert "Interval covers, at least" in table(older)


@pytest.mark.parametrize(
    ("holds", "expected_text"),
    [
        (30_000.0, f"{NEW} reaches the {published.RATE} msg/s that SentinelStream published"),
        (10_000.0, f"{NEW} falls short of the {published.RATE} msg/s that SentinelStream published"),
        (
            published.HIGHEST_RATE,
            f"{NEW}: unresolved whether it reaches the {published.RATE} msg/s that SentinelStream published",
        ),
    ],
)
def test_the_original_is_reached_missed_or_undecided(tmp_path: Path, holds: float, expected_text: str) -> None:
    """The published rate lies below the answer, beyond the interval, or within it."""
    assert sentence(swept(tmp_path, {NEW: holds}), expected_text)


def unsent(outcome: Outcome) -> None:
    """The generator gives out beyond 9,000 msg/s."""
    outcome.sender["unsent"] = int(outcome.plan.load.rate > 9000)


def test_a_generator_at_its_limit_makes_it_at_least(tmp_path: Path) -> None:
    """What the generator could not offer is inconclusive: the answer is a lower bound, in every sentence."""
    run = swept(tmp_path, {OLD: 600.0, NEW: 1e9}, unsent)
    text = sentence(run, f"{NEW} meets the SLO up to at least 8,000 msg/s [8,000, …]")
    assert "trials are inconclusive: the load generator was the limit (sent" in text
    assert sentence(run, f"{NEW} meets the SLO up to at least 1")
    assert "unresolved whether it reaches" in run.data.verdict[-1]
    assert any("the load generator was the limit" in warning for warning in run.data.warnings)


def test_the_end_of_the_ladder_makes_it_at_least(tmp_path: Path) -> None:
    """No higher rate was offered: nothing speaks against more."""
    run = swept(tmp_path, {NEW: 1e9}, RATES="100,200")
    assert (
        f"{NEW} meets the SLO up to at least 200 msg/s [200, …] in 3 of 3 trials; no higher rate was offered."
        in run.data.verdict
    )


def test_what_holds_nothing_is_said_with_its_reason(tmp_path: Path) -> None:
    """Not even the first rate: the sentence names rate, repeats and figures; there is no factor."""
    run = swept(tmp_path, {OLD: 1.0, NEW: 600.0})
    assert (
        f"{OLD} does not even meet the SLO at 250 msg/s, the lowest rate offered: 4 of 4 trials do not, stored p99 80.0"
        " ms, over 50 ms."
    ) in run.data.verdict
    text = sentence(run, f"No factor between {NEW} and {OLD}: there is no rate at which {OLD} is known to meet")
    least = run.sections(Record).knees[NEW].low / 250
    told = "unresolved (1 repeat more at either highest rate and the next would settle it, if all agree)."
    assert text.endswith(f"by the intervals it is more than {least:.2f}×: {told}")
    errors = run.sections(Record).knees[NEW].errors[0] + run.sections(Record).knees[OLD].errors[1]
    assert Ratio(None, least, None, 0, 1 - errors, RANGE) == run.data.ratios["held"]


def test_a_lowest_rate_that_some_trials_meet_is_not_called_failed(tmp_path: Path) -> None:
    """Half of the trials is not more than half, and not none either: the interval is open below."""

    def every_other(outcome: Outcome) -> None:
        outcome.latencies["stored"]["p99"] = 80.0 if outcome.plan.number % 2 == 0 else 20.0

    run = swept(tmp_path, {NEW: 1e9}, every_other, RATES="100", REPEATS=2)
    assert (
        f"{NEW} meets the SLO at no rate in more than half of the trials, interval –: at 100 msg/s, the lowest rate"
        " offered, 2 of 4 trials do not, stored p99 80.0 ms, over 50 ms."
    ) in run.data.verdict


@pytest.mark.parametrize(
    ("change", "expected_text"),
    [
        ({"lost": 3}, "do not: 12 messages lost."),
        ({"sustained": False}, "do not: the backlog grows by"),
        ({"valid": False, "problems": ["x"]}, "are inconclusive: without a valid trial."),
    ],
)
def test_every_reason_has_its_words(tmp_path: Path, change: dict[str, Any], expected_text: str) -> None:
    """Loss is summed, a backlog is told in messages, an invalid trial is none."""

    def broken(outcome: Outcome) -> None:
        for name, value in change.items() if outcome.plan.load.rate > 500 else ():
            setattr(outcome, name, value)

    assert expected_text in sentence(swept(tmp_path, {NEW: 1e9}, broken), f"{NEW} meets the SLO up to")


# -- warnings --------------------------------------------------------------------------------------------------------


def warned(steps: list[Step], **changes: Any) -> list[str]:
    """The warnings of these steps, their trials all alike."""
    p = Sweep(CONFIGURATIONS=NEW)
    plan = Plan(0, LATENCY, NEW, NEW, LoadSettings())
    tails = {"stored": 10.0, "e2e": 10.0, "send_delay": 1.0}
    latencies = {kind: {"p99": p99, "n": 2500} for kind, p99 in tails.items()}
    outcomes = [
        Outcome(replace(plan, number=s.trial), **({"valid": True, "latencies": latencies} | changes)) for s in steps
    ]
    return list(summary.of_sweep(p, steps, outcomes).warnings)


def steps(*told: tuple[float, str, str]) -> list[Step]:
    """Steps of one configuration, out of rate, phase and reason."""
    return [Step(NEW, rate, phase, number, rate, 0.0, why) for number, (rate, phase, why) in enumerate(told)]


def test_repeats_that_disagree_are_warned_of() -> None:
    """A rate at which some trials meet the SLO and some fail is borderline."""
    told = steps((500.0, CLIMB, ""), *((500.0, CONFIRM, why) for why in ("", "", knee.SLOW)))
    assert [f"{NEW} meets the SLO at 500 msg/s in 3 of 4 trials: borderline."] == warned(told)


def test_an_order_that_contradicts_itself_is_warned_of() -> None:
    """Success at a higher rate than a failure is noise, or worse: the search assumes otherwise."""
    told = steps((500.0, CONFIRM, knee.SLOW), (1000.0, CONFIRM, ""))
    assert warned(told)[0].startswith(f"{NEW} meets the SLO at 1,000 msg/s in some trial and fails at 500")


def test_a_late_generator_is_warned_of() -> None:
    """Where send delay makes a good part of the stored latency, the answer is partly about the generator."""
    told = steps((500.0, CONFIRM, ""))
    late = {"stored": {"p99": 10.0, "n": 2500}, "send_delay": {"p99": 4.0, "n": 2500}}
    assert "40 % of stored p99 is load-generator delay (send delay p99 4.00 ms)" in warned(told, latencies=late)[0]
    assert [] == warned(told)


def test_stolen_time_and_invalid_trials_are_warned_of() -> None:
    """By number, with what is wrong; failing steps are a sweep's nature and no warning."""
    told = steps((500.0, CONFIRM, ""), (1000.0, CONFIRM, knee.BACKLOG))
    assert [] == warned(told, warnings=[], sustained=False)
    assert warned(told, steal=5.0)[0].startswith(f"Trial 0 ({NEW}), 1 ({NEW}): more than 2 %")
    assert "invalid: a ledger is missing" in warned(told, valid=False, problems=["a ledger is missing"])[0]
    assert [f"Trial 0 ({NEW}): its keys stay."] == warned(told, warnings=["its keys stay"])


# -- out of a trial's folder -----------------------------------------------------------------------------------------


def test_sent_and_backlog_come_from_the_trials_own_series(tmp_path: Path) -> None:
    """Each process of the generator counts over its own time; the backlog grows over the measured seconds only."""
    for number, elapsed in enumerate((4.0, 5.0)):
        folder = tmp_path / "load" / str(number)
        folder.mkdir(parents=True)
        (folder / "ledger.json").write_text(json.dumps({"ledger": {"sent": 2000}, "elapsed": elapsed}))
        lines = [{"at": START + second * SECOND, "sent": 500 * second} for second in range(1, 5)]
        (folder / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "consumer").mkdir()
    done = [{"at": START + n * SECOND, "received": 0, "written": 900 * n, "rejected": 0} for n in range(1, 7)]
    (tmp_path / "consumer" / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in done))
    plan = Plan(7, LATENCY, NEW, NEW, LoadSettings(rate=1000.0, duration=4.0), group=CLIMB)
    latencies = {kind: {"p99": p99, "n": 4000} for kind, p99 in {"stored": 20.0, "send_delay": 1.0}.items()}
    grown = series.backlog_growth(tmp_path, START, WARM_UP, plan.load.duration)
    outcome = Outcome(plan, valid=True, started=START, latencies=latencies, sender={"unsent": 0}, growth=grown)
    assert Step(NEW, 1000.0, CLIMB, 7, 900.0, 300.0, knee.GENERATOR) == observed(outcome, tmp_path, 50.0)


def test_a_trial_that_left_nothing_is_invalid(tmp_path: Path) -> None:
    """No series, no ledger: a step that says nothing, no crash."""
    outcome = Outcome(Plan(0, LATENCY, NEW, NEW, LoadSettings(rate=1000.0), group=CLIMB))
    assert Step(NEW, 1000.0, CLIMB, 0, 0.0, 0.0, knee.INVALID) == observed(outcome, tmp_path, 50.0)


def test_the_ladder_ends_with_the_cores_and_takes_a_list_as_it_is() -> None:
    """START and FACTOR go up to a generator's process a core; RATES are offered whatever the machine."""
    assert 2 * PER_PROCESS == ladder(Sweep(), 2).rungs[-1]
    assert [100.0, 1e6] == ladder(Sweep(RATES="100,1000000"), 1).rungs


# -- sections --------------------------------------------------------------------------------------------------------


def section(name: str, run: Run) -> Reader:
    """One section, taken apart; it must be well-formed."""
    load = {"load": sweep_report.load(run)} if name == "header" else {}
    made = getattr(sweep_report if hasattr(sweep_report, name) else sections, name)(run, **load)
    reader = Reader(made.data)
    assert (name, []) == (name, reader.wrong)
    return reader


def spoiled(outcome: Outcome) -> None:
    """The trial is invalid and left nothing."""
    outcome.valid, outcome.problems, outcome.stored = False, ["a ledger is missing"], None
    outcome.latencies, outcome.sender, outcome.consumer = {"stored": {}}, {}, {}


WENT = {
    "well": ({OLD: 600.0, NEW: 30_000.0}, nothing_more),
    "alone": ({NEW: 3000.0}, nothing_more),
    "nothing holds": ({OLD: 1.0, NEW: 1.0}, nothing_more),
    "all invalid": ({OLD: 600.0, NEW: 1000.0}, spoiled),
    "generator": ({OLD: 600.0, NEW: 1e9}, unsent),
}


@pytest.fixture(scope="module", params=WENT)
def any_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A sweep that went well, or otherwise."""
    return swept(tmp_path_factory.mktemp("run"), *WENT[request.param])


def test_every_section_stands_however_it_went(any_run: Run) -> None:
    """Well-formed, without NaN, with every trial in the table and the verdict word by word."""
    pages = {name: section(name, any_run) for name in SECTIONS}
    assert [] == [name for name, page in pages.items() if "nan" in page.text.lower().split()]
    marks = sum(pages["steps"].text.count(mark) for mark in ("✓", "✗", "? "))
    assert len(any_run.data.trials) == marks
    assert "".join(" ".join(any_run.data.verdict).split()) == "".join(verdict_of(any_run).text.split())
    drawn = "img" in [tag for tag, _ in pages["climb"].tags]
    assert drawn or "No valid trial" in pages["climb"].text


def test_the_slo_is_asked_of_every_configuration(any_run: Run) -> None:
    """Each is asked for a rate that meets it, the last for the published one too, by the whole interval."""
    *each, bar = registry.questions(any_run)
    known = results.knees(any_run).values()
    expected = [True if k.rate is not None else None if k.at_least else False for k in known]
    assert expected == [question.met for question in each]
    assert [k.rate for k in known] == [question.value for question in each]
    low, high, rate = [*known][-1].low, [*known][-1].high, published.HIGHEST_RATE
    assert bar.met is (True if low and low >= rate else False if high and high <= rate else None)


def test_the_terminal_table_fits(any_run: Run) -> None:
    """No line is wider than a terminal; stack, rates and verdict are there."""
    text = table(any_run)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "Highest rate within the SLO, msg/s" in text
    assert text.startswith("embedded stack")


def test_a_list_of_runs_takes_sweeps_too(any_run: Run) -> None:
    """The key figures have the same names as any run's, all short texts."""
    figures = sections.key_figures(any_run)
    assert list(sections.key_figures(any_run.__class__("x", any_run.root))) == list(figures)
    assert all(isinstance(value, str) and len(value) < 20 for value in figures.values())


def test_a_run_without_steps_still_has_a_page(run: Run) -> None:
    """Nothing was carried out: words instead of tables and figures."""
    empty = changed(run, steps=[], knees={}, trials=[], verdict=[])
    pages = {name: section(name, empty) for name in SECTIONS}
    assert "there are no results" in pages["key_results"].text
    assert "nothing to draw" in pages["climb"].text
    assert "No trial was carried out" in pages["steps"].text
    assert "no results" in table(empty)


def test_the_head_says_what_was_offered(run: Run) -> None:
    """Rates, sources, seconds, repeats and the SLO stand where a benchmark has its load."""
    text = section("header", run).text
    assert "250 to 32,000 msg/s, rising by 2, from 4 workers, json over stream, 3 s a step" in text
    assert "nothing lost, the load sustained, stored p99 within 50 ms" in text


def test_every_rate_is_a_share_of_the_limit(run: Run) -> None:
    """The lowest limit on the way of a paced load bounds the highest rate that holds."""
    (row,) = [row for row in results.rows(run) if row.name == "Share of the limit"]
    rate = run.sections(Record).knees[NEW].rate
    assert f"{100 * rate / 4e5:.2f}" == row.cells[-1]
    assert "400,000 a second" in section("key_results", run).text


def test_an_open_answer_is_marked_in_the_table(tmp_path: Path) -> None:
    """At least: a sign before the rate, an open interval, and a footnote that says why."""
    run = swept(tmp_path, {OLD: 600.0, NEW: 1e9}, unsent)
    cells = {row.name: row.cells for row in results.rows(run)}
    assert ("≥ 8,000", "[8,000, …]", "generator") == tuple(
        cells[name][-1] for name in ("Highest rate within the SLO", "Interval", "Limited there by")
    )
    assert "≥: nothing speaks against" in section("key_results", run).text


def test_rules_are_stated_with_the_numbers_that_hold(run: Run) -> None:
    """The table of steps says by which rules it was made, with the run's own parameters."""
    text = section("steps", run).text
    assert "stored p99 is within 50 ms" in text
    assert "then 2× as much" in text
    assert "less than 99 % of the offered rate" in text
    assert "the gap around the knee is then halved 2 times" in text


# -- figure ----------------------------------------------------------------------------------------------------------


def test_the_figure_is_legible_and_described(any_run: Run) -> None:
    """No text is clipped, no labels of an axis overlap, n is stated, and the alt text has the knees."""
    actual = results.points(any_run)
    if not actual:
        return
    picture = plots.climb(actual, results.knees(any_run), 50.0, styles(queries.names(any_run)))
    FigureCanvasAgg(picture.figure).draw()
    x0, y0, x1, y1 = picture.figure.bbox.padded(1).extents
    message = texts(picture.figure)
    assert [] == [text for text, box in message if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1]
    for axes in picture.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            boxes = [label.get_window_extent() for label in labels(axis)]
            assert [] == [(a, b) for a, b in pairwise(boxes) if a.overlaps(b)]
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    assert "n = " in " ".join(text for text, _ in message)
    assert all(name in picture.alt for name in actual)
    assert "nan" not in picture.alt


def test_the_figure_is_the_same_every_time(run: Run) -> None:
    """Drawing the same data twice gives the same bytes."""
    given = results.points(run), results.knees(run), 50.0, styles(queries.names(run))
    assert plots.climb(*given).render() == plots.climb(*given).render()
