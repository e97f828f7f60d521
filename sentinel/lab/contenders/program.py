"""A contender as a running program: built, started with its environment, ready, stopped, gone with all its children.

It runs on a leash (`leash`), under the lab's process supervisor: whatever it does, nothing of it is left.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from sentinel.environment import child_environment, stack_environment
from sentinel.errors import ContenderError, TrialError
from sentinel.lab.contenders.contender import BY_FILE, BY_LOG, search_path
from sentinel.lab.contenders.leash import LOST, descendants
from sentinel.lab.contenders.tree import TreeProbe
from sentinel.runtime.record import READY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.settings import BusSettings, StoreSettings

START_LIMIT = 30.0
"""Seconds that it may take until it is ready."""
BUILD_LIMIT = 900.0
VERSION_LIMIT = 10.0
MOST_LOG = 4_000_000
"""Bytes of its output that are kept."""
BUILD_LOG = "build.log"
REPORT = "end.json"
PAST_THE_TAP = "writes to the store past the tap: INFLUX_URL and SENTINEL_WRITE_URL name the tap"


@dataclass(frozen=True)
class Task:
    """What a contender is to do."""

    transport: str
    codec: str
    batch_size: int
    run: str
    """Tag `run` of its points, and the name of its consumer in the group."""
    bus: BusSettings
    store: StoreSettings
    """The store as the contender sees it: the tap, where there is one."""
    write_target: str
    """Path and query that points are posted to."""

    def environment(self, record: Path) -> dict[str, str]:
        """All that it is told; docs/contenders.md explains each."""
        return stack_environment(self.bus, self.store) | {
            "PATH": search_path(),
            "PYTHONUNBUFFERED": "1",  # a line of its log that says `ready` must not wait in a buffer
            "SENTINEL_TRANSPORT": self.transport,
            "SENTINEL_CODEC": self.codec,
            "SENTINEL_KEY": self.bus.stream,
            "SENTINEL_GROUP": self.bus.group,
            "SENTINEL_CONSUMER": self.run,
            "SENTINEL_BATCH_SIZE": str(self.batch_size),
            "SENTINEL_RUN": self.run,
            "SENTINEL_WRITE_URL": self.store.url.rstrip("/") + self.write_target,
            "SENTINEL_READY": str(record / READY),
            "SENTINEL_RECORD": str(record),
        }


class Program:
    """One contender, started.

    Args:
        contender: What to start.
        task: What it is told.
        folder: Receives its log and its record.
        supervisor: Starts it.
    """

    def __init__(self, contender: Contender, task: Task, folder: Path, supervisor: Supervisor) -> None:
        """Start it; `folder` is its record, and its log lies beside that.

        Raises:
            TrialError: it cannot be started.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.contender = contender
        self.record = folder
        self._report = folder / REPORT
        manifest = contender.manifest
        command = contender.program(manifest.command, "command")
        leash = [sys.executable, "-m", "sentinel.lab.contenders.leash", str(self._report)]
        self.child: Child = supervisor.start(
            contender.name,
            [*leash, str(manifest.grace), str(MOST_LOG), "--", *command],
            log=folder.parent / f"{folder.name}.log",
            env=task.environment(folder),
            cwd=contender.folder,
        )
        self.tree = TreeProbe(self.child.pid)
        self.at_ready = 0.0
        """CPU seconds that it had used when it was ready."""

    def await_ready(self, check: Callable[[], object], probe: Callable[[], bool]) -> None:
        """Wait until it reads.

        Args:
            check: Called meanwhile; what it raises ends the wait.
            probe: Sends a first message where there was none, and says whether one was stored; for `ready = "probe"`.

        Raises:
            TrialError: it ended, or was not ready in time.
        """
        end = time.monotonic() + START_LIMIT
        is_ready = self._is_ready(probe)
        while not is_ready():
            check()
            if self.child.poll() is not None:
                raise TrialError(f"{self.contender.name} ended before it was ready: {self.ending()}")
            if time.monotonic() > end:
                raise TrialError(f"{self.contender.name} was not ready after {START_LIMIT:.0f} s: {self._advice()}")
            time.sleep(0.01)
        self.at_ready = self.tree.look().cpu_seconds

    def _is_ready(self, probe: Callable[[], bool]) -> Callable[[], bool]:
        how = self.contender.manifest.ready
        if how == BY_FILE:
            return (self.record / READY).exists
        if how.startswith(BY_LOG):
            line = re.compile(how.removeprefix(BY_LOG))
            return lambda: bool(line.search(self.child.tail(1000)))
        return probe

    def _advice(self) -> str:
        how = self.contender.manifest.ready
        waited = {BY_FILE: "it did not create the file that SENTINEL_READY names"}.get(
            how, f"ready = {how!r} never came"
        )
        return f"{waited}; its log is {self.child.log}"

    def stop(self) -> None:
        """SIGTERM; SIGKILL after its grace; returns once nothing of it is left."""
        if self.child.poll() is None:
            self.child.stop(grace=self.contender.manifest.grace + 2 * LOST)

    def kill(self) -> None:
        """SIGKILL for all of it, at once; nothing where it has ended."""
        if self.child.poll() is not None:
            return
        for pid in descendants(self.child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.child.wait(2 * LOST)

    @property
    def end(self) -> dict[str, Any]:
        """How it ended: code, killed, left, cpu_seconds; empty while it runs, and where its leash was killed."""
        try:
            return dict(json.loads(self._report.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def ending(self) -> str:
        """How it ended, in one line with the last of its log."""
        end = self.end
        code = end.get("code")
        how = f"exit code {code}" if code is not None and code >= 0 else f"signal {-(code or -9)}"
        last = self.child.tail(1).strip()
        return f"{how}; its log {self.child.log} ends with {last[:200]!r}" if last else f"{how}, without a word"

    def problems(self) -> list[str]:
        """What was wrong with its end."""
        end, name = self.end, self.contender.name
        if end.get("killed"):
            return [f"{name} still ran {self.contender.manifest.grace:g} s after SIGTERM, and was killed"]
        return [f"{name} ended with {self.ending()}"] if end.get("code") else []

    def warnings(self) -> list[str]:
        """What it left behind."""
        left = self.end.get("left")
        return [f"{self.contender.name} left {left} of its processes running: they were killed"] if left else []


def build(contender: Contender) -> None:
    """Run its `build`, where it has one; the log is kept in its folder.

    Raises:
        ContenderError: the program is missing, or the build failed.
    """
    manifest, log = contender.manifest, contender.folder / BUILD_LOG
    if manifest.build:
        command = contender.program(manifest.build, "build")
        try:
            with log.open("wb") as file:
                code, *_ = _carried_out(command, contender.folder, BUILD_LIMIT, file)
        except OSError as error:
            raise ContenderError(f"contender {contender.name}: its build failed: {error}; its log is {log}") from None
        if code:
            raise ContenderError(f"contender {contender.name}: its build ended with exit code {code}; its log is {log}")
    contender.require_program()


def version(contender: Contender) -> str:
    """What its `version` says, in one line; empty where it has none."""
    if not contender.manifest.version:
        return ""
    try:
        command = contender.program(contender.manifest.version, "version")
        _, output, errors = _carried_out(command, contender.folder, VERSION_LIMIT, subprocess.PIPE)
    except (ContenderError, OSError) as error:
        return f"unknown: {error}"
    message = (output.strip() or errors).decode("utf-8", "replace").strip().splitlines()
    return message[0][:200] if message else "unknown: it said nothing"


def _carried_out(command: list[str], folder: Path, limit: float, output: IO[bytes] | int) -> tuple[int, bytes, bytes]:
    """Run what is done in a moment, without a terminal; none of its process group outlives it.

    Returns:
        Exit code, and where `output` is a pipe, what it wrote to stdout and stderr.

    Raises:
        OSError: it cannot be started, or took longer than `limit` seconds.
    """
    environment = child_environment(PATH=search_path())
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            text, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"it took longer than {limit:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, text or b"", errors or b""
