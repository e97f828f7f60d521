"""What a benchmark is asked: the figures that SentinelStream published, as far as the run can answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.benchmark.answer import reduction
from sentinel.lab.experiments.benchmark.record import Record
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.question import Question
from sentinel.lab.presentation.tables import PUBLISHED
from sentinel.lab.report.answers import raw
from sentinel.lab.run.trial_record import HEADLINE
from sentinel.lab.statistics import published
from sentinel.lab.statistics.measures import column

if TYPE_CHECKING:
    from sentinel.lab.experiments.benchmark.record import Answer, Headline
    from sentinel.lab.run.run import Run

TITLES = {"internal": "Internal", "e2e": "E2E"}


def questions(run: Run) -> list[Question]:
    """The published rate, and the latencies at it; and how much less is allocated.

    Rate and latencies are only asked of a run whose headline is at that rate at least.

    Args:
        run: A benchmark.
    """
    answer = run.sections(Record).answer
    if answer is None:
        return []
    asked = []
    if answer.headline.trials and answer.headline.rate >= published.HIGHEST_RATE:
        asked += [_rate(run, answer), *(_latency(run, answer, kind) for kind in TITLES)]
    return [*asked, *_reduction(run, answer)]


def _rate(run: Run, answer: Answer) -> Question:
    headline = answer.headline
    value = run.data.summary.get(HEADLINE, {}).get("throughput")
    lost = f", {formatting.count(headline.lost)} lost" if headline.lost else ""
    often = "" if headline.sustained == headline.trials else f" in {headline.sustained} of {headline.trials} trials"
    return Question(
        asked=f"Throughput of {answer.new}, sustained without loss",
        bound=f"{published.RATE} msg/s",
        measured=f"{formatting.figure(value)} msg/s{often}{lost}" if headline.sustained else "not sustained",
        met=_sustained(headline),
        raw=_median(run, "throughput"),
        by=PUBLISHED,
        value=value if headline.sustained else None,
    )


def _sustained(headline: Headline) -> bool | None:
    """None where only some of the trials sustained it."""
    if headline.lost or not headline.sustained:
        return False
    return True if headline.sustained == headline.trials else None


def _latency(run: Run, answer: Answer, kind: str) -> Question:
    """Not known of trials that did not sustain the rate, or whose messages carry no p99."""
    headline, bar = answer.headline, published.LATENCIES[f"{kind}_p99"]
    value = headline.latencies.get(kind) if headline.sustained and headline.tail == "p99" else None
    return Question(
        asked=f"{TITLES[kind]} p99 of {answer.new} at {formatting.plain(headline.rate)} msg/s",
        bound=f"{bar} ms",
        measured=NOTHING if value is None else f"{formatting.figure(value)} ms",
        met=None if value is None else bar.met_by(value),
        raw=_median(run, f"{kind}_p99"),
        by=PUBLISHED,
        value=value,
    )


def _median(run: Run, measure: str) -> str:
    return raw.median(run, column(HEADLINE, run.data.trials), measure)


def _reduction(run: Run, answer: Answer) -> list[Question]:
    if not answer.bytes or answer.new == answer.old:
        return []
    less = reduction(*answer.bytes)
    asked = f"Allocated bytes of {answer.new} against {answer.old}"
    measured, met = f"{less:.1f} % less", published.REDUCTION.met_by(less)
    bound = f"{published.REDUCTION} % less"
    return [Question(asked, bound, measured, met, raw.record(run), PUBLISHED, less)]
