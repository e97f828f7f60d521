"""A flame graph of folded stacks, as one static SVG. Pure.

A frame is as wide as its samples, and has the colour of the stage that it and its callers name. py-spy's own pages
carry a script and cannot be had beside the folded stacks of the same trial.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel.lab.presentation.style import STAGE_COLOURS
from sentinel.lab.profiling import icicle
from sentinel.lab.profiling.icicle import Box, Look
from sentinel.lab.profiling.stacks import OTHER, STAGES, Folded, Frame, stage_of

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
    hint = "Callers above, what they call below; point at a frame for its share."
    return icicle.svg(_box(root, root.count), title, hint, _legend(stacks))


def _tree(stacks: Folded) -> _Node:
    root = _Node(Frame("", "", ""), OTHER)
    for frames, count in stacks:
        node = root
        node.count += count
        path = trimmed(frames)
        for depth, frame in enumerate(path, 1):
            if (below := node.below.get(frame.text)) is None:
                below = node.below[frame.text] = _Node(frame, stage_of(path[:depth]))
            node = below
            node.count += count
    return root


def trimmed(frames: list[Frame]) -> list[Frame]:
    """A stack without the outermost frames that all have.

    Args:
        frames: Outermost first.
    """
    inner = next((n for n, frame in enumerate(frames) if not frame.module.startswith(ENTRY_FRAMES)), len(frames) - 1)
    return frames[inner:]


def _box(node: _Node, samples: int) -> Box:
    share = 100 * node.count / samples if samples else 0.0
    hint = f"{node.frame.text}: {node.count:,} samples, {share:.1f} % ({node.stage})"
    below = [_box(child, samples) for child in node.below.values()]
    return Box(node.frame.text, hint, Look(STAGE_COLOURS[node.stage]), node.count, below)


def _legend(stacks: Folded) -> list[tuple[Look, str]]:
    samples, legend = sum(count for _, count in stacks), []
    for stage in STAGES:
        share = 100 * sum(count for frames, count in stacks if stage_of(frames) == stage) / samples
        legend.append((Look(STAGE_COLOURS[stage]), f"{stage} {share:.1f} %"))
    return legend
