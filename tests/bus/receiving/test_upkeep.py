"""How often the bus is looked after."""

from __future__ import annotations

from typing import Any, cast

from sentinel.bus.receiving.upkeep import REST_EVERY, Upkeep
from sentinel.runtime.stop import StopSignal


class Trimmed:
    """A receiver that counts how often it is looked after."""

    def __init__(self) -> None:
        self.times = 0

    def maintain(self) -> int:
        """One entry was trimmed unread each time."""
        self.times += 1
        return 1


def test_what_is_idle_is_looked_after_less_often() -> None:
    """Each interval in which something came is followed by a look, of others every third, and no count is lost."""
    receiver = Trimmed()
    upkeep = Upkeep(cast("Any", receiver), StopSignal())
    busy = [upkeep.maintain(received) for received in (1, 2, 3, 4)]
    idle = [upkeep.maintain(4) for _ in range(2 * REST_EVERY)]
    assert [1, 1, 1, 1] == busy
    assert (2, 6) == (sum(idle), receiver.times)
