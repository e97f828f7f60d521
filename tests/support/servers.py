"""What the tests talk to: lanes on real servers, servers that come back, consumer processes, and a scripted store.

Every process is started through a supervisor, which ends it whatever happens to the test.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import redis

from sentinel import store
from sentinel.bus import open_publisher, server_version
from sentinel.consumer import consumer as consumer_module
from sentinel.consumer.configurations import parse
from sentinel.consumer.consumer import Consumer
from sentinel.environment import stack_environment
from sentinel.errors import SentinelError
from sentinel.lab.stack import native, servers
from sentinel.load.processes import run_load
from sentinel.model.ledger import ConsumerLedger, ConsumerReport
from sentinel.runtime.record import LEDGER, READY
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings, StoreSettings

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.load.report import LoadReport
    from sentinel.runtime.stop import StopSignal

Quick = Mapping[str, Any]
QUICK: Quick = {"idle": 0.15, "flush_interval": 0.1}
"""Settings of a consumer that has nobody to wait for."""
START = 40.0
"""Seconds that a process may take until it is ready: on a busy machine imports alone can take ten."""


def wait_until(what: str, condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Return once `condition` holds; fail with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


class SteppedClock:
    """In place of a module's `time`: its wall clock steps by `seconds`, all else is the real one."""

    seconds = 0.0

    def time_ns(self) -> int:
        """As the module's."""
        return time.time_ns() + int(self.seconds * 1e9)

    def time(self) -> float:
        """As the module's."""
        return time.time() + self.seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


# Lanes ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lane:
    """A test's own key on a bus, and its own `run` tag in a store."""

    bus: BusSettings
    store: StoreSettings
    run: str

    @classmethod
    def on(cls, bus: BusSettings, store: StoreSettings) -> Self:
        """A new one."""
        name = uuid.uuid4().hex
        return cls(bus.keyed(f"test:{name}"), store, name)

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        """A plain client."""
        with redis.Redis.from_url(self.bus.url) as client:
            yield client

    def publish(self, payloads: Sequence[bytes], transport: str = "stream") -> int:
        """Payloads onto the bus, one message each; returns receivers or entries."""
        publisher = open_publisher(self.bus, transport)
        try:
            return publisher.publish(payloads)
        finally:
            publisher.close()

    def stored(self) -> int:
        """The store's own count of this lane's points; 0 while it does not answer."""
        with suppress(SentinelError):
            return store.count(self.store, store.identify(self.store), self.run)
        return 0

    def rows(self, run: str | None = None) -> list[dict[str, Any]]:
        """The points of this lane (or of another `run`) by time; without `run` and without what is not there."""
        connection = store.StoreClient(self.store)
        try:
            series = connection.query(f"SELECT * FROM system_stats WHERE run = '{run or self.run}'")
        finally:
            connection.close()
        rows = [dict(zip(s["columns"], values, strict=True)) for s in series for values in s["values"]]
        known = [{k: v for k, v in row.items() if v is not None and k != "run"} for row in rows]
        return sorted(known, key=lambda row: (row["time"], row.get("host", "")))

    def dead_letters(self) -> list[tuple[bytes, str, str]]:
        """Payload, reason and detail of each rejected message, oldest first."""
        with self.redis() as client:
            entries = client.xrange(self.bus.dead_letters)
        return [(e[b"payload"], e[b"reason"].decode(), e[b"detail"].decode()) for _, e in entries]


@contextmanager
def consuming(lane: Lane, configuration: str = "optimised", **settings: Any) -> Iterator[tuple[Consumer, Future[None]]]:
    """A consumer that runs in a thread and is closed, at the latest, with the block."""
    options = ConsumerSettings(**{**QUICK, "run": lane.run, "name": "c1", **settings})
    consumer = Consumer(parse(configuration), options, lane.bus, lane.store)
    # A read that waits for less lets a consumer see sooner that the bus is empty.
    with patch.object(consumer_module, "LONGEST_WAIT", 0.05), ThreadPoolExecutor(1) as pool:
        running = pool.submit(consumer.run)
        try:
            yield consumer, running
        finally:
            if not running.done():
                consumer.stop.request(0.0)
                running.result(30)
                consumer.close()


def finish(consumer: Consumer, running: Future[None], seconds: float = 30.0) -> ConsumerReport:
    """Let a consumer end once the bus is empty."""
    consumer.until_empty = True
    running.result(seconds)
    return consumer.close()


def consume(lane: Lane, configuration: str = "optimised", **settings: Any) -> ConsumerReport:
    """Consume until the bus is empty."""
    with consuming(lane, configuration, **settings) as (consumer, running):
        return finish(consumer, running)


@contextmanager
def loading(lane: Lane, stop: StopSignal | None = None, **settings: Any) -> Iterator[Future[LoadReport]]:
    """A load that plays in a thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run_load, LoadSettings(**settings), lane.bus, stop=stop)


class ConsumerProcess:
    """`sentinel consume` as a process, ready when constructed."""

    launcher: Sequence[str] = ()
    """What starts it, where that is not this process."""

    def __init__(self, supervisor: Supervisor, lane: Lane, folder: Path, *options: str, **named: str) -> None:
        self.folder = folder
        words = {"configuration": "optimised", "name": "c1", "run": lane.run, "key": lane.bus.stream, "health": "off"}
        words |= named
        pairs = [part for name, value in words.items() for part in (f"--{name.replace('_', '-')}", value)]
        command = [
            *self.launcher,
            sys.executable,
            "-m",
            "sentinel",
            "consume",
            *pairs,
            "--record",
            str(folder),
            *options,
        ]
        env = stack_environment(lane.bus, lane.store)
        self.child: Child = supervisor.start("consumer", command, log=folder / "log", env=env)
        wait_until("the consumer is ready", lambda: self.child.poll() is not None or (folder / READY).exists(), START)

    def ends(self, seconds: float = 20.0) -> int:
        """Its exit code."""
        return self.child.wait(seconds)

    @property
    def log(self) -> str:
        """All that it printed."""
        return (self.folder / "log").read_text()

    @property
    def ledger(self) -> ConsumerLedger:
        """Its account, once it has ended."""
        return ConsumerLedger(**json.loads((self.folder / LEDGER).read_text())["ledger"])


# Servers that come back ----------------------------------------------------------------------------------------------


def port_for_good() -> int:
    """A port that stays free while its server is away.

    Below the range that outgoing connections take theirs from: a client that tries such a port while nobody listens
    can be given that very port, and then speaks to itself.
    """
    for port in range(20_000 + int(uuid.uuid4()) % 10_000, 32_000):
        with socket.socket() as attempt, suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@dataclass
class Restartable:
    """A server of a test's own that can be ended and started again, on the same port and data."""

    supervisor: Supervisor
    program: servers.Program
    folder: Path
    ask: Callable[[int], object]
    more: Sequence[str] = ()
    """Further words of its command."""
    child: Child | None = None
    ports: list[int] = field(default_factory=list)

    def start(self) -> Self:
        """Start it and wait until it answers."""
        data = self.folder / self.program.name
        data.mkdir(parents=True, exist_ok=True)
        self.ports = self.ports or [port_for_good() for _ in range(self.program.ports)]
        command = [*self.program.command(data, self.ports), *self.more]
        log = self.folder / f"{self.program.name}.log"
        self.child = self.supervisor.start(self.program.name, command, log=log, env=self.program.env)
        wait_until(f"{self.program.name} answers", self._answers, START)
        return self

    def _answers(self) -> bool:
        with suppress(SentinelError):
            self.ask(self.ports[0])
            return True
        assert self.child is not None
        assert self.child.poll() is None, self.child.tail()
        return False

    def end(self, signum: int) -> None:
        """End it and wait until it is gone."""
        assert self.child is not None
        self.child.signal(signum)
        self.child.wait(10)


def durable_bus(
    supervisor: Supervisor, folder: Path, program: Path, more: Sequence[str] = ()
) -> tuple[Restartable, BusSettings]:
    """A started Redis or Valkey that keeps what it was given."""
    server = Restartable(
        supervisor,
        native.redis_program(program),
        folder,
        lambda port: server_version(servers.bus_on(port)),
        more=("--appendonly", "yes", "--appendfsync", "always", *more),  # answered is kept, whoever is killed
    ).start()
    return server, servers.bus_on(server.ports[0])


def durable_store(supervisor: Supervisor, folder: Path, program: servers.Program) -> tuple[Restartable, StoreSettings]:
    """A started store with the lab's bucket."""
    server = Restartable(
        supervisor, program, folder, lambda port: store.identify(servers.store_on(port, program.token))
    ).start()
    settings = servers.store_on(server.ports[0], program.token)
    if settings.token:
        store.setup(settings, "sentinel", settings.token)
    store.prepare(settings, store.identify(settings))
    return server, settings


def victoria_metrics(supervisor: Supervisor, folder: Path, *flags: str) -> StoreSettings:
    """A started VictoriaMetrics with these flags."""

    def command(data: Path, ports: Sequence[int]) -> list[str]:
        own = ["-storageDataPath", str(data), "-httpListenAddr", f"127.0.0.1:{ports[0]}"]
        return ["victoria-metrics", *own, "-retentionPeriod=1d", "-search.latencyOffset=0s", *flags]

    program = servers.Program("victoria-metrics", command, listening="")
    server = Restartable(supervisor, program, folder, lambda port: store.identify(servers.store_on(port))).start()
    return servers.store_on(server.ports[0])


def embedded_store_program() -> servers.Program:
    """The lab's own store."""

    def command(data: Path, ports: Sequence[int]) -> list[str]:
        return [sys.executable, "-m", "sentinel.lab.stack.embedded_store", "--data", str(data), "--port", str(ports[0])]

    return servers.Program("store", command, listening="listening on")


# A store that answers as it is told ----------------------------------------------------------------------------------


class Asked(NamedTuple):
    """One request, as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to say to it."""

    status: int = 204
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


PING_OF_2 = Answer(headers={"X-Influxdb-Version": "v2.7.12", "X-Influxdb-Build": "OSS"})
NOTHING = b"# sentinel\n"
"""What `store.verify` writes."""


class ScriptedStore:
    """A real HTTP server in place of what a store does that we cannot provoke; an InfluxDB 2 unless told otherwise."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {"/ping": PING_OF_2}
        """By path."""
        self.on_write: Callable[[Asked], Answer] = lambda _: Answer()
        """What to say to a write of points."""
        self.writes: list[tuple[float, Asked, Answer]] = []
        """Writes of points so far, with the time (monotonic) and the answer."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.settings = StoreSettings(
            url=f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}",
            token="t0k3n",
            org="our org",
            bucket="lab",
            timeout=5.0,
        )

    def answer(self, asked: Asked) -> Answer:
        """What is said to one request."""
        if asked.path in self.answers:
            return self.answers[asked.path]
        if not asked.path.endswith("/write"):
            return Answer(404, b"404 page not found")
        if asked.body == NOTHING:
            return Answer()
        given = self.on_write(asked)
        with self._lock:
            self.writes.append((time.monotonic(), asked, given))
        return given

    def lines(self) -> set[bytes]:
        """The points that were taken."""
        with self._lock:
            return {line for _, asked, given in self.writes if given.status == 204 for line in asked.body.split(b"\n")}

    def lane(self, bus: BusSettings) -> Lane:
        """A lane into this store."""
        return Lane.on(bus, self.settings)

    def close(self) -> None:
        """End the server; its clients must be closed before."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def first(*answers: Answer) -> Callable[[Asked], Answer]:
    """These answers one after the other, then 204."""
    left = iter(answers)
    return lambda _: next(left, Answer())


def _handler(store: ScriptedStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20.0
        wbufsize = -1  # head and body leave together

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            given = store.answer(Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = _reply  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
