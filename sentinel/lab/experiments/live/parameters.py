"""What a watch can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.parameters import YES_OR_NO, Rule, Shared, duration
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Live(Shared):
    """The parameters of live.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {
        "SECONDS": duration(1, 86_400, '30, "120s" or "1h"'),
        "LOAD": YES_OR_NO,
        "INTERVAL": duration(0.2, 60, '1, "500ms" or "2s"'),
        "WINDOW": duration(5, 600, '60, "90s" or "5m"'),
    }

    SECONDS: float = 30.0
    LOAD: bool = True
    RATE: float = 1000.0
    INTERVAL: float = 1.0
    WINDOW: float = 60.0
    TRANSPORT: str = "stream"
    PERCENTILES: str = tails.USUAL

    @property
    def quantiles(self) -> list[float]:
        """The percentiles that are shown, from 0 to 1."""
        return [tails.share(name) for name in tails.names(self.PERCENTILES)]

    @property
    def names(self) -> list[str]:
        """See Shared."""
        return [OPTIMISED.name]
