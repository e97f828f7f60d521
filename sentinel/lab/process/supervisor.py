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
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sentinel.errors import StackError, TrialError
from sentinel.lab.process.helper import KILL_WAIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL once the lab is gone."""
_TAIL_BYTES = 65536


class Child:
    """A process under a supervisor, leader of its own process group."""

    def __init__(self, supervisor: Supervisor, number: int, *, name: str, pid: int, log: Path, start: int) -> None:
        self.name = name
        self.pid = pid
        self.log = log
        self._supervisor = supervisor
        self._number = number
        self._start = start
        self._code: int | None = None

    def __repr__(self) -> str:
        state = "running" if self._code is None else f"exit code {self._code}"
        return f"<Child {self.name} pid={self.pid} {state}>"

    def poll(self) -> int | None:
        """The exit code (negative: ended by that signal), or None while it runs.

        Raises:
            StackError: the supervisor is closed or gone.
        """
        if self._code is None:
            self._code = self._supervisor.request("poll", number=self._number)["code"]
        return self._code

    def wait(self, timeout: float) -> int:
        """The exit code.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TrialError: it still runs after that time.
            StackError: the supervisor is closed or gone.
        """
        end = time.monotonic() + timeout
        pause = 0.001
        while (code := self.poll()) is None:
            left = end - time.monotonic()
            if left <= 0:
                raise TrialError(f"{self.name} (pid {self.pid}) still runs after {timeout:g} s; its log is {self.log}")
            time.sleep(min(pause, left))
            pause = min(pause * 2, 0.05)
        return code

    def signal(self, signum: int) -> None:
        """Send a signal to the process itself, not to its group; nothing happens if it has ended.

        Raises:
            StackError: the supervisor is closed or gone.
        """
        self._supervisor.request("signal", number=self._number, signum=int(signum))

    def stop(self, grace: float = 5.0) -> int:
        """SIGTERM, then SIGKILL, and the exit code.

        Args:
            grace: Seconds between the two.
        """
        if (code := self.poll()) is not None:
            return code
        self.signal(signal.SIGTERM)
        try:
            return self.wait(grace)
        except TrialError:
            self.signal(signal.SIGKILL)
            return self.wait(KILL_WAIT)

    def tail(self, lines: int = 20) -> str:
        """The end of its log; empty if it wrote nothing.

        Args:
            lines: How many at most.
        """
        try:
            with self.log.open("rb") as file:
                file.seek(max(self._start, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


class Supervisor:
    """Starts children. Leaving the `with` block, `close()` or the end of this process ends every child.

    Safe to share between threads.
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
        """Ask the helper for one act and return its reply; `Child` speaks through this.

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
        message = self._helper.stderr.read().decode(errors="replace").strip().splitlines()
        code = self._helper.wait(KILL_WAIT)
        return (
            f"the supervisor (pid {self.pid}) has ended with exit code {code}:"
            f" {message[-1] if message else 'no message'}"
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
