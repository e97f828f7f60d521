"""The stack in containers: `redis` and `influxdb` of docker-compose.yml, as a project of its own.

The compose file is asked, through `REDIS_PORT`, `INFLUX_PORT`, `INFLUX_TOKEN`, `INFLUX_ORG` and `INFLUX_BUCKET`, for
free loopback ports, a new token and the lab's bucket, so that it does not meet a stack that is already up.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import StackError
from sentinel.lab.stack.compose import UP
from sentinel.lab.stack.servers import LAB_BUCKET, Stack, await_log, stack_behind, store_on
from sentinel.settings import BusSettings, StoreSettings, child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.warden import Warden

FILE = "docker-compose.yml"
ENGINE_WITHIN = 3.0
"""Seconds in which the engine must answer."""
UP_WITHIN = 600.0
"""Seconds until the services are healthy; the first time images are fetched."""
DOWN_GRACE = 60.0
"""Seconds that taking the project down may take."""


def missing(folder: Path | None = None) -> str:
    """What is lacking and what to do, or ""."""
    file = (folder or Path()).absolute() / FILE
    if not file.exists():
        return f"there is no {FILE} in {file.parent} (start from the project's folder)"
    if not _says(["docker", "info", "--format", "{{.ServerVersion}}"]):
        return "the Docker engine does not answer to `docker info` (install it, or start it)"
    if not _says(["docker", "compose", "version"]):
        return "`docker compose` does not work (install the compose plugin)"
    return ""


def _says(command: list[str]) -> str:
    """What a command printed in time; empty if it failed or took longer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ENGINE_WITHIN)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def stack(directory: Path, warden: Warden) -> Iterator[Stack]:
    """The containers, ours until the block ends. Raises StackError, BusError or StoreError."""
    project, file = f"sentinel-lab-{secrets.token_hex(4)}", str(Path(FILE).absolute())
    store = StoreSettings(token=secrets.token_hex(16), bucket=LAB_BUCKET)
    env = child_environment(
        REDIS_PORT="0", INFLUX_PORT="0", INFLUX_TOKEN=store.token, INFLUX_ORG=store.org, INFLUX_BUCKET=store.bucket
    )
    command = [sys.executable, "-m", "sentinel.lab.stack.compose", project, file, "redis", "influxdb"]
    child = warden.start("docker compose", command, log=directory / "docker.log", env=env)
    try:
        await_log(child, UP, UP_WITHIN)
        compose = ["docker", "compose", "-p", project, "-f", file]
        bus = BusSettings(url=f"redis://127.0.0.1:{_port([*compose, 'port', 'redis', '6379'])}/0")
        yield stack_behind("docker", bus, store_on(_port([*compose, "port", "influxdb", "8086"]), store.token))
    finally:
        child.stop(DOWN_GRACE)


def _port(command: list[str]) -> int:
    """The host's port from an answer such as `127.0.0.1:49153`."""
    port = _says(command).rpartition(":")[2]
    if not port.isdigit() or port == "0":
        raise StackError(f"`{' '.join(command)}` names no port: {FILE} must publish it on 127.0.0.1")
    return int(port)
