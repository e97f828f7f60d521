"""HTML tables: texts in, escaped markup out. The look is the page's (templates/offline/page.css)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from sentinel.lab.presentation.phrase import Strong

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.presentation.phrase import Phrase

PUBLISHED = "SentinelStream, published"
"""Head of the last column of key results, the one that was not measured here."""

UNIT = re.compile(r"(?<=[\d=±n]) (?=[\d=%]|msg|ms)")
"""The space within `20 %`, `n = 3`, `5 ms`."""


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
        rows: As many cells as heads each.
        words: Numbers of the columns that stand left, as the first does; numbers stand right.
        class_: `dense` for less air, `wraps` where cells may go on in the next line.
    """
    left = {0, *words}
    head = [tag("th", breakable(name), scope="col", class_="left" if n in left else "") for n, name in enumerate(heads)]
    body = [
        tag(
            "tr",
            together([tag("th", row[0], scope="row"), *(_cell(n, cell, left) for n, cell in enumerate(row[1:], 1))]),
        )
        for row in rows
    ]
    parts = [tag("thead", tag("tr", together(head))), tag("tbody", together(body, "\n"))]
    return tag("div", tag("table", together(parts)), class_=f"scroll {class_}".strip(), tabindex="0")


def _cell(number: int, cell: object, left: set[int]) -> Markup:
    return tag("td", cell, class_="left" if number in left else "")


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
