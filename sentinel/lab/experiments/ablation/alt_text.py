"""What the figures of an ablation show, in words with numbers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation.contributions import trials

if TYPE_CHECKING:
    from sentinel.lab.experiments.ablation.contributions import ByMeasure


def waterfall(by_measure: ByMeasure) -> str:
    """Both ends and every step's factor, by measure.

    Args:
        by_measure: A contribution for every choice, in the order of the steps, by measure; not empty.
    """
    sentences = ["From baseline to optimised on log axes, a floating bar a step."]
    for measure, by_choice in by_measure.items():
        ends = (
            by_choice[0].medians.get(by_choice[0].choice.before),
            by_choice[-1].medians.get(by_choice[-1].choice.after),
        )
        steps = "; ".join(
            f"{contribution.choice.label} {formatting.ratio(contribution.on)}" for contribution in by_choice
        )
        way = " to ".join(map(formatting.figure, ends))
        sentences.append(f"{measure.title} from {way} {measure.unit} ({trials(by_choice)}): {steps}.")
    return " ".join(sentences)


def taken_off(by_measure: ByMeasure) -> str:
    """`optimised` ÷ `optimised` without each choice, by measure.

    Args:
        by_measure: A contribution for every choice, in the order of the steps, by measure; not empty.
    """
    sentences = [
        "optimised divided by optimised without each choice, on log axes; one means that the choice does nothing."
    ]
    for measure, steps in by_measure.items():
        parts = "; ".join(f"{contribution.choice.label} {formatting.ratio(contribution.off)}" for contribution in steps)
        sentences.append(f"{measure.title} ({trials(steps)}): {parts}.")
    return " ".join(sentences)
