"""What an ablation can be told."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.consumer.configurations import ablation
from sentinel.lab.parameters import Draining, Settled


@dataclass(frozen=True)
class Ablation(Settled, Draining):
    """The parameters of ablation.ipynb."""

    MESSAGES: int = 15_000

    @property
    def names(self) -> list[str]:
        """`baseline`, every step to `optimised`, and `optimised` without each choice; `optimised` is the last."""
        return ablation()
