"""The notebooks' parameters: what each may be, checked before anything starts.

papermill guesses types and only warns of unknown names; here a wrong name or value is an error that says what is
allowed. They are checked twice on purpose: by the runner, before a notebook is executed, and by the notebook itself
(`notebook.variables`), which may have been started by plain papermill or by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.consumer import configurations
from sentinel.errors import SettingsError
from sentinel.lab.contenders import catalog
from sentinel.lab.rules import (
    AUTO,
    OF_MESSAGES,
    PERCENTILES,
    YES_OR_NO,
    Rule,
    choice,
    converted,
    duration,
    from_words,
    number,
    or_auto,
    read,
    share,
    whole,
)  # fmt: skip
from sentinel.lab.stack import KINDS
from sentinel.lab.statistics import tails
from sentinel.settings import BINARY_HOLDS, CODEC_NAMES, LEAST_FIELDS, TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "RULES", "YES_OR_NO", "Chosen", "Common", "Draining", "Paced", "Parameters", "Rule", "Settled", "Shared", "choice",
    "converted", "duration", "from_words", "number", "read", "whole",
]  # fmt: skip


@dataclass(frozen=True)
class Parameters:
    """What a notebook can be told; defaults are the notebook's."""

    OWN: ClassVar[Mapping[str, Rule]] = {}
    """Rules of parameters that not every notebook has, in place of those in `RULES`; bases' own count as well."""

    @classmethod
    def rules(cls) -> dict[str, Rule]:
        """How each of the parameters is read, by name."""
        names, rules = {f.name for f in fields(cls)}, dict(RULES)
        for base in reversed(cls.__mro__):
            rules |= vars(base).get("OWN", {})
        return {name: rule for name, rule in rules.items() if name in names}

    @classmethod
    def completed(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was given, by name and each read by its rule, with the values that follow from it."""
        return dict(given)


@dataclass(frozen=True)
class Shared(Parameters):
    """What every notebook with a stack can be told."""

    WORKERS: int = 16
    STACK: str = "auto"

    @property
    def names(self) -> list[str]:
        """Names of the configurations, in order; the last is compared with the first."""
        raise NotImplementedError


@dataclass(frozen=True)
class Common(Shared):
    """What every notebook that measures can be told."""

    REPEATS: int | str = 3
    SOURCES: int | str = AUTO
    FIELDS: int = LEAST_FIELDS
    TAGS: int = 0
    CODEC: str = "json"
    BATCH_SIZE: int = 5000
    SEED: int = 1

    def __post_init__(self) -> None:
        if self.CODEC == "binary" and (self.FIELDS > LEAST_FIELDS or self.TAGS):
            raise SettingsError(f"CODEC='binary' with FIELDS={self.FIELDS} and TAGS={self.TAGS}: {BINARY_HOLDS}")

    @property
    def sources(self) -> int:
        """How many sources are played; 0: one for each worker."""
        return 0 if self.SOURCES == AUTO else int(self.SOURCES)

    @property
    def rounds(self) -> int:
        """The most rounds that the trials of one group may take."""
        return int(self.REPEATS)

    @property
    def repeats(self) -> int:
        """Trials of what no ratio waits for: the headline, the limits, the machine's jitter."""
        return int(self.REPEATS)

    @property
    def limit_seconds(self) -> float:
        """Seconds that each measurement of a limit takes."""
        return 0.8

    @property
    def replay(self) -> str:
        """The recording that is played instead of made-up messages; empty: none."""
        return ""


@dataclass(frozen=True)
class Draining(Common):
    """Of notebooks that drain full streams."""

    MESSAGES: int = 20_000
    MEMRAY: bool = True


@dataclass(frozen=True)
class Paced(Common):
    """Of notebooks that offer a load."""

    DURATION: float = 10.0
    LOOP: str = "constant"
    TRANSPORT: str = "stream"
    PERCENTILES: str = tails.USUAL

    @property
    def asked(self) -> str:
        """Percentiles that a trial keeps because they are asked for, as PERCENTILES has them: none of the usual."""
        return ",".join(p for p in self.PERCENTILES.split(",") if p not in tails.USUAL.split(","))

    @property
    def limit_seconds(self) -> float:
        """See Common; a run of short trials needs no long limits."""
        return min(super().limit_seconds, self.DURATION / 5)


@dataclass(frozen=True)
class Settled(Common):
    """Of notebooks that can repeat their trials until the ratios have settled: `REPEATS=auto`.

    It stands first among the bases: of several, a dataclass takes the first one's defaults.
    """

    OWN: ClassVar[Mapping[str, Rule]] = {
        "REPEATS": or_auto(whole(1, 100)),
        "SETTLE": share(0.005, 0.5),
        "WITHIN": duration(1, 86_400, '600, "90s" or "10m"'),
    }
    FEW: ClassVar[int] = 4
    """Trials of what no ratio waits for, where REPEATS is `auto`."""

    REPEATS: int | str = 4
    SETTLE: float = 0.05
    WITHIN: float = 600.0

    @property
    def automatic(self) -> bool:
        """Whether it is measured until the ratios have settled."""
        return self.REPEATS == AUTO

    @property
    def rounds(self) -> int:
        """See Common."""
        from sentinel.lab.statistics.rounds.sequential import STEPS

        return STEPS[-1] if self.automatic else super().rounds

    @property
    def repeats(self) -> int:
        """See Common."""
        return self.FEW if self.automatic else super().repeats


@dataclass(frozen=True)
class Chosen(Common):
    """Of notebooks whose configurations can be chosen."""

    CONFIGURATIONS: str = "baseline,client-batching,optimised"
    UNVERIFIED: bool = False

    @property
    def names(self) -> list[str]:
        """See Common."""
        return [catalog.name_of(word) for word in self.CONFIGURATIONS.split(",")]


def _configurations(value: Any) -> str:
    words = [catalog.canonical(word) for word in str(value).split(",")]
    if len({catalog.name_of(word) for word in words}) != len(words):
        raise ValueError
    return ",".join(word.replace(",", ";") for word in words)


RULES: Mapping[str, Rule] = {
    "WORKERS": whole(1, 1_000_000),
    **OF_MESSAGES,
    "DURATION": duration(1, 86_400, '10, "120s" or "2m"'),
    "RATE": number(1, 10_000_000),
    "REPEATS": whole(1, 100),
    "MESSAGES": whole(1000, 100_000_000),
    "CONFIGURATIONS": Rule(
        _configurations,
        f"different names out of {', '.join(configurations.names())}, joined by commas; optimised;decode=json.loads"
        f" switches an axis: {configurations.axes_listed()}; contenders/mine, or any path of a folder with a"
        " contender.toml, is a consumer of your own",
    ),
    "TRANSPORT": choice(*TRANSPORTS),
    "CODEC": choice(*CODEC_NAMES),
    "BATCH_SIZE": whole(1, 100_000),
    "PERCENTILES": PERCENTILES,
    "STACK": choice(*KINDS),
    "MEMRAY": YES_OR_NO,
    "UNVERIFIED": YES_OR_NO,
    "SEED": whole(0, 2**31 - 1),
}
