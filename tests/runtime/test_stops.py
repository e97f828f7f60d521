"""Stop signals: the deadline holds whatever hangs, a second signal ends at once, and exit codes say what was left."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.servers import START, Answer, ConsumerProcess, Lane, Restartable, ScriptedStore, durable_bus, wait_until

from sentinel.bus import unread
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.environment import stack_environment
from sentinel.lab.stack import embedded as embedded_stack
from sentinel.load.processes import run_load
from sentinel.runtime.stop import StopSignal
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Asked

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor

PROMPT = 8.0
"""Seconds in which a process must be gone that was told to end at once: less than any timeout of what hangs."""


@pytest.fixture
def hanging(scripted: ScriptedStore) -> Iterator[ScriptedStore]:
    """A store that takes no point and gives no answer."""
    release = threading.Event()

    def hang(_: Asked) -> Answer:
        release.wait(40)
        return Answer(503)

    scripted.on_write = hang
    yield scripted
    release.set()


class Frozen(NamedTuple):
    """A lane whose Redis can be made to hang."""

    server: Restartable
    lane: Lane
    store: ScriptedStore

    def freeze(self) -> None:
        """From now on it takes connections and commands, and answers none."""
        assert self.server.child is not None
        self.server.child.signal(signal.SIGSTOP)


@pytest.fixture
def frozen(supervisor: Supervisor, tmp_path: Path) -> Iterator[Frozen]:
    """A Redis of this test's own, and a store."""
    server, bus = durable_bus(supervisor, tmp_path, embedded_stack.valkey())
    store = ScriptedStore()
    yield Frozen(server, Lane.on(bus, store.settings), store)
    assert server.child is not None
    server.child.signal(signal.SIGCONT)
    server.end(signal.SIGTERM)
    store.close()


def program(supervisor: Supervisor, lane: Lane, folder: Path, *words: str) -> Child:
    """A command as a process of its own, on this lane's key."""
    command = [sys.executable, "-m", "sentinel", *words, "--key", lane.bus.stream]
    return supervisor.start(words[0], command, log=folder / "log", env=stack_environment(lane.bus, lane.store))


def test_a_thread_is_waited_for_until_the_deadline() -> None:
    """As long as nobody is in a hurry, and no longer than a deadline that is set meanwhile."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    stop = StopSignal()
    assert not stop.join(thread, 0.05)
    threading.Timer(0.1, stop.request, [0.1]).start()
    assert not stop.join(thread)
    assert stop.wait(0.0)
    over.set()
    thread.join()
    assert StopSignal().join(thread)


@pytest.mark.parametrize("way", ["deadline", "second signal"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.usefixtures("hanging")
def test_a_store_that_hangs_does_not_outlast_the_stop(
    scripted_lane: Lane, supervisor: Supervisor, tmp_path: Path, configuration: str, way: str
) -> None:
    """The request under way ends with the deadline, or a second signal; ledger and code say what is left."""
    deadline = "1s" if way == "deadline" else "60s"
    process = ConsumerProcess(supervisor, scripted_lane, tmp_path, configuration=configuration, deadline=deadline)
    run_load(LoadSettings(count=50), scripted_lane.bus)
    wait_until("all is read", lambda: unread(scripted_lane.bus) == 0 or configuration == "baseline")
    time.sleep(1.2 if configuration == "client-batching" else 0.2)  # the client flushes once a second
    process.child.signal(signal.SIGTERM)
    if way == "second signal":
        time.sleep(0.3)
        assert process.child.poll() is None
        process.child.signal(signal.SIGTERM)
    assert process.ends(PROMPT) == 1, process.log
    ledger, last = process.log.splitlines()[-2:]
    assert ledger.startswith("consumer received=")
    assert " written=0 " in ledger
    assert last.endswith("read but not stored before the deadline: they stay on the stream and will be read again")


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_a_redis_that_hangs_does_not_outlast_a_second_signal(
    frozen: Frozen, supervisor: Supervisor, tmp_path: Path, transport: str
) -> None:
    """Nothing was left, so the code is 0, although Redis could not be told goodbye."""
    lane = frozen.lane
    process = ConsumerProcess(supervisor, lane, tmp_path, transport=transport)
    frozen.freeze()
    for _ in range(2):
        process.child.signal(signal.SIGTERM)
        time.sleep(0.1)  # two signals at once are one
    assert process.ends(PROMPT) == 0, process.log
    assert process.log.splitlines()[-1].startswith("consumer received=0 written=0 rejected=0 pending=0 ")


def test_what_redis_could_not_be_told_is_on_the_last_ledger(
    frozen: Frozen, supervisor: Supervisor, tmp_path: Path
) -> None:
    """The deadline passes while Redis hangs: what is stored counts as such, and as unacknowledged; the code is 0."""
    hangs = threading.Event()
    frozen.store.on_write = lambda _: Answer(204 if hangs.wait(40) else 503)
    process = ConsumerProcess(supervisor, frozen.lane, tmp_path, deadline="500ms")
    run_load(LoadSettings(count=1), frozen.lane.bus)
    wait_until("it is read", lambda: unread(frozen.lane.bus) == 0)
    frozen.freeze()
    hangs.set()
    wait_until("it is stored", lambda: len(frozen.store.lines()) == 1)
    process.child.signal(signal.SIGTERM)
    assert process.ends(PROMPT) == 0, process.log
    assert process.log.splitlines()[-1].startswith("consumer received=1 written=1 rejected=0 pending=0 ")
    assert " unacknowledged=1 " in process.log.splitlines()[-1]


def test_a_second_signal_changes_nothing_once_all_is_said(
    embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path
) -> None:
    """A signal that comes while the interpreter is being taken down leaves the exit code that was decided."""
    process = ConsumerProcess(supervisor, embedded_lane, tmp_path)
    process.child.signal(signal.SIGTERM)
    wait_until("the ledger is printed", lambda: "consumer received=" in process.log)
    for _ in range(20):
        process.child.signal(signal.SIGTERM)
        time.sleep(0.002)
    assert process.ends() == 0, process.log


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_load_ends_at_a_second_signal_though_redis_hangs(
    frozen: Frozen, supervisor: Supervisor, tmp_path: Path, processes: str
) -> None:
    """Of however many processes it is, all are gone."""
    lane = frozen.lane
    words = ("load", "--rate", "20000", "--duration", "60s", "--processes", processes)
    process = program(supervisor, lane, tmp_path, *words)
    wait_until("it sends", lambda: unread(lane.bus) > 20, START)
    frozen.freeze()
    children = children_of(process.pid)
    for _ in range(2):
        process.signal(signal.SIGTERM)
        time.sleep(0.1)
    process.wait(PROMPT)
    wait_until("its processes are gone", lambda: not any(alive(pid) for pid in children), PROMPT)


def test_an_agent_ends_at_a_second_signal_though_redis_hangs(
    frozen: Frozen, supervisor: Supervisor, tmp_path: Path
) -> None:
    """With its ledger: what hung is unsent."""
    lane = frozen.lane
    process = program(supervisor, lane, tmp_path, "agent", "--interval", "50ms", "--health", "off")
    wait_until("it samples", lambda: unread(lane.bus) > 1, START)
    frozen.freeze()
    time.sleep(0.3)
    process.signal(signal.SIGTERM)
    time.sleep(0.1)
    process.signal(signal.SIGTERM)
    assert process.wait(PROMPT) == 0, process.tail()
    assert " unsent=0 " not in process.tail().splitlines()[-1]


def children_of(pid: int) -> list[int]:
    """Process ids."""
    actual = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False).stdout
    return [int(word) for word in actual.split()]


def alive(pid: int) -> bool:
    """Whether it runs; one that ended and was not waited for does not."""
    actual = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False).stdout
    return bool(actual.strip()) and not actual.startswith(b"Z")
