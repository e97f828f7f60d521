"""What an ablation can be told."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.consumer.configurations import ablation
from sentinel.lab.parameters import Draining


@dataclass(frozen=True)
class Ablation(Draining):
    """The parameters of ablation.ipynb."""

    @property
    def names(self) -> list[str]:
        """`baseline`, every step to `optimised`, and `optimised` without each choice; `optimised` is the last."""
        return ablation()
