"""What run.json holds of an ablation besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.experiments.ablation.contributions import Contribution
from sentinel.lab.statistics.compare import Comparison, Verdict
from sentinel.lab.statistics.reliability import Validity


class Answer(msgspec.Struct, frozen=True):
    """What an ablation answers, besides its steps."""

    validity: Validity
    """Whether every message is accounted for."""
    verdicts: dict[str, Verdict]
    """Of the whole way, by measure; those without a value on either side are not there."""


class Record(Comparison, kw_only=True):
    """All of it."""

    steps: dict[str, list[Contribution]] = msgspec.field(default_factory=dict)
    """A contribution for every choice, in the order of the steps, by measure."""
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
