"""Trials over time, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import Grid, Picture, grid, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import MUTED, PROCESSES, Style
from sentinel.lab.run.series import SAMPLE_EVERY
from sentinel.lab.run.trial_record import WARM_UP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentinel.lab.run.queries import Timeline

COUNTS = {"sent": "msg/s", "written": "msg/s", "backlog": "messages"}
COLUMNS = {
    "configuration": "its label",
    "trial": "its rate, and which trial of how many",
    "measure": "sent, written, backlog; cpu (mean of one second) and rss of a process",
    "process": "whose; empty of messages",
    "seconds": "since the first send, s",
    "value": "in `unit`",
    "unit": "of `value`",
}


@styled
def over_time(timelines: Sequence[Timeline], styles: Mapping[str, Style]) -> Picture:
    """A row a trial: throughput, backlog, CPU and memory of every process over seconds; the warm-up is shaded.

    Args:
        timelines: One or more trials; see `queries.timelines`.
        styles: The look of each column, by `Timeline.key`.
    """
    figure, axes = grid(len(timelines), 4, 0.9 + 1.75 * len(timelines), sharex="row")
    titles = ("Throughput, msg/s", "Backlog, messages", "CPU, % of one core¹", "Memory (RSS), MB")
    for title, axis in zip(titles, axes[0], strict=True):
        axis.set_title(title)
    for line, row in zip(timelines, axes, strict=True):
        _rates(row[0], row[1], line, styles[line.key])
        _processes(row[2], row[3], line)
        for axis in row:
            axis.axvspan(0, WARM_UP, color=MUTED, alpha=0.13, linewidth=0)
            axis.axvline(line.load_ends, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
            axis.set_ylim(bottom=0)
            axis.set_xlim(left=0)
            axis.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.plain(value)))
        row[0].set_ylabel(f"{formatting.broken(line.label)}\n{line.note}", color=styles[line.key].colour, fontsize=8.5)
    for axis in axes[-1]:
        axis.set_xlabel("seconds since the first send")
    _time_legend(figure, axes)
    return Picture(figure, alt_text.over_time(timelines), FigureData(COLUMNS, _rows(timelines)))


def _rows(timelines: Sequence[Timeline]) -> list[tuple[object, ...]]:
    """What the lines show, a value a row."""
    rows: list[tuple[object, ...]] = []
    for line in timelines:
        head = line.label, " ".join(line.note.split())
        for measure, unit in COUNTS.items():
            rows += [(*head, measure, "", at, value, unit) for at, value in line.counts[measure].items()]
        for name, frame in line.resources.groupby("process"):
            for measure, values, unit in (("cpu", _smooth(frame), "% of one core"), ("rss", frame["rss"], "MB")):
                points = zip(frame["seconds"], values, strict=True)
                rows += [(*head, measure, name, at, value, unit) for at, value in points]
    return rows


def _smooth(frame: pd.DataFrame) -> pd.Series[float]:
    """CPU as the mean of one second."""
    return frame["cpu"].rolling(round(1 / SAMPLE_EVERY), min_periods=1).mean()


def _rates(throughput: Axes, backlog: Axes, line: Timeline, style: Style) -> None:
    seconds, sent = line.counts.index, PROCESSES["load"]
    throughput.plot(seconds, line.counts["sent"], color=sent.colour, linestyle=sent.line, label="sent")
    throughput.plot(seconds, line.counts["written"], color=style.colour, label="written")
    backlog.plot(seconds, line.counts["backlog"], color=style.colour)


def _processes(cpu: Axes, rss: Axes, line: Timeline) -> None:
    for name, frame in line.resources.groupby("process"):
        style = PROCESSES.get(str(name), Style(MUTED, "solid", ""))
        for axis, values in (
            (cpu, _smooth(frame)),
            (rss, frame["rss"]),
        ):
            axis.plot(
                frame["seconds"], values, color=style.colour, linestyle=style.line, linewidth=1.5, label=str(name)
            )


def _time_legend(figure: Figure, axes: Grid) -> None:
    lines = {line.get_label(): line for axis in (*axes[:, 0], *axes[:, 2]) for line in axis.get_lines()}
    order = {name: lines[name] for name in ("sent", "written", *PROCESSES) if name in lines}
    shown = {"written (colour of the row)" if name == "written" else name: line for name, line in order.items()}
    note = "shaded: warm-up, left out of the percentiles · dotted: end of the load · ¹ mean of one second"
    figure.legend(
        shown.values(), shown.keys(), loc="outside lower center", ncols=len(shown), title=note, title_fontsize=8.5
    )
