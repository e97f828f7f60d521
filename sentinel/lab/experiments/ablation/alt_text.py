"""What the figures of an ablation show, in words with numbers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation.contributions import trials

if TYPE_CHECKING:
    from sentinel.lab.experiments.ablation.contributions import Found


def waterfall(found: Found) -> str:
    """Both ends and every step's factor, by measure."""
    said = ["From baseline to optimised on log axes, a floating bar a step."]
    for measure, mine in found.items():
        ends = mine[0].medians.get(mine[0].choice.before), mine[-1].medians.get(mine[-1].choice.after)
        steps = "; ".join(f"{one.choice.label} {one.on}" for one in mine)
        way = " to ".join(map(formatting.figure, ends))
        said.append(f"{measure.title} from {way} {measure.unit} ({trials(mine)}): {steps}.")
    return " ".join(said)


def taken_off(found: Found) -> str:
    """What optimised is of itself without each choice, by measure."""
    said = ["optimised divided by optimised without each choice, on log axes; one means that the choice does nothing."]
    for measure, mine in found.items():
        said.append(f"{measure.title} ({trials(mine)}): {'; '.join(f'{one.choice.label} {one.off}' for one in mine)}.")
    return " ".join(said)
