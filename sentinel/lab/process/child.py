"""A process that a supervisor started: asked for its exit code, signalled, stopped, and the end of its log read."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any, Protocol

from sentinel.errors import TrialError
from sentinel.lab.process.helper import KILL_WAIT

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES = 65536


class Helping(Protocol):
    """Passes acts on to the helper process; `supervisor.Supervisor` is one."""

    def request(self, act: str, **arguments: object) -> dict[str, Any]:
        """Ask for one act, and wait for its reply."""


class Child:
    """A process under a supervisor, leader of its own process group.

    Args:
        supervisor: The one that started it.
        number: By which the supervisor's helper knows it.
        name: What it is called in messages.
        pid: Its process id, and that of its group.
        log: The file to which its output is appended.
        start: Size of that file when it started, bytes.
    """

    def __init__(self, supervisor: Helping, number: int, *, name: str, pid: int, log: Path, start: int) -> None:
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

        Raises:
            TrialError: not even SIGKILL has ended it.
            StackError: the supervisor is closed or gone.
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
            lines: How many at most, of those it wrote itself.
        """
        try:
            with self.log.open("rb") as file:
                file.seek(max(self._start, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])
