"""The live view in a notebook, and the head of its report; what follows, ledger and answer, is in `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from sentinel.lab import formatting
from sentinel.lab.events import trial_events
from sentinel.lab.events.event import told
from sentinel.lab.experiments.live import plots
from sentinel.lab.experiments.live.feed import replayed
from sentinel.lab.experiments.live.figures import named
from sentinel.lab.experiments.live.record import Record
from sentinel.lab.experiments.live.window import RECENT
from sentinel.lab.notebook import frontend
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.tables import AIRY, Cell, figured, table, together
from sentinel.lab.report import heading
from sentinel.lab.report.answers import raw
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import LIVE
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from markupsafe import Markup

    from sentinel.lab.events.event import Event
    from sentinel.lab.experiments.live.figures import Figures
    from sentinel.lab.experiments.live.window import Window
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

__all__ = ["View", "header", "view"]

STEADY = f' width="{plots.SIZE[0]}" height="{plots.SIZE[1]}" decoding="sync" style="max-width: 100%; height: auto"'
"""The image has its size before it is decoded, and appears with the words around it: nothing jumps or flickers."""
COUNTS = ("sent", "written", "lost", "rejected", "retries")
"""What is told of messages, whether or not there are any."""
RARE = ("duplicated", "skipped", "jumped", "overwritten", "left unread")
"""What is told only where there are any."""
TITLES = {"internal": "Internal", "e2e": "E2E", "stored": "Stored"}


def header(run: Run) -> HTML:
    """The head of the report: what is watched, and on which stack."""
    p = run.data.parameters
    load = (
        f"{formatting.plain(p['RATE'])} msg/s from {formatting.counted(p['WORKERS'], 'worker')}, " if p["LOAD"] else ""
    )
    agent = f"a sample every {formatting.plain(p['INTERVAL'])} s"
    lead = "This host, through its own agent, and the pipeline that carries its samples; a watch, not a measurement."
    return HTML(heading.heading(run, f"{load}{agent}, over {p['TRANSPORT']}", lead))


def view(run: Run) -> HTML:
    """The last window of the run's last watch, made from its folder: what `View` showed at the end."""
    watches = [trial for trial in run.data.trials if trial.plan.kind == LIVE]
    if not watches:
        return nothing("Nothing was watched.")
    outcome, p = watches[-1], run.data.parameters
    folder = run.trial_folder(outcome.plan.number)
    shares = [tails.share(name) for name in queries.percentiles(run)]
    window = replayed(folder, p["WINDOW"], shares)
    if not window.end:
        return nothing("The consumer of this watch left no record: there is nothing to draw.")
    return HTML(accounted(window, outcome, run.sections(Record).watched.seconds, run, happened(folder, window)))


def happened(folder: Path, window: Window) -> list[Event]:
    """What happened within a window that is over, at seconds before its end.

    Args:
        folder: Of its trial.
        window: With at least one line of the consumer.
    """
    return [event for event in trial_events.of_trial(folder, window.end) if -window.seconds <= event.at <= 0]


class View:
    """An output of the notebook that is replaced in place; outside a notebook nothing is shown.

    Args:
        seconds: How long the watch takes.
        note: Called with the window in a line, for a terminal.
    """

    def __init__(self, seconds: float, note: Callable[[str], object]) -> None:
        self._seconds = seconds
        self._note = note
        self._handle = display(frontend.revealed(), display_id=True) if get_ipython() else None

    def show(self, window: Window, now: int, passed: float) -> None:
        """Replace what is shown.

        Args:
            window: What is known.
            now: ns since the epoch; nothing later is shown.
            passed: Seconds since the start.
        """
        self._note(line(window, now))
        if self._handle is not None:
            self._handle.update(HTML(seen(window, now, timed(passed, self._seconds), window.tally(now))))

    def end(self, window: Window, outcome: Outcome, passed: float, folder: Path) -> None:
        """Show the window once every message is accounted for.

        Args:
            window: What is known.
            outcome: The watch's trial, with its ledgers.
            passed: Seconds that the watch took.
            folder: Of that trial.
        """
        if self._handle is not None and window.end:
            self._handle.update(HTML(accounted(window, outcome, passed, events=happened(folder, window))))


def line(window: Window, now: int) -> str:
    """The last seconds in a line for a terminal.

    Args:
        window: What is known.
        now: ns since the epoch; nothing later is shown.
    """
    recent, pipeline, host = window.recent(now), window.pipeline(now), window.host(now)
    backlog = formatting.count(pipeline.backlog[-1]) if len(pipeline.backlog) else formatting.NOTHING
    cpu = formatting.figure(host.values["cpu"][-1]) if len(host.seconds) else formatting.NOTHING
    return (
        f"{formatting.figure(recent.stored)} msg/s stored, p99 {formatting.figure(recent.latencies['stored', 0.99])}"
        f" ms, backlog {backlog}, lost {formatting.count(window.tally(now)['lost'])}, CPU {cpu} %"
    )


def accounted(
    window: Window, outcome: Outcome, passed: float, run: Run | None = None, events: Sequence[Event] | None = None
) -> Markup:
    """The window as of its end, with the counts of the ledgers.

    Args:
        window: A window with at least one line of the consumer.
        outcome: The watch's trial, with its ledgers; without the consumer's the window's counts are shown.
        passed: Seconds that the watch took.
        run: Whose the watch is, once its record is written.
        events: What happened, for a figure that can be looked at closer: see `plots.live`.
    """
    got = outcome.consumer
    counts = {"sent": outcome.sender["sent"], **got, "lost": outcome.lost} if got else window.tally(window.end)
    counts |= {"left unread": outcome.unread}
    return seen(window, window.end, timed(passed, outcome.plan.load.duration), counts, run, events=events)


def timed(passed: float, seconds: float) -> str:
    """How much of a watch is over, in words.

    Args:
        passed: Seconds since its start.
        seconds: How long it takes.
    """
    return f"{passed:.0f} of {formatting.plain(seconds)} s"


def seen(
    window: Window,
    now: int,
    progress: str,
    counts: Mapping[str, int],
    run: Run | None = None,
    *,
    events: Sequence[Event] | None = None,
) -> Markup:
    """Figure, key figures and counts.

    Args:
        window: What is known.
        now: ns since the epoch; nothing later is shown.
        progress: How much of the watch is over, in words.
        counts: Messages by name: all of `COUNTS`, and those of `RARE` that are known.
        run: Whose figures it shows, where they are kept.
        events: What happened, at seconds before `now`, once the watch is over.
    """
    drawing = plots.live(window.host(now), window.pipeline(now), window.seconds, events)
    shown = {name: counts[name] for name in COUNTS} | {name: count for name in RARE if (count := counts.get(name))}
    messages = ", ".join(f"{formatting.count(count)} {name}" for name, count in shown.items())
    marked = f" Marked at the upper edges: {told(events)}." if events else ""
    caption = f"{progress}: {formatting.counted(window.samples, 'sample')} of this host; messages: {messages}.{marked}"
    keys = [(kind, q) for kind in TITLES for q in window.shown]
    heads = ["", "stored, msg/s", *(f"{TITLES[kind]} {named(q)}, ms" for kind, q in keys)]
    rows = [_row(f"last {RECENT:.0f} s", window.recent(now), keys), _row("since the start", window.whole(), keys)]
    look = "dense" if len(heads) > AIRY else ""
    data = raw.drawn(run, "live", drawing) if run else ""
    return together([figure_html(drawing, caption, STEADY, data), table(heads, rows, class_=look)], "\n")


def _row(name: str, figures: Figures, keys: Sequence[tuple[str, float]]) -> list[str | Cell]:
    return [name, figured(figures.stored), *(figured(figures.latencies.get(key)) for key in keys)]
