"""The supervisor's helper process (`python -m sentinel.lab.process.helper PID GRACE`): starts, reaps and ends others.

Requests come as JSON lines on stdin, each is answered by one on stdout; supervisor.py is the other end. It lives in a
session of its own, survives the signals that end the lab, and when stdin closes (or its parent has changed) it ends
every process group it started: SIGTERM, a grace, SIGKILL. Portable to macOS: no preexec_fn, prctl for comfort only.
Only the standard library, so that it starts fast and stays small.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KILL_WAIT = 10.0
"""Seconds in which a process must be gone after SIGKILL."""
NICE = 5
"""Of a background process's session: Linux shares the cores out among sessions, whatever their processes' nice."""
SLACK = 1_000_000
"""ns by which a background process's timers may be late (systemd's TimerSlackNSec): its wake-ups then share others'
interrupts. Go's runtime sets 5,000 timers a second for itself while it works, and they interrupt whoever computes."""
_SET_TIMER_SLACK = 29
"""PR_SET_TIMERSLACK of prctl(2): for this thread and what it starts; 0 for what this thread was started with."""
_LOOK = 0.25
"""Seconds between looks at the children and the parent while nothing is asked."""


class SupervisorHelper:
    """Starts, reaps and ends processes for a parent process, one request at a time.

    Args:
        parent: The process id of the lab; its end is this process's end.
        grace: Seconds between SIGTERM and SIGKILL once the parent is gone.
    """

    def __init__(self, parent: int, grace: float) -> None:
        self._parent = parent
        self._grace = grace
        self._children: list[subprocess.Popen[bytes]] = []
        self._acts = {"start": self._start, "poll": self._poll, "signal": self._signal}

    def run(self) -> None:
        """Serve until the parent is gone, then end what still runs."""
        try:
            for request in self._requests():
                reply = {"asked": request["asked"], **self._acts[request["act"]](request)}
                os.write(1, json.dumps(reply).encode() + b"\n")
        finally:
            self._end_all()

    def _requests(self) -> Iterator[dict[str, Any]]:
        rest = b""
        # A forked copy of the parent may hold the pipe open after the parent's end: look at its pid as well.
        while os.getppid() == self._parent:
            self._reap()
            if not select.select([0], [], [], _LOOK)[0]:
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                with suppress(ValueError):
                    yield json.loads(line)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            Path(request["log"]).parent.mkdir(parents=True, exist_ok=True)
            with Path(request["log"]).open("ab") as log, _policy(background=request["background"]):
                start = log.tell()
                child = subprocess.Popen(
                    request["command"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=request["env"],
                    cwd=request["cwd"],
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            return {"error": str(error)}
        if request["background"]:
            with suppress(OSError):  # not on Linux, or a kernel without groups by session
                Path(f"/proc/{child.pid}/autogroup").write_text(str(NICE), encoding="utf-8")
        self._children.append(child)
        return {"number": len(self._children) - 1, "pid": child.pid, "start": start}

    def _poll(self, request: dict[str, Any]) -> dict[str, Any]:
        self._reap()
        return {"code": self._children[request["number"]].returncode}

    def _signal(self, request: dict[str, Any]) -> dict[str, Any]:
        self._reap()
        child = self._children[request["number"]]
        if child.returncode is None:
            os.kill(child.pid, request["signum"])
        return {}

    def _running(self) -> list[subprocess.Popen[bytes]]:
        return [child for child in self._children if child.returncode is None]

    def _reap(self) -> None:
        for child in self._running():
            if child.poll() is not None:
                # At once: while the group has members its number cannot be given to anyone else.
                _signal_group(child, signal.SIGKILL)

    def _end_all(self) -> None:
        for signum, seconds in ((signal.SIGTERM, self._grace), (signal.SIGKILL, KILL_WAIT)):
            for child in self._running():
                _signal_group(child, signum)
            end = time.monotonic() + seconds
            while self._running() and time.monotonic() < end:
                time.sleep(0.01)
                self._reap()


@contextmanager
def _policy(*, background: bool) -> Iterator[None]:
    """What is started meanwhile is scheduled so: a child has its parent's policy. Ours is as before afterwards."""
    try:
        if background:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            _timer_slack(SLACK)
    except (AttributeError, OSError):  # not on Linux, or not allowed here
        background = False
    try:
        yield
    finally:
        if background:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
            _timer_slack(0)


def _timer_slack(ns: int) -> None:
    ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, ctypes.c_ulong(ns), *[ctypes.c_ulong(0)] * 3)


def _signal_group(child: subprocess.Popen[bytes], signum: int) -> None:
    # macOS answers EPERM for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signum)


def main() -> None:
    """Be the helper: arguments are the parent's pid and the grace in seconds."""
    for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # Not SIG_IGN, which children would inherit.
        signal.signal(signum, lambda *_: None)
    SupervisorHelper(int(sys.argv[1]), float(sys.argv[2])).run()


if __name__ == "__main__":
    main()
