"""The consumer: bus → decode → encode → batch → store, and an account of every message.

Two threads do the work: this one reads, decodes, encodes and batches; the writer's writes, acknowledges and records.
A third wakes twice a second for the record, the stream's housekeeping and reports on itself, and touches no message.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from sentinel.bus import DeadLetters
from sentinel.bus.receiving.reconnection import Reconnection
from sentinel.bus.receiving.upkeep import Upkeep
from sentinel.consumer.account import Account
from sentinel.consumer.acknowledgement import Acknowledgement
from sentinel.consumer.batching import Batcher
from sentinel.consumer.liveness import Liveness
from sentinel.consumer.measuring.losses import Losses
from sentinel.consumer.measuring.measurement import Measurement, NoMeasurement
from sentinel.consumer.rejects import Rejects
from sentinel.consumer.reporter import open_reports
from sentinel.consumer.writing.writers import Outlet
from sentinel.errors import BusError
from sentinel.model.plausible import TimeBounds
from sentinel.runtime.record import INTERVAL, Record
from sentinel.runtime.stop import DeadlineError, StopSignal
from sentinel.store import ready

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.consumer.batching import Batch, Read
    from sentinel.consumer.configurations import Configuration
    from sentinel.consumer.rejects import RejectedBatch
    from sentinel.consumer.writing.delivery import Refused
    from sentinel.model.codecs import Rejected
    from sentinel.model.ledger import ConsumerReport
    from sentinel.settings import BusSettings, ConsumerSettings, StoreSettings

log = logging.getLogger(__name__)

LONGEST_WAIT = 0.5
"""Seconds that a read may wait, so that a stop is noticed."""
SHORTEST_WAIT = 0.001
"""Seconds that a read waits while a batch is due but the writer is busy."""
CONFIRMED_WITHIN = 5.0
"""Seconds of silence after which Redis counts as gone where the end of a subscription is to be confirmed…"""
LAST_LOOK = 0.5
"""…and once the deadline of a stop has passed."""


class Consumer:
    """One consumer, connected when constructed. `run` may be called more than once; `close` ends it.

    Raises:
        BusError, StoreError: Redis or the store cannot be reached, or refuses us, at the start.
        SettingsError: a choice needs a library that is not installed.
    """

    report: ConsumerReport | None = None
    """Once it is closed."""

    def __init__(
        self,
        configuration: Configuration,
        settings: ConsumerSettings,
        bus: BusSettings,
        store: StoreSettings,
        *,
        record: str | Path | None = None,
        stop: StopSignal | None = None,
    ) -> None:
        self.stop = stop or StopSignal()
        self.until_empty = False
        self._settings = settings
        self._decode = configuration.decode.decoder()
        self._bounds = TimeBounds()
        self._encode = configuration.point.encoder(settings.run)
        server = ready(store)
        self._receiver = configuration.receive.open(bus, settings)
        self._measurement = Measurement() if settings.measured else NoMeasurement()
        self._account = Account(self._measurement)
        self.ledger, self.stalls = self._account.ledger, self._account.stalls
        self._upkeep = Upkeep(self._receiver, self.stop)
        self._acknowledgement = Acknowledgement(self._receiver, self._account, self.stop)
        self._rejects = Rejects(DeadLetters(bus), self._rejected)
        self._reconnection = Reconnection(self._receiver, self._account, self.stop)
        outlet = Outlet(store, server, settings, self._account, self.stop, self._settle)
        self._writer = configuration.write.open(outlet)
        self._batcher = Batcher.of(settings, configuration, self._writer.pack)
        self._losses = Losses(self._receiver, self._measurement, kept=settings.transport == "stream")
        self._record = Record(record)
        self._reports = open_reports(settings, bus, store, server)
        self._liveness = Liveness(settings.heartbeat, self._account, self._batcher)
        self._closing = threading.Event()
        self._last_message = time.monotonic()
        self._housekeeper = threading.Thread(target=self._keep, name="housekeeping", daemon=True)
        self._housekeeper.start()
        self._record.ready()
        log.info("%s reads %s, writes to %s", configuration.name, settings.transport, server)

    def run(self, *, until: int = 0) -> None:
        """Consume until a stop is asked for, `until` messages were received, or, if `until_empty`, the bus is empty."""
        self._last_message = time.monotonic()
        try:
            while not self.stop.requested and not (until and self.ledger.received >= until):
                self._liveness.came_round = True
                if (read := self._read()) is not None:
                    self._take(read)
                    self._last_message = time.monotonic()
                elif self.until_empty and time.monotonic() - self._last_message >= self._settings.idle:
                    break
                # While the writer is busy the batch keeps growing: small ones under a light load, large under a heavy.
                if not self._writer.busy and (batch := self._batcher.due(time.monotonic_ns())):
                    self._writer.put(batch)
        except DeadlineError as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all

    def flush(self, seconds: float = 30.0) -> None:
        """Write all that was read, and wait up to `seconds` until the store has acknowledged it."""
        if len(self._batcher):
            self._writer.put(self._batcher.take())
        end = time.monotonic() + seconds
        while self._account.in_hand > 0 and time.monotonic() < end:
            time.sleep(0.01)

    def _read(self) -> Read | None:
        if self._upkeep.reads:
            return self._upkeep.reads.popleft()
        wait = self._batcher.wait(time.monotonic_ns())
        longest = self._settings.idle / 2 if self.until_empty else LONGEST_WAIT
        timeout = longest if wait is None else min(longest, max(SHORTEST_WAIT, wait / 1e9))
        try:
            return self._receiver.read(timeout)
        except BusError as error:
            self._reconnection.after(error)
            self._last_message = time.monotonic()  # a bus that could not be read was not seen to be empty
            return None

    def _take_rest(self) -> None:
        """What the bus sent until it knew that we leave; once the deadline has passed it is received, and pending."""
        late: DeadlineError | None = None
        self._leave()
        try:
            for read in self._receiver.rest(min(CONFIRMED_WITHIN, max(LAST_LOOK, self.stop.left))):
                if late is not None or self.stop.left <= 0:
                    self._account.received(read)
                    continue
                try:
                    self._take(read)
                except DeadlineError as error:
                    late = error
        except BusError as error:
            log.warning("%s; what was sent to us and did not arrive is lost, and how much that was is not known", error)
        if late is not None:
            raise late

    def _take(self, read: Read) -> None:
        """One read: decoded, encoded, batched."""
        self._account.received(read)
        samples, rejected, known = self._bounds.sift(self._decode(read.payloads), read.at)
        if rejected:
            read = self._without(read, rejected)
            if not read.payloads:
                return
        points = self._encode(samples, known)
        trace = partial(self._measurement.trace, samples, known)
        for batch in self._batcher.add(read, points, trace, time.time_ns, time.monotonic_ns):
            self._writer.put(batch)

    def _without(self, read: Read, rejected: Sequence[Rejected]) -> Read:
        """What is left of a read once its rejected messages are on their way to the dead letters."""
        letters = [(read.payloads[r.position], r.reason, r.detail) for r in rejected]
        bad = {r.position for r in rejected}
        self._rejects.put(letters, [i for n, i in enumerate(read.ids) if n in bad])
        return read.without(bad)

    def _rejected(self, parcel: RejectedBatch, dropped: bool) -> None:
        """Dead letters are kept, or dropped: account for them, and acknowledge what came with them."""
        self._account.rejected([reason for _, reason, _ in parcel.letters], dropped=dropped)
        self._acknowledgement.give(parcel.ids)

    def _settle(self, batch: Batch, refused: Sequence[Refused], at: int) -> None:
        """The store has answered for a batch: account for it, then acknowledge. In the writer's thread."""
        self._account.stored(batch, len(refused), at)
        if refused:
            self._rejects.put([(each.line, "store", each.words) for each in refused], batch.ids)
        else:
            self._acknowledgement.give(batch.ids)

    def _keep(self) -> None:
        """Housekeeping, twice a second."""
        due = time.monotonic() + INTERVAL
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + INTERVAL
            self._liveness.look()
            self._note_interval()
            self._rejects.retry()
            if self.stop.requested:
                self._leave()
            with suppress(BusError):  # the reader meets the same and says so
                self._account.trimmed(self._upkeep.maintain(self.ledger.received))
                self._upkeep.claim(due)
            self._losses.ask()

    def _leave(self) -> None:
        """Have nothing more sent to us, also while the reader waits for the store."""
        with suppress(BusError):  # `_take_rest` meets the same
            self._receiver.leave()

    def _note_interval(self) -> None:
        now = self._account.interval(self._losses)
        self._record.interval({"at": time.time_ns(), **now.use, **now.counts, **now.histograms, **now.stalls})
        self._reports.interval(now.counts, now.histograms)

    def close(self) -> ConsumerReport:
        """Write what is left, acknowledge it, and report; a stop in progress keeps its deadline."""
        try:
            self._take_rest()
            if len(self._batcher):
                self._writer.put(self._batcher.take())
        except DeadlineError as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all
        self._writer.close()
        self._closing.set()
        self._housekeeper.join()
        self._rejects.close(keep=self._settings.transport == "stream")
        self._acknowledgement.finish()
        self._losses.ask()
        self._note_interval()
        self.report = self.account()
        self._record.close(asdict(self.report))
        self._reports.close(self.stop.left)
        self._receiver.close()
        return self.report

    def account(self) -> ConsumerReport:
        """What became of every message so far; after `close`, of all."""
        return self._account.report(self._losses, self._receiver)
