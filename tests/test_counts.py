"""What is counted is what happened: second runs, shared streams, refusals, tails that nothing follows, overwriting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from servers import consume

from sentinel.loads import run_load
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from servers import Lane


# The same sources again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["json", "binary"])
@pytest.mark.parametrize("real", ["embedded", "native_stack"], indirect=True)
def test_a_second_load_of_the_same_sources_is_no_repetition(lane: Lane, codec: str) -> None:
    """Nothing of it is duplicated, lost or a jump; and the store has a series a source, not one a run."""
    for _ in range(2):
        run_load(LoadSettings(workers=4, codec=codec, count=400), lane.bus)
    ledger = consume(lane).ledger
    assert (800, 800, 0) == (ledger.received, ledger.written, ledger.lost)
    assert (0, 0, 0) == (ledger.duplicated, ledger.jumped, ledger.reordered)
    assert 800 == lane.stored()
    assert {"0", "1", "2", "3"} == {row["source"] for row in lane.rows()}
