"""Damaged and odd messages by the thousand: nothing crashes, and each is written or rejected.

`make test` runs a share of 20,000, `make fuzz` a million with figures.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from support.choices import DECODERS
from support.fuzzing import KEYS, Fuzz
from support.servers import Lane, consuming, finish, wait_until

from sentinel.model.ledger import as_line

if TYPE_CHECKING:
    from sentinel.model.ledger import ConsumerLedger

SHARES = {"optimised": 0.35, "client-batching": 0.12, "baseline": 0.03}
"""Of all payloads, on each transport; baseline makes a request for every point."""
CHUNK = 500
"""Payloads published at once: Redis cuts off a Pub/Sub subscriber that is far behind."""
SEED = 22
CASES = [(configuration, transport) for configuration in SHARES for transport in ("stream", "pubsub")]


def play(lane: Lane, configuration: str, transport: str, seed: int, count: int) -> ConsumerLedger:
    """The ledger of a consumer that was sent so many."""
    with consuming(lane, configuration, transport=transport) as (consumer, running):
        sent, payloads = 0, Fuzz(seed).payloads(count)
        while chunk := list(islice(payloads, CHUNK)):
            sent += len(chunk)
            lane.publish(chunk, transport)
            if transport == "pubsub":
                wait_until("all is received", lambda: consumer.ledger.received >= sent or running.done(), 300)  # noqa: B023
        return finish(consumer, running, 1800).ledger  # the test has its own limit


def assert_accounted(lane: Lane, case: tuple[str, str], payloads: int) -> None:
    """Of the case's share of all payloads each is written or rejected, and the store takes what becomes a point."""
    configuration, transport = case
    count = round(payloads * SHARES[configuration])
    began = time.monotonic()
    ledger = play(lane, configuration, transport, SEED + CASES.index(case), count)
    took = time.monotonic() - began
    print(
        f"{configuration}, {transport}: {as_line('received', ledger)} ({took:.0f} s)"
    )  # for make fuzz, which shows it
    assert [] == ledger.problems()
    assert (count, 0, 0) == (ledger.received, ledger.pending, ledger.letters_dropped)
    assert "store" not in ledger.reasons
    assert min(ledger.written, ledger.rejected) > count / 4


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_share_of_odd_messages_is_accounted_for(embedded_lane: Lane, case: tuple[str, str]) -> None:
    """20,000 payloads over both transports and all configurations."""
    assert_accounted(embedded_lane, case, 20_000)


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_million_odd_messages_are_accounted_for(embedded_lane: Lane, case: tuple[str, str]) -> None:
    """As the share, for `make fuzz`."""
    assert_accounted(embedded_lane, case, 1_000_000)


def names_a_key_twice(payload: bytes) -> bool:
    """Of such a message one decoder looks at the last value alone, the other at each."""
    return any(payload.count(b'"%b"' % key) > 1 for key in (*KEYS, b"x"))


def test_the_odd_messages_are_odd_in_every_way() -> None:
    """A share holds sound ones and each reason to reject, and both decoders judge each alike."""
    payloads = [payload for payload in Fuzz(SEED).payloads(4000) if not names_a_key_twice(payload)]
    limit, other = (decode(payloads) for decode in DECODERS.values())
    assert {"json", "type", "value", "size"} <= {rejected.reason for rejected in limit.rejected}
    assert len(limit.samples) > 1000
    assert [rejected.position for rejected in limit.rejected] == [rejected.position for rejected in other.rejected]
