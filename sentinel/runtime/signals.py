"""Stop signals: heard whatever the main thread waits for, and followed by an end that nothing holds up.

The first SIGTERM or SIGINT asks for a stop with a deadline, the second for one at once. What hangs past that (a store,
Redis, a name that is looked up) is left behind: the process says its exit report and ends.
A Python handler runs in the main thread, between two of its steps; here the numbers go to a thread of their own.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.runtime.stop import StopSignal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
AT_ONCE = 0.3
"""Seconds that a second signal leaves: enough for a healthy store to answer."""
OVERTIME = 0.4
"""Seconds past the deadline after which what hangs is left behind."""


def on_stop_signals(stop: StopSignal, deadline: float, exit_report: Callable[[], int]) -> None:
    """Let SIGTERM and SIGINT stop this process, and a second signal end it within a second.

    Args:
        stop: asked to stop by the first signal.
        deadline: seconds that the process may take after the first signal.
        exit_report: called where the process has to be ended; prints what is to be said, and returns the exit code.
    """
    ears, mouth = socket.socketpair()
    mouth.setblocking(False)
    for number in STOP_SIGNALS:
        signal.signal(number, _pass)
    signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    atexit.register(_ignore)
    told = (ears, mouth, stop, deadline, exit_report)
    threading.Thread(target=_listen, args=told, name="signals", daemon=True).start()


def _pass(*_: object) -> None:
    """The handler: without one Python would not write the number down."""


def _ignore() -> None:
    """All is done, and the exit code is decided: a signal now would only change it."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _listen(
    ears: socket.socket, mouth: socket.socket, stop: StopSignal, deadline: float, exit_report: Callable[[], int]
) -> None:
    with ears, mouth:
        while True:
            left = max(0.0, stop.deadline + OVERTIME - time.monotonic()) if stop.requested else None
            if select.select([ears], [], [], left)[0]:
                if ears.recv(1)[0] in STOP_SIGNALS:
                    stop.request(AT_ONCE if stop.requested else deadline)
            else:
                leave(exit_report)


def leave(exit_report: Callable[[], int]) -> None:
    """End this process at once, whatever its other threads wait for.

    Args:
        exit_report: prints what is to be said, and returns the exit code.
    """
    code = 1
    try:
        code = exit_report()
        sys.stdout.flush()
    finally:
        os._exit(code)
