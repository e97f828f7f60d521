"""The table of runs/index.html: a row a run, damaged ones among them. Pure but for which files are there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from sentinel.lab import formatting, registry
from sentinel.lab.index.alike import worded
from sentinel.lab.index.figures import WHOLE, counted
from sentinel.lab.presentation.tables import breakable, folded, items, tag, together
from sentinel.lab.run.listing import moment
from sentinel.lab.run.run import RECORD
from sentinel.lab.run.run_data import FINISHED, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sentinel.lab.index.figures import KeyFigure
    from sentinel.lab.run.listing import Entry
    from sentinel.lab.run.run_data import RunData

SHOWN = {
    "rate": "Highest rate, msg/s",
    "capacity": "Capacity, msg/s",
    "capacity_cpu_us": "CPU, µs a message",
    "bytes_per_message": "Allocated, bytes a message",
    "e2e_p99": "E2E p99, ms",
    "stored_p99": "Stored p99, ms",
}
"""Measures that have a column, where any run has them: of the headline, else of the last configuration."""
LONGEST = 60
"""Characters of a parameter's value."""
DIGITS = 9
"""Of a commit's name."""
PROFILES = {".html", ".svg", ".json", ".txt"}
"""Ends of the files that a browser can show."""
WORDS = ("Run", "Notebook", "State", "Commit", "Stack", "Parameters that were given")
"""Heads of the first columns."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and by what its column is sorted."""

    content: object
    """Escaped unless it is `Markup`."""
    key: str = ""
    """A number or a text; empty stands last."""
    class_: str = ""


def table(entries: Sequence[Entry]) -> Markup:
    """All runs, the newest first.

    Args:
        entries: As `listing.entries` returns them.
    """
    measures = [name for name in SHOWN if any(name in _latest(entry) for entry in entries)]
    numbers = [*(SHOWN[name] for name in measures), "Capacity, ratio", "Invalid trials"]
    heads = [*WORDS, *numbers[:-1], "Verdicts", numbers[-1], "Files"]
    head = tag("tr", together(_head(name, number=name in numbers) for name in heads))
    body = [_row(entry, measures) for entry in reversed(entries)]
    caption = tag("caption", "All runs; a column's head sorts by it", class_="unseen")
    parts = [caption, tag("thead", head), tag("tbody", together(body, "\n"))]
    return tag("div", tag("table", together(parts), id="runs"), class_="scroll", tabindex="0")


def _head(name: str, *, number: bool) -> Markup:
    """A head that sorts, by numbers or by texts; the newest run stands first from the beginning."""
    if name == "Files":
        return tag("th", name, scope="col", class_="left")
    given = {"data-kind": "number" if number else "text", "aria-sort": "descending" if name == WORDS[0] else ""}
    left = "" if number else "left"
    return tag("th", tag("button", name, type="button"), scope="col", class_=left, **given)


def _row(entry: Entry, measures: Iterable[str]) -> Markup:
    latest = _latest(entry)
    cells = [*_named(entry), *(_figure(latest.get(name)) for name in measures), _ratio(entry.data)]
    cells += [_words(entry), _invalid(entry), Cell(_files(entry))]
    first, *rest = cells
    row = [tag("th", first.content, scope="row", **{"data-key": first.key})]
    row += [tag("td", cell.content, class_=cell.class_, **{"data-key": cell.key}) for cell in rest]
    about = {"data-notebook": entry.data.notebook if entry.data else "", "data-state": entry.state}
    return tag("tr", together(row), **about)


def _named(entry: Entry) -> list[Cell]:
    data, name = entry.data, entry.folder.name
    created = data.created if data else ""
    when = created[:16].replace("T", " ") or name
    page = _link(entry, entry.folder / "report.html", when) or when
    run = together([page, tag("small", name if created else "")])
    return [
        Cell(run, moment(entry)),
        Cell(data.notebook if data else formatting.NOTHING, data.notebook if data else "", "left"),
        Cell(_state(entry), entry.state, "left state"),
        _commit(data),
        _stack(data),
        _parameters(data),
    ]


def _state(entry: Entry) -> Markup:
    """The state, and in a sentence what is wrong, or whose copy it is."""
    bad = "" if entry.state in {FINISHED, RUNNING} else "bad"
    problem = entry.problem.replace(f"{entry.folder.parent.parent}{os.sep}", "")
    copied = f"copy of {entry.data.id}" if entry.data and entry.data.id != entry.folder.name else ""
    notes = [tag("small", _short(note, 4 * LONGEST)) for note in (problem, copied) if note]
    return together([tag("span", entry.state, class_=bad), *notes])


def _commit(data: RunData | None) -> Cell:
    git = (data and data.machine.git) or {}
    if not git.get("commit"):
        return Cell(formatting.NOTHING, class_="left")
    changed = tag("small", "and changes") if git.get("dirty") else ""
    return Cell(together([tag("code", git["commit"][:DIGITS]), changed]), git["commit"], "left")


def _stack(data: RunData | None) -> Cell:
    if data is None or data.stack is None:
        return Cell(formatting.NOTHING, class_="left")
    parts = [part for part in (data.stack.bus, data.stack.store) if part]
    return Cell(together([data.stack.kind, tag("small", " and ".join(parts))]), data.stack.kind, "left")


def _parameters(data: RunData | None) -> Cell:
    given = different(data) if data else {}
    texts = [f"{name}={_short(worded(value))}" for name, value in given.items()]
    return Cell(together(tag("div", _parted(text)) for text in texts), " ".join(texts), "left given")


def _parted(text: str) -> Markup:
    """A parameter that may go on in the next line behind its name."""
    return breakable(text).replace("=", Markup("=<wbr>"), 1)


def different(data: RunData) -> dict[str, object]:
    """The parameters of a run that are not as they are where nothing is given; all, of an unknown notebook.

    Args:
        data: The run's record.
    """
    usual = registry.usual(data.notebook)
    return {name: value for name, value in data.parameters.items() if name not in usual or usual[name] != value}


def _latest(entry: Entry) -> Mapping[str, KeyFigure]:
    """The last figure of each measure: the headline's, or the last configuration's."""
    return {figure.measure: figure for figure in entry.measured}


def _figure(figure: KeyFigure | None) -> Cell:
    if figure is None:
        return Cell(formatting.NOTHING)
    return Cell(tag("span", formatting.figure(figure.value), title=told(figure)), repr(figure.value))


def told(figure: KeyFigure) -> str:
    """A figure in words: whose it is, its unit, its interval and what that is.

    Args:
        figure: Of a run.
    """
    whole = f"{figure.name}, {formatting.figure(figure.value)} {figure.unit}"
    if figure.low is None or figure.high is None or figure.coverage is None:
        return whole
    ends = f"{formatting.figure(figure.low)} to {formatting.figure(figure.high)}"
    return f"{whole} ({ends}, {100 * figure.coverage:.1f} % interval of {formatting.counted(figure.n, 'trial')})"


def _ratio(data: RunData | None) -> Cell:
    capacity = data.ratios.get("capacity") if data and data.compared[0] != data.compared[1] else None
    if data is None or capacity is None or capacity.value is None:
        return Cell(formatting.NOTHING)
    what = f"{data.compared[0]} ÷ {data.compared[1]}: {formatting.ranged(capacity)}"
    return Cell(tag("span", formatting.times(capacity.value), title=what), repr(capacity.value))


def _words(entry: Entry) -> Cell:
    """How many measures have which word, and unfolded which; the word of the whole run first."""
    judged = {name: word for name, word in entry.words.items() if name != WHOLE}
    whole = [tag("div", entry.words[WHOLE])] if WHOLE in entry.words else []
    by_word = counted(judged)
    texts = ", ".join(f"{len(measures)} {word}" for word, measures in by_word.items())
    listed = items(f"{word}: {', '.join(measures)}" for word, measures in by_word.items())
    return Cell(
        together([*whole, *([folded(texts, listed)] if texts else [])]), entry.words.get(WHOLE) or texts, "left"
    )


def _invalid(entry: Entry) -> Cell:
    if entry.data is None or not entry.data.trials:
        return Cell(formatting.NOTHING)
    bad = len(entry.invalid)
    return Cell(tag("span", f"{bad} of {len(entry.data.trials)}", class_="bad" if bad else ""), str(bad))


def _files(entry: Entry) -> Markup:
    named = {"page": "report.html", "record": RECORD, "notebook": "notebook.ipynb"}
    links = [_link(entry, entry.folder / file, name) for name, file in named.items()]
    profiles = sorted(path for path in entry.profiles.glob("*") if path.suffix in PROFILES)
    listed = [_link(entry, path, path.name) for path in profiles]
    more = [folded(formatting.counted(len(listed), "profile"), items(filter(None, listed)))] if listed else []
    return together([together(filter(None, links), " "), *more])


def _link(entry: Entry, path: Path, text: str) -> Markup | None:
    """A link from runs/ to a file that is there."""
    if not path.is_file():
        return None
    target = quote(os.fsencode(os.path.relpath(path, entry.folder.parent)))
    return tag("a", text, href=target)


def _short(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def choices(entries: Sequence[Entry]) -> tuple[list[str], list[str]]:
    """What can be chosen among: the notebooks and the states that there are, sorted.

    Args:
        entries: As `listing.entries` returns them.
    """
    notebooks = {entry.data.notebook for entry in entries if entry.data}
    return sorted(notebooks), sorted({entry.state for entry in entries})


def selection(label: str, name: str, values: Iterable[str]) -> Markup:
    """A label with its list to choose from, all of them at first.

    Args:
        label: What is chosen.
        name: The id of the list.
        values: What there is.
    """
    options = [Markup('<option value="">all</option>'), *(tag("option", value, value=value) for value in values)]
    return tag("label", together([f"{label} ", tag("select", together(options), id=name)]))
