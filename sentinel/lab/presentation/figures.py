"""Figures within a page: a picture with its alt text and a caption, or the words that stand in for it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Protocol

from IPython.display import HTML
from markupsafe import Markup

from sentinel.lab.interactive.chart import embedded
from sentinel.lab.presentation.tables import filed, tag, together

if TYPE_CHECKING:
    from sentinel.lab.interactive.chart import Chart


class Rendered(Protocol):
    """A picture of any kind."""

    @property
    def alt(self) -> str:
        """What it shows, in words with numbers."""

    @property
    def chart(self) -> Chart | None:
        """The same to be looked at closer, where there is more to see."""

    def render(self) -> tuple[str, bytes]:
        """MIME type and content."""


def figure_html(picture: Rendered, caption: object, more: str = "", data: str = "") -> Markup:
    """A picture within the page, with its alt text, a caption, and what a chart over it is drawn from.

    Args:
        picture: What is shown.
        caption: Escaped unless it is `Markup`.
        more: Further attributes of the image, as HTML.
        data: Address of its numbers, as a page of the run sees it; empty where there are none.
    """
    mime, drawn = picture.render()
    source = f"data:{mime};base64,{base64.b64encode(drawn).decode()}"
    image = Markup(f'<img alt="{together([picture.alt])}"{more} src="{source}">')
    closer = embedded(picture.chart) if picture.chart and picture.chart.rows else ""
    told = together([caption, *([filed("Data (CSV)", data)] if data else [])], " ")
    return tag("figure", together([tag("div", image, class_="scroll card"), closer, tag("figcaption", told)]))


def nothing(why: str) -> HTML:
    """A paragraph in place of a figure.

    Args:
        why: Why there is no figure, as a sentence; escaped.
    """
    return HTML(tag("p", why, class_="nothing"))
