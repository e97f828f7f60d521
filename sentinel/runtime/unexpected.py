"""An error that nobody expected ends the process with one line and exit code 1, in whichever thread it was raised.

A thread that dies in silence leaves a process that looks alive and does half of its work.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.runtime.logs import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_CODE = 1

_log = logging.getLogger(__name__)


def described(error: BaseException) -> str:
    """An unexpected error in one line: what it was and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return printable(f"unexpected {type(error).__name__}{where}: {error} (sentinel -v shows the whole trace)")


@contextmanager
def ending_with_any_thread() -> Iterator[None]:
    """While this context lasts, let an error that leaves a thread end the process."""
    before, threading.excepthook = threading.excepthook, _end
    try:
        yield
    finally:
        threading.excepthook = before


def hand_over(error: Exception) -> None:
    """Treat an error that a library would swallow as an error that leaves its thread."""
    thread = threading.current_thread()
    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))


def _end(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or isinstance(args.exc_value, SystemExit):
        return
    _log.debug("in thread %s", args.thread and args.thread.name, exc_info=args.exc_value)
    name = f" (thread {args.thread.name})" if args.thread else ""
    print(f"error: {described(args.exc_value)}{name}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    os._exit(EXIT_CODE)
