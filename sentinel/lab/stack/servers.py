"""Servers of our own: started on free ports, until they answer.

A server gets free loopback ports, a data folder that is deleted afterwards and a log that is kept. It counts as ready
when its log says that it listens *and* it answers: an answer alone may come from a stranger on the same port.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sentinel.errors import BusError, StackError, StoreError
from sentinel.lab.stack.stack import LAB_BUCKET, Stack
from sentinel.settings import BusSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.store import Server

READY_WITHIN = 20.0
"""Seconds until a server of our own must answer."""
STOP_GRACE = 10.0
"""Seconds that a server may take to flush and end."""
_ATTEMPTS = 5
_PORT_TAKEN = "address already in use"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Program:
    """A server that can be started."""

    name: str
    """Of its log and its data folder."""
    command: Callable[[Path, Sequence[int]], Sequence[str]]
    """Data folder and ports to command line."""
    listening: str
    """What its log says once it has its port."""
    ports: int = 1
    """How many ports it needs; the first is the one that answers."""
    env: Mapping[str, str] | None = None
    token: str = field(default="", repr=False)
    """The store's administrator token, where the server is new and must be set up with one."""
    background: bool = False
    """Whether it is to wait for a free core when it wakes up, rather than take one from another process."""


class Running(NamedTuple):
    """A server of our own that answers."""

    child: Child
    port: int


def free_ports(count: int) -> list[int]:
    """Different loopback ports that were free a moment ago.

    Args:
        count: How many.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def bus_on(port: int) -> BusSettings:
    """Settings of a bus of our own.

    Args:
        port: On the loopback.
    """
    return BusSettings(url=f"redis://127.0.0.1:{port}/0")


def store_on(port: int, token: str = "") -> StoreSettings:
    """Settings of a store of our own, with the lab's bucket.

    Args:
        port: On the loopback.
        token: The administrator's; empty where the store asks for none.
    """
    return StoreSettings(url=f"http://127.0.0.1:{port}", token=token, bucket=LAB_BUCKET)


def _in_background(pid: int) -> bool:
    try:
        return os.sched_getscheduler(pid) == os.SCHED_BATCH
    except (AttributeError, OSError):  # not on Linux, or not allowed here
        return False


@contextmanager
def own_stack(
    kind: str, bus_program: Program, store_program: Program, directory: Path, supervisor: Supervisor
) -> Iterator[Stack]:
    """Both servers started and the bucket prepared; they end with the block, the store first.

    The store is in the background, whatever is measured: on the cores that it shares it would interrupt every tenth
    read of a consumer. Internal latencies have shorter tails so, and as much can be drained. That the store's timers
    may be 1 ms late helps further; later ones would lengthen the tail of what is stored.

    Args:
        kind: `Stack.kind`.
        bus_program: The bus.
        store_program: The store.
        directory: Data and logs go below it; afterwards the logs remain.
        supervisor: Starts the two servers.

    Raises:
        StackError: one of them did not start.
    """
    from sentinel import bus, store

    def identify(port: int) -> Server:
        return store.identify(store_on(port, store_program.token))

    with (
        running(bus_program, directory, supervisor, lambda port: bus.server_version(bus_on(port))) as (redis, version),
        running(replace(store_program, background=True), directory, supervisor, identify) as (influx, server),
    ):
        settings = store_on(influx.port, store_program.token)
        if settings.token:
            store.setup(settings, "sentinel", settings.token)
        store.prepare(settings, server)
        servers = redis.child, influx.child
        pids = dict(zip(("bus", "store"), (server.pid for server in servers), strict=True))
        background = _in_background(influx.child.pid)
        versions = version, str(server), server.write_path
        yield Stack(kind, bus_on(redis.port), settings, *versions, pids, servers, background)


@contextmanager
def running(
    program: Program,
    directory: Path,
    supervisor: Supervisor,
    ask: Callable[[int], Answer],
    ports: Callable[[int], Sequence[int]] = free_ports,
) -> Iterator[tuple[Running, Answer]]:
    """A started program and what it answered; ended and its data deleted with the block.

    Args:
        program: What is started.
        directory: Of its data and its log.
        supervisor: Starts it.
        ask: Asks the server on a port; raises BusError or StoreError while it does not answer.
        ports: Chooses so many free ports.

    Raises:
        StackError: it could not be started, ended early or did not answer in time.
    """
    _data(program, directory).mkdir(parents=True, exist_ok=True)
    try:
        child, port, answer = _launch(program, directory, supervisor, ask, ports)
        try:
            yield Running(child, port), answer
        finally:
            child.stop(STOP_GRACE)
    finally:
        shutil.rmtree(_data(program, directory), ignore_errors=True)


def _data(program: Program, directory: Path) -> Path:
    return directory / f"{program.name}-data"


def _launch(
    program: Program,
    directory: Path,
    supervisor: Supervisor,
    ask: Callable[[int], Answer],
    ports: Callable[[int], Sequence[int]],
) -> tuple[Child, int, Answer]:
    log = directory / f"{program.name}.log"
    for _ in range(_ATTEMPTS):
        chosen = ports(program.ports)
        command = program.command(_data(program, directory), chosen)
        child = supervisor.start(program.name, command, log=log, env=program.env, background=program.background)
        try:
            await_log(child, program.listening)
            return child, chosen[0], _await_answer(child, ask, chosen[0])
        except BaseException as error:
            child.stop()
            if not (isinstance(error, StackError) and _PORT_TAKEN in child.tail(1000).lower()):
                raise
    raise StackError(f"{program.name}: others took {_ATTEMPTS} free ports in a row: try again; its log is {log}")


def await_log(child: Child, text: str, within: float = READY_WITHIN) -> None:
    """Wait until a child says something.

    Args:
        child: Whose log is read.
        text: What must stand in it.
        within: Seconds.

    Raises:
        StackError: it ended, or the time passed.
    """
    end = time.monotonic() + within
    while text not in child.tail(1000):
        _check(child, end, f"its log has no {text!r}")
        time.sleep(0.02)


def _await_answer(child: Child, ask: Callable[[int], Answer], port: int) -> Answer:
    end = time.monotonic() + READY_WITHIN
    while True:
        try:
            return ask(port)
        except (BusError, StoreError) as error:
            _check(child, end, str(error))
        time.sleep(0.02)


def _check(child: Child, end: float, trouble: str) -> None:
    code = child.poll()
    if code is None and time.monotonic() < end:
        return
    what = "is not ready in time" if code is None else f"ended with exit code {code}"
    raise StackError(f"{child.name} {what} ({trouble}); the end of its log, {child.log}:\n{child.tail()}")
