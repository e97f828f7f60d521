"""A flame graph of folded stacks, as one static SVG: no script, no font, no address; a tooltip on every frame. Pure.

Callers stand above what they call; a frame is as wide as its samples, and has the colour of the stage that it and its
callers name. py-spy's own pages carry a script and cannot be had beside the folded stacks of the same trial. The
picture can be a file of its own or a part of a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from sentinel.lab.presentation.style import GRID, GROUND, INK, MUTED, STAGE_COLOURS, dark
from sentinel.lab.profiling.stacks import OTHER, STAGES, Folded, Frame, stage_of

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, ROW, TOP, EDGE = 1200, 17, 76, 10
"""Pixels: of the picture, of a row, above the rows, at the sides."""
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
CHARACTER = 6.65
"""Pixels of one character at 11 px."""
CLASS = "flames"
"""Of the picture: its style sheet is about nothing else in a page."""
NARROWEST = 0.4
"""Pixels below which a frame is left out."""
ENTRY_FRAMES = (
    "<frozen runpy>",
    "click/",
    "sentinel/__main__.py",
    "sentinel/cli.py",
    "sentinel/consumer/command.py",
    "threading.py",
    "concurrent/futures/thread.py",
)
"""Modules that every stack passes before it comes to the consumer: as outermost frames they are left out."""


@dataclass
class _Node:
    """A frame below the same callers."""

    frame: Frame
    stage: str
    count: int = 0
    below: dict[str, _Node] = field(default_factory=dict)


def svg(stacks: Folded, title: str) -> str:
    """The flame graph of stacks that are at work.

    Args:
        stacks: See `stacks.working`.
        title: The heading of the picture.

    Returns:
        SVG, as a file of its own or a part of a page.
    """
    root = _tree(stacks)
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
    _text(picture, EDGE, 42, "Callers above, what they call below; point at a frame for its share.", {"fill": MUTED})
    _legend(picture, stacks)
    for node, start, depth in rows:
        _box(picture, node, start, depth, root.count)
    return ET.tostring(picture, encoding="unicode") + "\n"


def _tree(stacks: Folded) -> _Node:
    root = _Node(Frame("", "", ""), OTHER)
    for frames, count in stacks:
        node = root
        node.count += count
        path = _trimmed(frames)
        for depth, frame in enumerate(path, 1):
            if (below := node.below.get(frame.text)) is None:
                below = node.below[frame.text] = _Node(frame, stage_of(path[:depth]))
            node = below
            node.count += count
    return root


def _trimmed(frames: list[Frame]) -> list[Frame]:
    inner = next((n for n, frame in enumerate(frames) if not frame.module.startswith(ENTRY_FRAMES)), len(frames) - 1)
    return frames[inner:]


def _rows(node: _Node, start: float, depth: int) -> Iterator[tuple[_Node, float, int]]:
    """Every node below with the samples to its left and its row; the widest comes first."""
    for below in sorted(node.below.values(), key=lambda child: (-child.count, child.frame.text)):
        yield below, start, depth
        yield from _rows(below, start, depth + 1)
        start += below.count


def _box(picture: ET.Element, node: _Node, start: float, depth: int, samples: int) -> None:
    scale = (WIDTH - 2 * EDGE) / samples
    width = node.count * scale
    if width < NARROWEST:
        return
    x, y = EDGE + start * scale, TOP + depth * ROW
    group = ET.SubElement(picture, "g")
    share = 100 * node.count / samples
    ET.SubElement(group, "title").text = f"{node.frame.text}: {node.count:,} samples, {share:.1f} % ({node.stage})"
    place = {"x": f"{x:.2f}", "y": str(y), "width": f"{width:.2f}", "height": str(ROW - 1)}
    look = {"fill": STAGE_COLOURS[node.stage], "fill-opacity": "0.5", "stroke": GROUND, "stroke-width": "0.4"}
    ET.SubElement(group, "rect", place | look)
    if (room := int((width - 6) / CHARACTER)) >= 4:
        text = node.frame.text
        _text(group, x + 3, y + 12, text if len(text) <= room else f"{text[: room - 1]}…")


def _legend(picture: ET.Element, stacks: Folded) -> None:
    samples = sum(count for _, count in stacks)
    for number, stage in enumerate(STAGES):
        share = 100 * sum(count for frames, count in stacks if stage_of(frames) == stage) / samples
        x = EDGE + number * (WIDTH - 2 * EDGE) / len(STAGES)
        look = {"fill": STAGE_COLOURS[stage], "fill-opacity": "0.5", "stroke": GRID}
        ET.SubElement(picture, "rect", {"x": f"{x:.1f}", "y": "53", "width": "12", "height": "12"} | look)
        _text(picture, x + 17, 63, f"{stage} {share:.1f} %")


def _text(parent: ET.Element, x: float, y: float, text: str, more: dict[str, str] | None = None) -> None:
    ET.SubElement(parent, "text", {"x": f"{x:.2f}", "y": str(y), **(more or {})}).text = text
