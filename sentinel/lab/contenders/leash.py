"""The leash (`python -m sentinel.lab.contenders.leash REPORT GRACE MOST_LOG -- COMMAND…`): holds one contender.

It starts the contender, hands SIGTERM on, kills what does not end within its grace and all that outlives it, whatever
session that is in, keeps its log bounded, and writes a report of its end. On Linux orphans of the contender become the
leash's own children (PR_SET_CHILD_SUBREAPER). Only the standard library, so that it starts fast and stays small.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""
LOST = 2.0
"""Seconds in which what was killed must be gone."""
CUT = b"\n[the rest of its output was left out]\n"


class Leash:
    """One contender, from its start to the end of the last process that it left."""

    def __init__(self, command: list[str], grace: float, most: int) -> None:
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_SUBREAPER, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3)
        self._grace = grace
        self._most = most
        self._killed = False
        self._ended = False
        self._stopping = False
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def stop(self, *_: object) -> None:
        """Hand SIGTERM on, and kill after the grace."""
        if self._stopping:
            return
        self._stopping = True
        self._signal(signal.SIGTERM)
        threading.Timer(self._grace, self._kill).start()

    def _kill(self) -> None:
        self._killed = not self._ended
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._ended:  # Popen's own ways to signal would reap it, and its use of the CPU with it
            os.kill(self._child.pid, number)

    def run(self) -> dict[str, object]:
        """See it to its end; the report."""
        copier = threading.Thread(target=self._copy, daemon=True)
        copier.start()
        _, status, used = os.wait4(self._child.pid, 0)
        self._ended = True
        self._child.returncode = os.waitstatus_to_exitcode(status)
        left = self._end_orphans()
        copier.join(LOST)
        return {
            "code": self._child.returncode,
            "killed": self._killed,
            "left": left,
            "cpu_seconds": used.ru_utime + used.ru_stime,
        }

    def _copy(self) -> None:
        """Its output into ours, up to the most that is kept; the rest is read and dropped, so that it never blocks."""
        assert self._child.stdout is not None
        kept, source = 0, self._child.stdout.fileno()
        while piece := os.read(source, 65536):
            if kept < self._most:
                os.write(1, piece if kept + len(piece) < self._most else piece[: self._most - kept] + CUT)
            kept += len(piece)

    def _end_orphans(self) -> int:
        """Kill all that the contender left behind; how many there were."""
        seen: set[int] = set()
        end = time.monotonic() + LOST
        while (orphans := descendants(os.getpid())) and time.monotonic() < end:
            seen |= orphans
            for pid in orphans:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)
        return len(seen)


def parents() -> dict[int, int]:
    """Parent by process, of all that this machine runs; empty where there is no /proc."""
    values = dict[int, int]()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            state, parent = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
            if state != "Z":
                values[int(path.parent.name)] = int(parent)
    return values


def descendants(pid: int) -> set[int]:
    """Living processes below this one."""
    above, values = parents(), set[int]()
    level = {pid}
    while level := {child for child, parent in above.items() if parent in level} - values:
        values |= level
    return values


def main() -> None:
    """Hold one: report file, grace in seconds, most bytes of log, and behind `--` the command."""
    report, grace, most, _, *command = sys.argv[1:]
    leash = Leash(command, float(grace), int(most))
    signal.signal(signal.SIGTERM, leash.stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = leash.run()
    Path(report).write_text(json.dumps(ended), encoding="utf-8")
    os._exit(0)  # the timer of a grace that was not needed would hold it up


if __name__ == "__main__":
    main()
