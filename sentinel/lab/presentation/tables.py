"""HTML tables: texts in, escaped markup out. The look is the page's (templates/offline/page.css)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from sentinel.lab import formatting
from sentinel.lab.presentation.phrase import Strong

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.presentation.phrase import Phrase

PUBLISHED = "SentinelStream, published"
"""Head of the last column of key results, the one that was not measured here."""

AIRY = 8
"""Columns for which a page is wide enough; of more the table is dense."""
RAW = "raw"
"""CSS class of links to the file that a number is from: such a link is no link any more where the file is not there."""

UNIT = re.compile(r"(?<=[\d=±n]) (?=[\d=%]|msg|ms)")
"""The space within `20 %`, `n = 3`, `5 ms`."""


@dataclass(frozen=True)
class Cell:
    """A cell's text, and what stands behind it."""

    text: str
    value: float | None = None
    """The number itself, in the unit of the row's or the column's head: what a copy of the table has."""
    raw: str = ""
    """Address of the file that the number is from, as a page of the run sees it; empty where there is none."""
    hint: str = ""
    """A tooltip; empty where there is none."""

    def __html__(self) -> str:
        text = tag("span", self.text, title=self.hint) if self.hint else escape(self.text)
        return str(filed(text, self.raw) if self.raw and self.text != formatting.NOTHING else text)

    @property
    def attributes(self) -> dict[str, str]:
        """Of the table's cell: the number with all its digits."""
        known = self.value is not None and math.isfinite(self.value)
        return {"data-value": f"{self.value:.12g}"} if known else {}


def figured(value: float | None, raw: str = "", hint: str = "") -> Cell:
    """The cell of a measured number, to three significant digits.

    Args:
        value: None, or what is not finite, is a dash.
        raw: Address of the file that it is from.
        hint: A tooltip.
    """
    return Cell(formatting.figure(value), value, raw, hint)


def counted(value: float | None, raw: str = "") -> Cell:
    """The cell of a counted number, exact.

    Args:
        value: None is a dash.
        raw: Address of the file that it is from.
    """
    return Cell(formatting.count(value), value, raw)


def percent(share: float) -> Cell:
    """The cell of a share, in percent to one decimal.

    Args:
        share: From 0 to 1.
    """
    return Cell(f"{100 * share:.1f}", 100 * share)


def filed(content: object, raw: str) -> Markup:
    """A link to the file that a number is from.

    Args:
        content: The link's text; escaped unless it is `Markup`.
        raw: Address of the file.
    """
    return Markup(f'<a class="{RAW}" href="{escape(raw)}">{escape(content)}</a>')


def tag(name: str, content: object, **attributes: str) -> Markup:
    """One HTML element.

    Args:
        name: Of the element, such as `p`.
        content: Escaped unless it is `Markup`.
        **attributes: By name, escaped; an underscore at a name's end is dropped (`class_`), an empty value leaves the
            attribute out.
    """
    given = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    return Markup(f"<{name}{given}>{escape(content)}</{name}>")


def together(parts: Iterable[object], between: str = "") -> Markup:
    """Parts in a row.

    Args:
        parts: Each escaped unless it is `Markup`.
        between: HTML between each two.
    """
    return Markup(between).join(escape(part) for part in parts)


def table(
    heads: Sequence[object], rows: Iterable[Sequence[object]], words: Iterable[int] = (), class_: str = ""
) -> Markup:
    """A table whose first column heads its rows. A wide one scrolls within itself.

    Args:
        heads: One for each column; like the cells escaped unless they are `Markup`.
        rows: As many cells as heads each; a `Cell` where a number, its file or a hint stands behind the text.
        words: Numbers of the columns that stand left, as the first does; numbers stand right.
        class_: `dense` for less air, `wraps` where cells may go on in the next line.
    """
    left = {0, *words}
    head = [tag("th", breakable(name), scope="col", class_="left" if n in left else "") for n, name in enumerate(heads)]
    body = [
        tag(
            "tr",
            together([_cell("th", row[0], scope="row"), *(_data(n, cell, left) for n, cell in enumerate(row[1:], 1))]),
        )
        for row in rows
    ]
    parts = [tag("thead", tag("tr", together(head))), tag("tbody", together(body, "\n"))]
    return tag("div", tag("table", together(parts)), class_=f"scroll {class_}".strip(), tabindex="0")


def _data(number: int, cell: object, left: set[int]) -> Markup:
    return _cell("td", cell, class_="left" if number in left else "")


def _cell(name: str, cell: object, **attributes: str) -> Markup:
    return tag(name, cell, **attributes, **(cell.attributes if isinstance(cell, Cell) else {}))


def breakable(content: object) -> Markup:
    """Text that may go on in the next line after a comma: a configuration's name may be a list of switches.

    Args:
        content: Escaped unless it is `Markup`.
    """
    return Markup(re.sub(r",(?=[^\d\s])", ",<wbr>", str(escape(content))))


def stressed(phrase: Phrase) -> Markup:
    """A sentence as HTML: its `Strong` parts are bold, and no line ends between a number and its unit.

    Args:
        phrase: Each part is escaped.
    """
    parts = [tag("strong", part) if isinstance(part, Strong) else escape(part) for part in phrase]
    return Markup(UNIT.sub("\N{NO-BREAK SPACE}", "".join(parts)))


def hinted(content: str, hint: str) -> object:
    """A cell's text with a tooltip.

    Args:
        content: Escaped.
        hint: The tooltip; empty leaves the text as it is.

    Returns:
        A cell for `table`.
    """
    return tag("span", content, title=hint) if hint else content


def items(entries: Iterable[object]) -> Markup:
    """A bulleted list.

    Args:
        entries: Each escaped unless it is `Markup`.
    """
    return tag("ul", together([tag("li", entry) for entry in entries], "\n"))


def paragraphs(entries: Iterable[object], class_: str = "") -> Markup:
    """One paragraph an entry.

    Args:
        entries: Each escaped unless it is `Markup`.
        class_: CSS class of every paragraph; empty for none.
    """
    return together([tag("p", entry, class_=class_) for entry in entries], "\n")


def folded(summary: object, *content: object) -> Markup:
    """Content that is shown once its summary is clicked.

    Args:
        summary: The text that is always seen; escaped unless it is `Markup`.
        *content: What opens below it, likewise.
    """
    return tag("details", together([tag("summary", summary), *content]))
