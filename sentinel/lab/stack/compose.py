"""One compose project, up for as long as this process: `python -m sentinel.lab.stack.compose PROJECT FILE SERVICE...`.

It runs under the warden, which sends SIGTERM when the lab is gone. Then it takes the project down with its volumes,
by a command in a session of its own, which finishes even if the warden has no patience left for this process.
"""

from __future__ import annotations

import signal
import subprocess
import sys

UP = "the compose project is up"
"""What it prints once every service is healthy."""


def main(project: str, file: str, *services: str) -> int:
    """Up, wait for SIGTERM, down; the exit code is that of `up`, or of `down`."""
    compose = ["docker", "compose", "-p", project, "-f", file]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if code := subprocess.run([*compose, "up", "-d", "--wait", *services], check=False).returncode:
            return code
        print(UP, flush=True)
        while True:
            signal.pause()
    finally:
        signal.signal(signal.SIGTERM, lambda *_: None)
        subprocess.run([*compose, "down", "-v", "-t", "2"], check=False, start_new_session=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
