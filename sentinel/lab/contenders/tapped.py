"""Trials with a tap between consumer and store, of our own configurations.

In a run with a contender every consumer takes this way, so that all pay the same and all are measured by the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sentinel.lab.contenders.wire import delivered
from sentinel.lab.contenders.wire.opened import OpenTap
from sentinel.lab.run import series
from sentinel.lab.trials.trial import Trial
from sentinel.runtime.record import INTERVALS

if TYPE_CHECKING:
    from sentinel.lab.contenders.wire.delivered import Delivered


class TappedTrial(Trial):
    """A trial of one of our configurations through a tap."""

    tap: OpenTap

    def _work(self) -> None:
        self.tap = OpenTap(self.folder / series.TAP, self.stack.store, self.supervisor)
        self._children.append(self.tap.child)  # the first to start, so the last to end
        self.target = self.tap.store
        super()._work()

    def _account(self) -> None:
        self._read_wire()
        super()._account()
        if not self.plan.paced and self.wire.requests > 1:
            self.outcome.wire["recorded"] = self.outcome.throughput  # by its own record, as without a tap
            self.outcome.throughput = drained(self.wire, 0)
        self._forget_notes()

    def _read_wire(self) -> None:
        """What passed the tap, before anything is computed from it."""
        folder = self.folder / series.TAP
        self.wire: Delivered = delivered.read(folder)
        self.outcome.wire = delivered.summary(self.wire, self.tag)
        if folder.exists():
            lines = self.wire.intervals(measured=not self.outcome.wire["unmeasurable"])
            (folder / INTERVALS).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    def _forget_notes(self) -> None:
        """Whole bodies are as large as the load; what was found in them is kept."""
        for path in (self.folder / series.TAP).glob("*.notes"):
            path.unlink()


def drained(wired: Delivered, ready: int) -> float:
    """Messages a second from the store's first answer to its last; from `ready` (ns) where there was only one."""
    if not wired.requests:
        return 0.0
    begun, before = (wired.answered[0], wired.sizes[0]) if wired.requests > 1 else (ready, 0)
    seconds = (wired.answered[-1] - begun) / 1e9
    return (wired.points - before) / seconds if seconds > 0 else 0.0
