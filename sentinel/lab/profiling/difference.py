"""Two CPU profiles against each other, by share of samples: what takes more, and what takes less. Pure.

Functions are compared without their lines, and modules where they lie now, so that versions can be compared. A change
that sampling alone makes in 5 of 100 profiles that are alike is drawn in grey.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.lab.presentation.style import LESS, MORE, MUTED
from sentinel.lab.profiling import icicle
from sentinel.lab.profiling.flamegraph import trimmed
from sentinel.lab.profiling.icicle import Box, Look
from sentinel.lab.profiling.stacks import STAGES, Frame, frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.profiling.stacks import Folded

QUANTILE = 1.96
"""Of the normal distribution, for an error of 5 %."""
FULL = 0.1
"""Change of a share from which a colour is as strong as it gets."""
GREY = Look(MUTED, "0.18")


class Change(NamedTuple):
    """What one stage or function takes, as shares of the samples at work."""

    name: str
    old: float
    new: float

    @property
    def by(self) -> float:
        """How much more it takes; negative where it takes less."""
        return self.new - self.old


def chance(shares: tuple[float, float], samples: tuple[int, int]) -> float:
    """By how much two shares of a profile that did not change may lie apart, in 95 of 100 pairs.

    Args:
        shares: Of both profiles.
        samples: Behind each.
    """
    share = (shares[0] * samples[0] + shares[1] * samples[1]) / max(1, sum(samples))
    return QUANTILE * math.sqrt(share * (1 - share) * sum(1 / max(1, n) for n in samples))


def stages(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every stage's share in two profiles, in the order in which a message passes them.

    Args:
        old: See `stacks.summary`.
        new: Likewise.
    """
    return [Change(name, *(p["stages"].get(name, 0) / p["samples"] for p in (old, new))) for name in STAGES]


def functions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every function's own share in two profiles, the largest change first.

    Args:
        old: See `stacks.summary`; a function that it did not keep counts as nothing.
        new: Likewise.
    """
    before, after = (_own(profile) for profile in (old, new))
    changes = [Change(name, before.get(name, 0.0), after.get(name, 0.0)) for name in {*before, *after}]
    return sorted(changes, key=lambda change: (-abs(change.by), change.name))


def _own(profile: Mapping[str, Any]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text, (own, _) in profile["functions"].items():
        name = _name(frame_of(text))
        shares[name] = shares.get(name, 0.0) + own / profile["samples"]
    return shares


def _name(frame: Frame) -> str:
    return f"{frame.function} ({frame.module})" if frame.module else frame.function


# -- picture ---------------------------------------------------------------------------------------------------------


@dataclass
class _Node:
    """A frame below the same callers, in both profiles."""

    name: str
    counts: list[int] = field(default_factory=lambda: [0, 0])
    below: dict[str, _Node] = field(default_factory=dict)


def svg(old: Folded, new: Folded, title: str, names: tuple[str, str]) -> str:
    """The differential flame graph of stacks that are at work.

    Args:
        old: See `stacks.working`.
        new: Likewise; either has samples.
        title: The heading of the picture.
        names: What the two profiles are called.

    Returns:
        SVG, as a file of its own or a part of a page; a frame is as wide as the mean of its two shares.
    """
    root = _Node("")
    for place, stacks in enumerate((old, new)):
        _count(root, stacks, place)
    hint = f"As wide as the mean of both shares; numbers: what {names[1]} takes more or less, in percentage points."
    legend = [
        (Look(MORE, "0.6"), f"more in {names[1]}"),
        (Look(LESS, "0.6"), f"less in {names[1]}"),
        (GREY, "no more apart than sampling alone makes them"),
    ]
    return icicle.svg(_box(root, (root.counts[0], root.counts[1]), names), title, hint, legend)


def _count(root: _Node, stacks: Folded, place: int) -> None:
    for frames, count in stacks:
        node = root
        node.counts[place] += count
        for frame in trimmed(frames):
            name = _name(frame)
            node = node.below.setdefault(name, _Node(name))
            node.counts[place] += count


def _box(node: _Node, samples: tuple[int, int], names: tuple[str, str]) -> Box:
    old, new = (count / max(1, of) for count, of in zip(node.counts, samples, strict=True))
    apart, sure = new - old, abs(new - old) > chance((old, new), samples)
    opacity = f"{0.2 + 0.4 * min(1.0, abs(apart) / FULL):.2f}"
    look = Look(MORE if apart > 0 else LESS, opacity) if sure else GREY
    text = f"{100 * apart:+.1f} {node.name}" if sure else node.name
    hint = f"{node.name}: {names[0]} {100 * old:.1f} %, {names[1]} {100 * new:.1f} % of the samples"
    below = [_box(child, samples, names) for child in node.below.values()]
    return Box(text, hint, look, (old + new) / 2, below)
