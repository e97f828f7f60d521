"""One compose project on the engine that answers: its own name, ports and passwords, taken down whatever happens."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from support.servers import wait_until

from sentinel import store
from sentinel.errors import SentinelError
from sentinel.lab.stack.compose import program
from sentinel.lab.stack.servers import free_ports
from sentinel.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
SECRETS = ("REDIS_PASSWORD", "INFLUX_PASSWORD", "INFLUX_TOKEN", "LAB_TOKEN")
OTHERS = ("REDIS_URL", "INFLUX_URL", "INFLUX_ORG", "INFLUX_BUCKET", "TRANSPORT", "RESTART")
"""Variables of the caller that would lead the project elsewhere."""
LOAD = "host = ''"
"""Tells points of the load generator, which have no host, from the agent's."""


def run(*command: str, env: dict[str, str] | None = None, timeout: float = 240.0) -> str:
    """What a command printed; it must succeed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def numbers(line: str) -> dict[str, int]:
    """The counts of a ledger's line."""
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)(?= |$)", line)}


class Project:
    """Starts, asks and takes down; a `with` block."""

    def __init__(self, **settings: str) -> None:
        self.name = f"sentinel-test-{secrets.token_hex(4)}"
        self.host = f"host-of-{self.name}"
        redis, influxdb, lab = map(str, free_ports(3))
        self.secrets = {name: secrets.token_hex(24) for name in SECRETS}
        ports = {"REDIS_PORT": redis, "INFLUX_PORT": influxdb, "LAB_PORT": lab}
        own = {**self.secrets, **ports, "AGENT_HOST": self.host, "COMPOSE_PROJECT_NAME": self.name}
        self.env = {k: v for k, v in os.environ.items() if k not in OTHERS} | own | settings
        self.lab_url = f"http://127.0.0.1:{lab}"
        self.store = StoreSettings(url=f"http://127.0.0.1:{influxdb}", token=self.secrets["INFLUX_TOKEN"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        env = self.env | {"COMPOSE_PROFILES": "load,lab"}
        down = [*program(), "down", "--volumes", "--remove-orphans", "--timeout", "5"]
        subprocess.run(down, cwd=ROOT, env=env, capture_output=True, timeout=120, check=False)

    def compose(self, *words: str, timeout: float = 240.0) -> str:
        """A compose command."""
        return run(*program(), *words, env=self.env, timeout=timeout)

    def up(self, *words: str) -> None:
        """Start, and wait until all of it is healthy."""
        self.compose("up", "-d", *words)
        wait_until("all are healthy", lambda: set(self.health().values()) == {"healthy"}, 90.0)

    def containers(self, service: str = "") -> list[str]:
        """Ids, of one service or of all, running or not."""
        return self.compose("ps", "-a", "-q", *([service] if service else [])).split()

    def inspect(self, shown: str, service: str = "") -> list[str]:
        """A field of each container."""
        return run("docker", "inspect", "--format", shown, *self.containers(service)).splitlines()

    def health(self) -> dict[str, str]:
        """Health by container."""
        return dict(line[1:].split() for line in self.inspect("{{.Name}} {{.State.Health.Status}}"))

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of an InfluxQL query; none while the store is away."""
        connection = store.StoreClient(self.store)
        try:
            return [dict(zip(s["columns"], row, strict=True)) for s in connection.query(query) for row in s["values"]]
        except SentinelError:
            return []
        finally:
            connection.close()

    def asked(self, method: str, path: str, query: dict[str, str], flux: str = "", *, as_json: bool = False) -> Any:
        """What InfluxDB 2 answers, in its own words or taken apart; `flux` goes as a query in its language."""
        headers = {"Authorization": f"Token {self.store.token}", "Content-Type": "application/vnd.flux"}
        url = f"{self.store.url}{path}?{urlencode(query)}"
        with urlopen(Request(url, flux.encode() or None, headers, method=method), timeout=30) as answer:
            text = answer.read().decode()
        return json.loads(text) if as_json else text

    def stored(self, where: str = LOAD) -> int:
        """How many points there are."""
        rows = self.rows(f"SELECT count(cpu) FROM system_stats WHERE {where}")
        return int(rows[0]["count"]) if rows else 0

    def ledgers(self, service: str = "consumer") -> list[dict[str, int]]:
        """The last account that each container of a service has given."""
        collected = []
        for container in self.containers(service):
            lines = run("docker", "logs", container).splitlines()
            collected.append(numbers([line for line in lines if line.startswith("consumer ")][-1]))
        return collected

    def exit_codes(self, service: str = "consumer") -> set[str]:
        """How its containers ended."""
        return set(self.inspect("{{.State.ExitCode}}", service))

    @contextmanager
    def loading(self, seconds: float, rate: int = 10_000) -> Iterator[Callable[[], dict[str, int]]]:
        """A load that plays meanwhile; what is yielded waits for its end and returns its account."""
        before = self.stored()
        options = ["--rate", str(rate), "--duration", f"{seconds}s", "--workers", "128"]
        transport = ["--transport", self.env.get("TRANSPORT", "stream")]
        command = [*program(), "run", "--rm", "-T", "--no-deps", "load", "load", *options, *transport]
        with subprocess.Popen(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
        ) as load:
            try:
                wait_until("the load is being stored", lambda: self.stored() > before, 30.0)
                yield lambda: numbers(load.communicate(timeout=seconds + 60.0)[0].strip().splitlines()[-1])
            finally:
                load.terminate()

    def settles_at(self, count: int, seconds: float = 75.0) -> int:
        """The number of stored points of the load, once it is `count` or the time is up, and then for a second more.

        The time covers messages that a consumer left for ever: another takes them over after 30 s, looking each 10 s.
        """
        end = time.monotonic() + seconds
        while self.stored() != count and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(1.0)
        return self.stored()
