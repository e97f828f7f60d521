"""Recorder: a mergeable histogram of durations with a stated relative error.

Pure. Durations are integer ns, any sign. Buckets are log-linear like HdrHistogram's: the exponent and the first seven
mantissa bits of a double, read straight from its bits, so a bucket is at most 1/128 of its value wide and its middle
is at most 0.4 % (`RELATIVE_ERROR`) off. Whole reads are recorded at once (docs/measurements.md: histogram).
Zero and negative durations are counted in buckets of their own, never dropped or rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

BITS = 7
RELATIVE_ERROR = 2.0 ** -(BITS + 1)
_SHIFT = 52 - BITS
_ONE = 1023 << BITS
"""Bucket of the duration 1 ns."""
SIZE = 63 << BITS


class Recorder:
    """Counts of durations by bucket. `negative` and `zero` stand beside the buckets of 1 ns and more."""

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(SIZE, dtype=np.int64)
        self.zero = 0
        self.negative = 0

    def record(self, durations: ArrayLike, times: int = 1) -> None:
        """Count durations.

        Args:
            durations: ns, any sign; a number or an array of any shape.
            times: how often each is counted.
        """
        values = np.atleast_1d(np.asarray(durations, dtype=np.int64))
        if len(values) and int(values.min()) <= 0:
            self.negative += times * int(np.count_nonzero(values < 0))
            self.zero += times * int(np.count_nonzero(values == 0))
            values = values[values > 0]
        np.add.at(self.counts, (values.astype(np.float64).view(np.int64) >> _SHIFT) - _ONE, times)

    def merge(self, other: Recorder) -> None:
        """Add all that the other counted."""
        self.counts += other.counts
        self.zero += other.zero
        self.negative += other.negative

    def __len__(self) -> int:
        return int(self.counts.sum()) + self.zero + self.negative

    def quantile(self, q: float) -> float:
        """The duration at or below which the share `q` of all durations lies.

        Args:
            q: 0 to 1.

        Returns:
            ns, within `RELATIVE_ERROR` of the exact value; -1 for a negative duration, NaN where nothing was counted.
        """
        total = len(self)
        if not total:
            return float("nan")
        rank = max(1, int(np.ceil(q * total)))
        if rank <= self.negative:
            return -1.0
        if rank <= self.negative + self.zero:
            return 0.0
        cumulative = np.cumsum(self.counts)
        return float(middles()[int(np.searchsorted(cumulative, rank - self.negative - self.zero))])

    def take(self) -> Recorder:
        """Empty this recorder, and return a new one with all that it had counted."""
        taken = Recorder()
        taken.merge(self)
        self.counts[:] = 0
        self.zero = self.negative = 0
        return taken

    def to_dict(self) -> dict[str, int]:
        """Counts of the buckets that are not empty, by number as text; `zero` and `negative` by name."""
        full = np.flatnonzero(self.counts)
        result = {str(bucket): int(count) for bucket, count in zip(full, self.counts[full], strict=True)}
        return result | {name: n for name in ("zero", "negative") if (n := getattr(self, name))}

    @classmethod
    def from_dict(cls, buckets: Mapping[str, int]) -> Recorder:
        """The recorder that `to_dict` described."""
        recorder = cls()
        for bucket, count in buckets.items():
            if bucket in ("zero", "negative"):
                setattr(recorder, bucket, count)
            else:
                recorder.counts[int(bucket)] = count
        return recorder


def quantiles(prefix: str, recorder: Recorder) -> list[str]:
    """The quantiles that stand in a ledger's line.

    Args:
        prefix: before each name, such as `e2e_`.
        recorder: durations in ns.

    Returns:
        `<prefix>p50_us=…`, and the same of p90, p99 and max, in whole µs; [] where nothing was counted.
    """
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0} if len(recorder) else {}
    return [f"{prefix}{name}_us={recorder.quantile(share) / 1e3:.0f}" for name, share in shares.items()]


def middles() -> NDArray[np.float64]:
    """The middle of every bucket, ns; as long as there are buckets."""
    edges = ((np.arange(SIZE + 1, dtype=np.int64) + _ONE) << _SHIFT).view(np.float64)
    return np.asarray((edges[1:] + edges[:-1]) / 2)
