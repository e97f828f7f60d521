"""The backlog: messages that were sent, and whose fate is not known yet. Pure; the one definition, for every reader.

Senders and the consumer note their counts at different moments. A sender's count between two of its notes is an
estimate, on a straight line; one that sends a message at a time notes each, so that its count rises in steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def settled(counts: Mapping[str, Any]) -> int:
    """Messages whose fate is known: stored once, rejected, or lost.

    Args:
        counts: A line of a consumer's record. A message that was written twice was sent once. Older records lack
            `duplicated` and `lost`.

    Returns:
        Messages.
    """
    return int(counts["written"] - counts.get("duplicated", 0) + counts["rejected"] + counts.get("lost", 0))


def sent_at(
    moments: NDArray[np.int64], notes: Sequence[tuple[int, int]], *, steps: bool = False
) -> NDArray[np.float64]:
    """One sender's count at each moment.

    Args:
        moments: ns since the epoch, shape (n,).
        notes: (moment, messages sent so far), rising, at least one. Before the first and after the last the count is
            theirs.
        steps: Whether the count rises at the notes alone, not between them.

    Returns:
        Messages, shape (n,).
    """
    noted, counts = np.array(notes, dtype=np.int64).T
    if steps:
        latest = np.searchsorted(noted, moments, side="right") - 1
        return np.asarray(counts[np.maximum(latest, 0)], dtype=float)
    # From the first note on: of ns since the epoch a float holds every 256th.
    return np.asarray(np.interp(moments - noted[0], noted - noted[0], counts), dtype=float)


def backlog(sent: NDArray[np.float64], lines: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Messages under way at each of the consumer's moments, never fewer than none.

    Args:
        sent: Messages that all senders together had sent by then, shape (n,); see `sent_at`.
        lines: The consumer's counts, n of them.

    Returns:
        Whole messages, shape (n,).
    """
    left = np.round(sent) - np.array([settled(line) for line in lines], dtype=float)
    return np.asarray(np.maximum(left, 0.0))
