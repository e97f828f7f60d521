"""Colours, line styles and markers: one fixed look per configuration in every figure, told apart without colour too.

The palette is Okabe and Ito's, which colour-blind readers can tell apart; every line keeps a contrast of 3:1, on white
and on the ground of a dark page. What cannot do so on both has a second colour in `DARK`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sentinel.lab.run.trial_record import CONTROL, HEADLINE

if TYPE_CHECKING:
    from collections.abc import Sequence

INK, MUTED, GRID, GROUND = "#1f2328", "#6a737d", "#e4e7eb", "#ffffff"
GREY = "#4d4d4d"
DARK = {INK: "#e6edf3", MUTED: "#9aa4af", GRID: "#343b44", GROUND: "#161b22", GREY: "#b8bec6"}
"""The same colours on a dark page."""

Dashes = tuple[float, tuple[float, ...]]
SOLID: Dashes | str = "solid"


@dataclass(frozen=True)
class Style:
    """How one configuration is drawn."""

    colour: str
    line: Dashes | str
    marker: str
    hollow: bool = False

    @property
    def dots(self) -> dict[str, Any]:
        """matplotlib's words for its marker."""
        fill = GROUND if self.hollow else self.colour
        return {"marker": self.marker, "markerfacecolor": fill, "markeredgecolor": self.colour}


KNOWN = {
    "baseline": Style("#d55e00", (0, (5, 1.6)), "s"),
    "client-batching": Style("#0072b2", (0, (6, 1.6, 1.2, 1.6)), "D"),
    "optimised": Style("#009e73", SOLID, "o"),
}
SPARE = [
    Style("#b0578d", (0, (3, 1.2)), "^"),
    Style("#8a6d00", (0, (8, 2)), "v"),
    Style("#3d9bd1", (0, (4, 1, 1, 1, 1, 1)), "P"),
    Style(GREY, (0, (2, 1)), "X"),
]
"""For other configurations, such as those of an ablation."""

PROCESSES = {
    "consumer": Style(INK, SOLID, ""),
    "load": Style("#8c959f", (0, (4, 1.4)), ""),
    "bus": Style("#cc79a7", (0, (6, 1.4, 1.2, 1.4)), ""),
    "store": Style("#c28a00", (0, (1.4, 1.2)), ""),
}
"""The programs of a trial; their colours stay clear of the configurations'."""

STAGE_COLOURS = {
    "receive": "#0072b2",
    "decode": "#56b4e9",
    "encode": "#009e73",
    "batch": "#f0e442",
    "write": "#d55e00",
    "acknowledge": "#cc79a7",
    "record": "#e69f00",
    "other": "#8c959f",
}
"""The stages of the consumer, always named beside their colour."""

MORE, LESS = "#d55e00", "#0072b2"
"""What takes more, and what takes less, than before: red and blue that colour-blind readers can tell apart."""
OLD_AND_NEW = (Style("#0072b2", (0, (5, 1.6)), "s", hollow=True), Style("#d55e00", SOLID, "o"))
"""Two runs against each other: the one that was there before, and the one in question."""


def styles(names: Sequence[str]) -> dict[str, Style]:
    """A look for every configuration of a run, for the A/A leg of the last, and for its headline.

    Args:
        names: The configurations, in order; at least one.

    Returns:
        Looks by label: the configurations' names, the last one's with `CONTROL` behind it, and `HEADLINE`.
    """
    others = [name for name in names if name not in KNOWN]
    given = {name: SPARE[number % len(SPARE)] for number, name in enumerate(others)}
    by_name = {name: KNOWN.get(name) or given[name] for name in names}
    last = by_name[names[-1]]
    return by_name | {names[-1] + CONTROL: replace(last, hollow=True), HEADLINE: replace(last, line=(0, (1.2, 1.2)))}


def dark(which: str = "*") -> str:
    """CSS by which an SVG follows a dark page: its colours stand as attributes or in styles, and stay right without it.

    Args:
        which: Selects the SVG's elements, where it is part of a page.
    """
    rules = "\n".join(
        f'{which}[style*="{part}: {light}"], {which}[{part}="{light}"] {{ {part}: {on_dark} !important }}'
        for light, on_dark in DARK.items()
        for part in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}"
