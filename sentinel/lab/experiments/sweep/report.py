"""The sections of a sweep's report, each a function of a run; what benchmarks have too is in `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep import knee, plots, results
from sentinel.lab.experiments.sweep.climb import BISECTIONS
from sentinel.lab.experiments.sweep.knee import FAILS, HOLDS, SILENT
from sentinel.lab.experiments.sweep.record import Record
from sentinel.lab.offered import shape
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.style import styles
from sentinel.lab.presentation.tables import PUBLISHED, Cell, counted, figured, paragraphs, table, tag, together
from sentinel.lab.replay import words
from sentinel.lab.report.answers import raw
from sentinel.lab.report.captions import left_out, missing
from sentinel.lab.run import queries
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.sustained import ENOUGH, growth_seconds

if TYPE_CHECKING:
    from markupsafe import Markup

    from sentinel.lab.experiments.sweep.knee import Step
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

__all__ = ["climb", "key_results", "load", "steps"]

HEADS = (
    "Trial", "Phase", "Configuration", "offered, msg/s", "sent, msg/s", "achieved, msg/s", "backlog grew by, messages"
)  # fmt: skip
"""Of the table of steps, before its latencies."""
STYLES = {HOLDS: ("✓", "good"), FAILS: ("✗", "bad"), SILENT: ("?", "")}
"""Mark and class of a verdict."""


def load(run: Run) -> str:
    """The offered load and the SLO in words, for the report's head."""
    p = run.data.parameters
    rates = sorted({step.rate for step in run.sections(Record).steps})
    span = f"{formatting.plain(rates[0])} to {formatting.plain(rates[-1])} msg/s" if rates else "nothing"
    how = "as listed" if p["RATES"] else f"rising by {formatting.plain(p['FACTOR'])}"
    return (
        f"{span}, {how}{shape(run.data)}, from {words.senders(run.data)} over {p['TRANSPORT']},"
        f" {formatting.plain(p['DURATION'])} s a step after the warm-up, knees confirmed by"
        f" {formatting.counted(p['REPEATS'], 'repeat')}; SLO: nothing lost, the load sustained, stored p99 within"
        f" {formatting.plain(p['P99_STORED_MS'])} ms"
    )


def key_results(run: Run) -> HTML:
    """A table of the highest rate at which each configuration meets the SLO, with its interval and its latencies."""
    if not results.knees(run):
        return nothing("Nothing was offered to any configuration: there are no results.")
    names = queries.names(run)
    several = len(names) > 1
    heads = ["Measure, unit", *names, *([f"{names[-1]} ÷ {names[0]}"] if several else []), PUBLISHED]
    body = [
        [row.head, *row.shown, *([row.factored(raw.record(run))] if several else []), row.published]
        for row in results.rows(run)
    ]
    notes = tag("div", paragraphs(results.footnotes(run)), class_="notes")
    return HTML(together([table(heads, body), notes]))


def climb(run: Run) -> HTML:
    """The figure of latency percentiles and achieved rate over the offered rate."""
    points = results.points(run)
    if not points:
        return nothing("No valid trial: there is nothing to draw.")
    caption = (
        "One dot per trial, lines through the medians, all axes logarithmic. The upright line of each configuration is"
        " the highest rate at which it meets the SLO, the band its interval. Where achieved leaves the diagonal, less"
        " is stored than offered: the consumer's limit or, at crosses, the generator's."
    )
    without = left_out(run) + missing(queries.names(run), points, "valid trial")
    slo = run.data.parameters["P99_STORED_MS"]
    picture = plots.climb(points, results.knees(run), slo, styles(queries.names(run)))
    return HTML(figure_html(picture, f"{caption}{without}", data=raw.drawn(run, "climb", picture)))


def steps(run: Run) -> HTML:
    """A table of every trial and whether it meets the SLO, and the rules for that."""
    tried = results.tried(run)
    if not tried:
        return nothing("No trial was carried out.")
    slo = run.data.parameters["P99_STORED_MS"]
    rows = [_row(run, step, outcome, slo) for step, outcome in tried]
    tail = results.tail(run)
    stored = [f"stored {name}, ms" for name in queries.percentiles(run)]
    heads = [*HEADS, *stored, f"e2e {tail}, ms", "lost", f"send delay {tail}, ms", "verdict"]
    whole = table(heads, rows, words=(1, 2, len(heads) - 1), class_="dense")
    return HTML(together([whole, tag("div", paragraphs(rules(run)), class_="notes")]))


def _row(run: Run, step: Step, outcome: Outcome, slo: float) -> list[object]:
    def p(kind: str, name: str) -> Cell:
        return figured(tails.reading(outcome, kind, name))

    tail = results.tail(run)
    return [
        Cell(str(step.trial), step.trial, raw.trial(run, step.trial)), step.phase, step.configuration,
        Cell(formatting.plain(step.rate), step.rate), figured(step.sent), figured(outcome.throughput or None),
        counted(round(step.growth)), *(p("stored", name) for name in queries.percentiles(run)), p("e2e", tail),
        counted(outcome.lost), p("send_delay", tail), _verdict(step, slo, tails.highest([outcome], "stored")),
    ]  # fmt: skip


def _generator(step: Step) -> str:
    share = step.sent / step.rate
    return f"the generator sent {100 * share:.0f} %" if share < ENOUGH else "the generator was late"


def _verdict(step: Step, slo: float, tail: str) -> Markup:
    mark, look = STYLES[step.verdict]
    reasons = {
        "": knee.HOLDS,
        knee.LOSS: "lost messages",
        knee.BACKLOG: "the backlog grew",
        knee.BEHIND: "not sustained",
        knee.SLOW: f"stored {tail} over {formatting.plain(slo)} ms",
        knee.GENERATOR: _generator(step),
        knee.INVALID: "invalid",
    }
    return tag("span", f"{mark} {reasons[step.why]}", class_=look)


def rules(run: Run) -> list[str]:
    """The rules by which a trial meets the SLO and a knee is found, in sentences."""
    p = run.data.parameters
    grown = growth_seconds(p["DURATION"])
    slo, ladder = (
        formatting.plain(p["P99_STORED_MS"]),
        "the next one listed" if p["RATES"] else f"{p['FACTOR']:g}× as much",
    )
    halved = "" if p["RATES"] else f"; the gap around the knee is then halved {BISECTIONS} times, geometrically"
    return [
        f"A trial meets the SLO if it is valid, nothing was lost, the load was sustained and stored p99 is within {slo}"
        f" ms; of fewer than {tails.NEEDED['p99']} messages the longest must be. Sustained: the backlog grew by less"
        f" than {grown:g} s of load, at least {100 * ENOUGH:.0f} % of the offered load was stored while it lasted, from"
        " one flush to another, and neither e2e nor stored p50 rose from the first to the last third of the measured"
        " seconds.",
        "A trial without loss or growing backlog is inconclusive where the load generator left messages unsent, sent"
        f" less than {100 * ENOUGH:.0f} % of the offered rate, or was over {slo} ms late itself (send delay p99); so is"
        " an invalid one.",
        f"Climb: one trial per rate, then {ladder}, until one fails; a trial that does not meet the SLO is repeated at"
        f" once and the better of the two counts{halved}. The search assumes monotonicity.",
        f"Confirmation: {formatting.counted(p['REPEATS'], 'trial')} at the knee and at the next rate up, interleaved,"
        " and wherever those move it to. The knee is the highest rate at which more than half of the trials meet the"
        " SLO, by a decreasing (isotonic) fit to all trials of both phases.",
    ]
