"""One compose project, up for as long as this process: `python -m sentinel.lab.stack.compose PROJECT FILE SERVICE...`.

It runs under the supervisor, which sends SIGTERM when the lab is gone. Then it takes the project down with its volumes,
by a command in a session of its own, which finishes even if the supervisor has no patience left for this process.
Compose v2 (`docker compose`) and docker-compose 1.29 both do: health is asked of the engine, not of `up --wait`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UP = "the compose project is up"
"""What it prints once every service is healthy."""
ANSWERS_WITHIN = 3.0
"""Seconds in which the engine must answer a question."""
_LOOK = 0.5
"""Seconds between looks at the health."""


def says(command: list[str], within: float = ANSWERS_WITHIN, env: Mapping[str, str] | None = None) -> str:
    """What a command printed to stdout.

    Args:
        command: The program and its arguments.
        within: Seconds that it may take.
        env: Its environment; None for this process's.

    Returns:
        Text without blanks at its ends; empty where the command failed, was not there or took longer.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=within, env=env
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def program() -> list[str]:
    """How compose is called here.

    Returns:
        The beginning of a command line: the plugin's, or the older program's; [] where neither works.
    """
    ways = (["docker", "compose"], ["docker-compose"])
    return next((way for way in ways if says([*way, "version"])), [])


def main(project: str, file: str, *services: str) -> int:
    """Take the project up, wait for SIGTERM, and take it down again.

    Args:
        project: The project's name, for `-p`.
        file: The compose file.
        *services: Services to start, by their names in that file.

    Returns:
        The exit code: that of `up`, 1 where a service does not become healthy, or 0.
    """
    compose = [*program(), "-p", project, "-f", file]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if code := subprocess.run([*compose, "up", "-d", *services], check=False).returncode:
            return code
        if sick := _await_health(compose, services):
            subprocess.run([*compose, "logs", "--tail", "20"], check=False)
            print(f"not healthy: {sick}", flush=True)
            return 1
        print(UP, flush=True)
        while True:
            signal.pause()
    finally:
        signal.signal(signal.SIGTERM, lambda *_: None)
        subprocess.run([*compose, "down", "-v", "-t", "2"], check=False, start_new_session=True)


def _await_health(compose: list[str], services: tuple[str, ...]) -> str:
    """Returns "" once all are healthy; else the first that the engine gave up, or that ended."""
    for service in services:
        while (state := _state(compose, service)) in ("starting", ""):
            time.sleep(_LOOK)
        if state != "healthy":
            return f"{service} is {state}"
    return ""


def _state(compose: list[str], service: str) -> str:
    """`starting`, `healthy`, `unhealthy`; `exited` or the like once it no longer runs; "" if the engine is silent."""
    shown = "{{if .State.Running}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}"
    container = says([*compose, "ps", "-a", "-q", service], within=20.0)
    return says(["docker", "inspect", "--format", shown, container]) if container else ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
