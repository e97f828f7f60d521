"""The live view in a notebook, and the head of its report; what follows, ledger and answer, is in `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from sentinel.lab import heading, plots, words
from sentinel.lab.feed import Feed
from sentinel.lab.figures import figure_html, nothing
from sentinel.lab.tables import Markup, table, together
from sentinel.lab.window import KEYS, RECENT, Window

if TYPE_CHECKING:
    from sentinel.lab.runs import Run
    from sentinel.lab.window import Figures

__all__ = ["View", "header", "view"]

STEADY = f' width="{plots.SIZE[0]}" height="{plots.SIZE[1]}" decoding="sync" style="max-width: 100%; height: auto"'
"""The image has its size before it is decoded, and appears with the words around it: nothing jumps or flickers."""
TITLES = {"internal": "Internal", "e2e": "E2E", "stored": "Stored"}


def header(run: Run) -> HTML:
    """What is going to be watched, on what."""
    p = run.data["parameters"]
    load = f"{words.plain(p['RATE'])} msg/s from {words.counted(p['WORKERS'], 'worker')}, " if p["LOAD"] else ""
    agent = f"a sample every {words.plain(p['INTERVAL'])} s"
    lead = "This host, through its own agent, and the pipeline that carries its samples; a watch, not a measurement."
    return HTML(heading.heading(run, f"{load}{agent}, over {p['TRANSPORT']}", lead))


def view(run: Run) -> HTML:
    """The last window of a watch with its figures and counts, out of the record of its programs."""
    if not (watched := run.data.get("watched")) or "at" not in watched:
        return nothing("Nothing was watched.")
    window = Window(run.data["parameters"]["WINDOW"])
    Feed(run.trial_folder(run.data["trials"][-1]["plan"]["number"]), window).read()
    passed = f"{watched['seconds']:.0f} of {words.plain(run.data['parameters']['SECONDS'])} s"
    return HTML(seen(window, watched["at"], passed))


class View:
    """One output that is replaced in place; without a notebook around, nothing."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._handle = display(HTML("<p>starting…</p>"), display_id=True) if get_ipython() else None

    def show(self, window: Window, now: int, passed: float) -> None:
        """The window as of `now` (ns since the epoch), `passed` seconds after the start."""
        if self._handle is not None:
            self._handle.update(HTML(seen(window, now, f"{passed:.0f} of {words.plain(self._seconds)} s")))


def seen(window: Window, now: int, progress: str) -> Markup:
    """Figure, key figures and counts."""
    drawing = plots.live(window.host(now), window.pipeline(now), window.seconds)
    got = window.counts
    counts = {"sent": window.sent, **{name: got[name] for name in ("written", "lost", "rejected", "retries")}}
    told = ", ".join(f"{words.count(count)} {name}" for name, count in counts.items())
    caption = f"{progress}: {words.counted(window.samples, 'sample')} of this host; messages: {told}."
    heads = ["", "stored, msg/s", *(f"{TITLES[kind]} p{100 * q:.0f}, ms" for kind, q in KEYS)]
    rows = [_row(f"last {RECENT:.0f} s", window.recent(now)), _row("since the start", window.whole())]
    return together([figure_html(drawing, caption, STEADY), table(heads, rows)], "\n")


def _row(name: str, figures: Figures) -> list[str]:
    return [name, words.figure(figures.stored), *(words.figure(figures.latencies[key]) for key in KEYS)]
