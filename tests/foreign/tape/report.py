"""How it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


def turns(run: Run) -> HTML:
    """The capacities, as a list."""
    return HTML("<ol>" + "".join(f"<li>{rate:,.0f} msg/s</li>" for rate in run.data.own["capacities"]) + "</ol>")
