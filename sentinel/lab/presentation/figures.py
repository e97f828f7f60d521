"""Figures within a page: a picture with its alt text and a caption, or the words that stand in for it."""

from __future__ import annotations

import base64
from typing import Protocol

from IPython.display import HTML
from markupsafe import Markup

from sentinel.lab.presentation.tables import tag, together


class Rendered(Protocol):
    """A picture of any kind."""

    @property
    def alt(self) -> str:
        """What it shows, in words with numbers."""

    def render(self) -> tuple[str, bytes]:
        """MIME type and content."""


def figure_html(picture: Rendered, caption: object, more: str = "") -> Markup:
    """A picture within the page, with its alt text and a caption.

    Args:
        picture: What is shown.
        caption: Escaped unless it is `Markup`.
        more: Further attributes of the image, as HTML.
    """
    mime, data = picture.render()
    source = f"data:{mime};base64,{base64.b64encode(data).decode()}"
    image = Markup(f'<img alt="{together([picture.alt])}"{more} src="{source}">')
    return tag("figure", together([tag("div", image, class_="scroll card"), tag("figcaption", caption)]))


def nothing(why: str) -> HTML:
    """A paragraph in place of a figure.

    Args:
        why: Why there is no figure, as a sentence; escaped.
    """
    return HTML(tag("p", why, class_="nothing"))
