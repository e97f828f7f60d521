"""Accounts: events reported by all, a ledger written in one place a side, which adds up whatever the order."""

from __future__ import annotations

import threading

from sentinel.consumer.account import Account
from sentinel.consumer.batching import Batch, Block, Read
from sentinel.consumer.measuring.measurement import NoMeasurement
from sentinel.model.ledger import ConsumerLedger, SenderAccount, SenderLedger


def batch(messages: int) -> Batch:
    """A batch of so many messages."""
    return Batch([Block(messages, [], b"", 0)], messages)


def test_rejecting_counts_the_message_and_its_reason() -> None:
    """The sum of the reasons stays equal to the number of rejected messages; dropped letters are a part of them."""
    account = Account(NoMeasurement())
    account.received(Read((), [b""] * 6, 7))
    for reasons, dropped in ((["json"], False), (["type", "type"], False), (["json"] * 3, True)):
        account.rejected(reasons, dropped=dropped)
    ledger = account.ledger
    assert (6, 3, {"json": 4, "type": 2}) == (ledger.rejected, ledger.letters_dropped, ledger.reasons)
    assert [] == ledger.problems()


def test_accounts_do_not_share_their_reasons() -> None:
    """Two consumers' rejections are counted apart."""
    Account(NoMeasurement()).rejected(["json"], dropped=False)
    assert {} == Account(NoMeasurement()).ledger.reasons == ConsumerLedger().reasons


def test_what_is_in_hand_is_neither_stored_nor_rejected() -> None:
    """Received messages are in hand until the store has them, or they are rejected; what it refused waits for that."""
    account = Account(NoMeasurement())
    account.received(Read((), [b""] * 10, 7))
    account.stored(batch(6), 2, 8)
    assert (4, 6) == (account.settled, account.in_hand)
    account.rejected(["store", "store"], dropped=False)
    assert (6, 4) == (account.settled, account.in_hand)


def test_no_count_is_lost_between_threads() -> None:
    """Events reported by several threads at once are all counted."""
    account = Account(NoMeasurement())

    def report() -> None:
        for _ in range(500):
            account.requested()
            account.retried()
            account.stored(batch(3), 1, 1)
            account.rejected(["store"], dropped=False)

    threads = [threading.Thread(target=report) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = account.ledger
    assert (4000, 4000, 8000, 4000) == (ledger.requests, ledger.retries, ledger.written, ledger.rejected)


def test_what_redis_did_not_take_is_unsent_at_the_end() -> None:
    """A sender's ledger adds up once it is closed, whatever was dropped, refused or never answered."""
    account = SenderAccount()
    account.scheduled(10)
    account.offered([b"abc", b"de"])
    account.sent(6, receivers=12, unheard=1)
    account.dropped(1)
    account.refused(2)
    expected = SenderLedger(scheduled=10, sent=6, unsent=4, failed=2, bytes=5, receivers=12, unheard=1)
    assert (expected, []) == (account.close(), account.ledger.problems())
