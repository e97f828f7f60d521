"""Boxes below boxes as one static SVG: no script, no font, no address; a tooltip on every box. Pure.

Callers stand above what they call, and a box is as wide as its weight. The picture can be a file of its own or a part
of a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from sentinel.lab.presentation.style import GRID, GROUND, INK, MUTED, dark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, ROW, TOP, EDGE = 1200, 17, 76, 10
"""Pixels: of the picture, of a row, above the rows, at the sides."""
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
CHARACTER = 6.65
"""Pixels of one character at 11 px."""
CLASS = "flames"
"""Of the picture: its style sheet is about nothing else in a page."""
NARROWEST = 0.4
"""Pixels below which a box is left out."""


@dataclass(frozen=True)
class Look:
    """How a box is filled."""

    colour: str
    opacity: str = "0.5"


@dataclass
class Box:
    """A frame below the same callers."""

    text: str
    """What stands in it, as far as there is room."""
    hint: str
    """Its tooltip."""
    look: Look
    weight: float
    """How wide it is, in any unit; at least as much as what lies below it together."""
    below: list[Box] = field(default_factory=list)


def svg(root: Box, title: str, hint: str, legend: Sequence[tuple[Look, str]]) -> str:
    """The boxes below a root, which is not drawn itself.

    Args:
        root: Its weight is the whole width.
        title: The heading of the picture.
        hint: A line below it.
        legend: What the colours mean.

    Returns:
        SVG, as a file of its own or a part of a page.
    """
    rows = list(_rows(root, 0.0, 0))
    height = TOP + ROW * (1 + max((depth for _, _, depth in rows), default=0)) + EDGE
    picture = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": CLASS,
            "width": str(WIDTH),
            "height": str(height),
            "viewBox": f"0 0 {WIDTH} {height}",
            "font-family": FONT,
            "font-size": "11",
            "fill": INK,
        },
    )
    ET.SubElement(picture, "title").text = title
    ET.SubElement(picture, "style").text = dark(f":is(.{CLASS}, .{CLASS} *)")
    ET.SubElement(picture, "rect", {"width": "100%", "height": "100%", "fill": GROUND})
    _text(picture, EDGE, 24, title, {"font-size": "15", "font-weight": "bold"})
    _text(picture, EDGE, 42, hint, {"fill": MUTED})
    for number, (look, text) in enumerate(legend):
        _key(picture, EDGE + number * (WIDTH - 2 * EDGE) / len(legend), look, text)
    for box, start, depth in rows:
        _draw(picture, box, start, depth, (WIDTH - 2 * EDGE) / root.weight)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _rows(box: Box, start: float, depth: int) -> Iterator[tuple[Box, float, int]]:
    """Every box below with the weight to its left and its row; the widest comes first."""
    for below in sorted(box.below, key=lambda child: (-child.weight, child.text)):
        yield below, start, depth
        yield from _rows(below, start, depth + 1)
        start += below.weight


def _draw(picture: ET.Element, box: Box, start: float, depth: int, scale: float) -> None:
    width = box.weight * scale
    if width < NARROWEST:
        return
    x, y = EDGE + start * scale, TOP + depth * ROW
    group = ET.SubElement(picture, "g")
    ET.SubElement(group, "title").text = box.hint
    place = {"x": f"{x:.2f}", "y": str(y), "width": f"{width:.2f}", "height": str(ROW - 1)}
    look = {"fill": box.look.colour, "fill-opacity": box.look.opacity, "stroke": GROUND, "stroke-width": "0.4"}
    ET.SubElement(group, "rect", place | look)
    if (room := int((width - 6) / CHARACTER)) >= 4:
        _text(group, x + 3, y + 12, box.text if len(box.text) <= room else f"{box.text[: room - 1]}…")


def _key(picture: ET.Element, x: float, look: Look, text: str) -> None:
    drawn = {"fill": look.colour, "fill-opacity": look.opacity, "stroke": GRID}
    ET.SubElement(picture, "rect", {"x": f"{x:.1f}", "y": "53", "width": "12", "height": "12"} | drawn)
    _text(picture, x + 17, 63, text)


def _text(parent: ET.Element, x: float, y: float, text: str, more: dict[str, str] | None = None) -> None:
    ET.SubElement(parent, "text", {"x": f"{x:.2f}", "y": str(y), **(more or {})}).text = text
