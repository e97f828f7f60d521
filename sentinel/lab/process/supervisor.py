"""No process that the lab starts outlives the lab: a supervisor starts them all, and ends them when the lab is gone.

This is the lab's end of a pipe to one helper process (helper.py), which starts every child itself, so that none is
ever unknown to it, and takes the closing of the pipe as the end: an exit, an error, SIGTERM, SIGKILL, a closed
terminal. Each child leads a process group, and the group ends with its leader. What leaves its group by a `setsid`
of its own is out of reach.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sentinel.errors import StackError
from sentinel.lab.process.child import Child
from sentinel.lab.process.helper import KILL_WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL once the lab is gone."""


class Supervisor:
    """Starts children. Leaving the `with` block, `close()` or the end of this process ends every child.

    Safe to share between threads.

    Args:
        grace: Seconds between SIGTERM and SIGKILL for what still runs then.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self._grace = grace
        self._lock = threading.Lock()
        self._closed = False
        self._asked = 0
        self._pids: list[int] = []
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "sentinel.lab.process.helper", str(os.getpid()), str(grace)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the helper."""
        return self._helper.pid

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        background: bool = False,
    ) -> Child:
        """Start a program.

        Args:
            name: Of the child, in messages.
            command: The program and its arguments.
            log: The file to which its output is appended.
            env: Its environment; otherwise this process's as it was when the supervisor was opened.
            cwd: Its folder.
            background: Whether it is scheduled as SCHED_BATCH with a timer slack (`helper.SLACK`): where a system has
                them, the child takes no core from another process by waking up, and interrupts it less often.

        Returns:
            The child, which runs already.

        Raises:
            StackError: the program or folder does not exist or may not be used, or the supervisor is closed or gone.
        """
        log = log.absolute()
        reply = self.request(
            "start",
            command=[str(part) for part in command],
            log=str(log),
            env=None if env is None else dict(env),
            cwd=str((cwd or Path()).absolute()),
            background=background,
        )
        if "error" in reply:
            raise StackError(f"{name}: cannot start {command[0]}: {reply['error']}; install it or correct its path")
        self._pids.append(reply["pid"])
        return Child(self, reply["number"], name=name, pid=reply["pid"], log=log, start=reply["start"])

    def request(self, act: str, **arguments: object) -> dict[str, Any]:
        """Ask the helper for one act and wait for its reply; `Child` speaks through this.

        Args:
            act: `start`, `poll` or `signal`.
            arguments: What the act is given, as JSON can hold it: `number` says which child is meant.

        Returns:
            The helper's reply by key: `number`, `pid` and `start` (size of the log, bytes) of a start, or `error`;
            `code` of a poll, None while the child runs.

        Raises:
            StackError: the supervisor is closed or gone.
        """
        with self._lock:
            if self._closed:
                raise StackError("the supervisor is closed, and every process it started has ended: open a new one")
            self._asked += 1
            # The newline in front ends whatever an interrupted request left in the pipe; the number in the
            # reply tells it from one that was asked for and never read.
            text = "\n" + json.dumps({"act": act, "asked": self._asked, **arguments}) + "\n"
            try:
                return self._exchange(text.encode(), self._asked)
            except (BrokenPipeError, EOFError):
                raise StackError(self._exit_report()) from None

    def _exchange(self, text: bytes, asked: int) -> dict[str, Any]:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(text)
        self._helper.stdin.flush()
        while line := self._helper.stdout.readline():
            reply: dict[str, Any] = json.loads(line)
            if reply.get("asked") == asked:
                return reply
        raise EOFError

    def _exit_report(self) -> str:
        assert self._helper.stderr is not None
        lines = self._helper.stderr.read().decode(errors="replace").strip().splitlines()
        code = self._helper.wait(KILL_WAIT)
        return (
            f"the supervisor (pid {self.pid}) has ended with exit code {code}: {lines[-1] if lines else 'no message'}"
        )

    def close(self) -> None:
        """End every child, then the helper; twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        assert self._helper.stdin is not None
        with suppress(BrokenPipeError):
            self._helper.stdin.close()
        try:
            if self._helper.wait(self._grace + 2 * KILL_WAIT) != 0:
                self._end_orphans()
        finally:
            for pipe in (self._helper.stdout, self._helper.stderr):
                assert pipe is not None
                pipe.close()

    def _end_orphans(self) -> None:
        """What the helper would have done, had nobody killed it."""
        for pid in self._pids:
            with suppress(ProcessLookupError, PermissionError):
                # A stranger who was given the number of an ended child leads no session, most likely.
                if os.getsid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
