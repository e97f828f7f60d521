"""The stack in containers: `redis` and `influxdb` of docker-compose.yml, as a project of its own.

The compose file is asked, through the variables that it reads, for free loopback ports, new passwords and the lab's
bucket, so that it neither meets a stack that is already up nor needs its `.env`. `auto` takes this kind only where
nothing has to be fetched first: asked for by name, it fetches its images.
"""

from __future__ import annotations

import re
import secrets
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.environment import child_environment
from sentinel.errors import StackError
from sentinel.lab.stack.compose import UP, program, says
from sentinel.lab.stack.servers import await_log, store_on
from sentinel.lab.stack.stack import LAB_BUCKET, Stack, stack_behind
from sentinel.settings import BusSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sentinel.lab.process.supervisor import Supervisor

FILE = "docker-compose.yml"
SERVICES = ("redis", "influxdb")
UP_WITHIN = 600.0
"""Seconds until the services are healthy; the first time images are fetched."""
DOWN_GRACE = 60.0
"""Seconds that taking the project down may take."""
_IMAGE = re.compile(rf"^ +image: *((?:{'|'.join(SERVICES)}):\S+)", re.MULTILINE)


def missing(folder: Path | None = None) -> str:
    """What the stack lacks here.

    Args:
        folder: Where docker-compose.yml lies; the current folder where it is None.

    Returns:
        What is lacking and what to do, in words; "" where nothing is.
    """
    file = (folder or Path()).absolute() / FILE
    if not file.exists():
        return f"there is no {FILE} in {file.parent} (start from the project's folder)"
    if not says(["docker", "info", "--format", "{{.ServerVersion}}"]):
        return "the Docker engine does not answer to `docker info` (install it, or start it)"
    if not program():
        return "neither `docker compose` nor `docker-compose` works (install the compose plugin)"
    return ""


def not_at_hand(folder: Path | None = None) -> str:
    """What the stack lacks here, images that would have to be fetched first included.

    Args:
        folder: Where docker-compose.yml lies; the current folder where it is None.

    Returns:
        What is lacking and what to do, in words; "" where nothing is.
    """
    if lack := missing(folder):
        return lack
    away = [name for name in images((folder or Path()) / FILE) if not says(["docker", "image", "inspect", name])]
    return f"{' and '.join(away)} would have to be fetched first (STACK=docker does it)" if away else ""


def images(file: Path) -> list[str]:
    """The images of the services that make a stack, such as `redis:7`.

    Args:
        file: A docker-compose.yml.
    """
    return _IMAGE.findall(file.read_text(encoding="utf-8"))


@contextmanager
def stack(directory: Path, supervisor: Supervisor) -> Iterator[Stack]:
    """The containers, ours until the block ends.

    Args:
        directory: Where compose's log goes.
        supervisor: Starts the process that takes the project up and down.

    Raises:
        StackError: docker failed, or a container is not ready in time.
        BusError, StoreError: a server does not answer.
    """
    project, file = f"sentinel-lab-{secrets.token_hex(4)}", str(Path(FILE).absolute())
    store, password = StoreSettings(token=secrets.token_hex(16), bucket=LAB_BUCKET), secrets.token_hex(16)
    env = _environment(store, password)
    command = [sys.executable, "-m", "sentinel.lab.stack.compose", project, file, *SERVICES]
    child = supervisor.start("docker compose", command, log=directory / "docker.log", env=env)
    try:
        await_log(child, UP, UP_WITHIN)
        redis, influxdb = (_port(project, file, *service, env) for service in (("redis", "6379"), ("influxdb", "8086")))
        bus = BusSettings(url=f"redis://:{password}@127.0.0.1:{redis}/0")
        yield replace(stack_behind("docker", bus, store_on(influxdb, store.token)), servers=(child,))
    finally:
        child.stop(DOWN_GRACE)


def _environment(store: StoreSettings, password: str) -> dict[str, str]:
    """Every variable that the compose file demands or that would lead it elsewhere."""
    return child_environment(
        REDIS_PORT="0",
        REDIS_PASSWORD=password,
        INFLUX_PORT="0",
        INFLUX_PASSWORD=password,
        INFLUX_TOKEN=store.token,
        INFLUX_ORG=store.org,
        INFLUX_BUCKET=store.bucket,
        LAB_TOKEN="unused",  # noqa: S106 - of a service that is not started
        AGENT_HOST="unused",
        RESTART="no",  # a machine that went down in mid-run must not bring them back
    )


def _port(project: str, file: str, service: str, inside: str, env: Mapping[str, str]) -> int:
    """The host's port from an answer such as `127.0.0.1:49153`."""
    command = [*program(), "-p", project, "-f", file, "port", service, inside]
    port = says(command, within=20.0, env=env).rpartition(":")[2]
    if not port.isdigit() or port == "0":
        raise StackError(f"`{' '.join(command)}` names no port: {FILE} must publish it on 127.0.0.1")
    return int(port)
