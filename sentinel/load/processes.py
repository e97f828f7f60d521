"""One load, played by one process or by several that share its sources."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError
from sentinel.load.generator import LoadGenerator, check
from sentinel.load.report import LoadReport
from sentinel.load.schedule import shares
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import SenderLedger
from sentinel.recording.survey import playable
from sentinel.runtime.signals import OVERTIME, STOP_SIGNALS, leave
from sentinel.runtime.stop import StopSignal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.sharedctypes import Synchronized

    from sentinel.settings import BusSettings, LoadSettings

LAST_ANSWERS = 5.0
"""Seconds that a load may take to end after the first stop signal."""


def run_load(
    settings: LoadSettings,
    bus: BusSettings,
    *,
    processes: int = 1,
    record: Path | None = None,
    stop: StopSignal | None = None,
) -> LoadReport:
    """Play a load, by one process or by several that share its sources.

    Args:
        settings: the load as a whole.
        bus: where messages go.
        processes: how many to play it with; this process itself where it is 1.
        record: folder in which each process has a numbered folder of its own; None: nothing is written.
        stop: ends the load early, in every process.

    Raises:
        SettingsError: a setting that cannot be played.
        RecordingError: a recording that cannot be played.
        BusError: Redis cannot be reached at the start.
    """
    check(settings)
    if processes < 1:
        raise SettingsError(f"processes={processes}: expected 1 or more")
    if settings.replay:
        sources = playable(Path(settings.replay)).sources
        settings = replace(settings, workers=sources)
        processes = 1 if settings.count else min(processes, sources)  # only together are the messages in their order
    if processes > settings.emitters:
        raise SettingsError(
            f"processes={processes}: expected at most one a source, of which there are {settings.emitters}"
        )
    parts = shares(settings, processes)
    folders = [record / str(n) if record else None for n in range(len(parts))]
    if len(parts) == 1:
        return LoadGenerator(parts[0], bus, folders[0], stop).run()
    context = get_context("spawn")
    told = context.Value("d", math.inf)
    with ProcessPoolExecutor(len(parts), mp_context=context, initializer=_listen, initargs=(told,)) as pool:
        futures = [pool.submit(_run_part, *each) for each in zip(parts, [bus] * len(parts), folders, strict=True)]
        while wait(futures, timeout=0.1).not_done:
            if stop is not None:
                told.value = stop.deadline
        return _merged([future.result() for future in futures])


_stop = StopSignal()
"""In a process of several: the stop that its parent asks for."""


def _listen(told: Synchronized[float]) -> None:
    """Stop when the parent says, or is gone: `told` holds its deadline, by the clock that all processes share."""
    parent = os.getppid()
    for number in STOP_SIGNALS:  # the parent's business
        signal.signal(number, signal.SIG_IGN)

    def obey() -> None:
        while time.monotonic() < _stop.deadline + OVERTIME:
            time.sleep(0.1)
            if told.value < math.inf or os.getppid() != parent:
                _stop.request(min(told.value - time.monotonic(), LAST_ANSWERS))
        leave(lambda: 1)

    threading.Thread(target=obey, daemon=True).start()


def _run_part(settings: LoadSettings, bus: BusSettings, record: Path | None) -> LoadReport:
    return LoadGenerator(settings, bus, record, _stop).run()


def _merged(reports: Sequence[LoadReport]) -> LoadReport:
    ledger = SenderLedger(**{f.name: sum(getattr(r.ledger, f.name) for r in reports) for f in fields(SenderLedger)})
    delay = Recorder()
    for report in reports:
        delay.merge(Recorder.from_dict(report.delay))
    start = min(r.started for r in reports)
    end = max(r.started + r.elapsed * 1e9 for r in reports)
    return LoadReport(ledger, start, (end - start) / 1e9, delay.to_dict())
