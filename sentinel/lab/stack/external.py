"""The stack that someone else runs: `REDIS_URL`, `INFLUX_URL` (and `INFLUX_TOKEN` and the others of `StoreSettings`).

Nothing is started or ended. The bucket of the real metrics, `sentinel`, is never taken: `sentinel_lab` stands in.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.environment import external_urls
from sentinel.lab.stack.stack import LAB_BUCKET, Stack, stack_behind
from sentinel.settings import BusSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor


def missing(env: Mapping[str, str] | None = None) -> str:
    """What the stack lacks.

    Args:
        env: The environment; None for this process's.

    Returns:
        What is lacking, in words; "" where nothing is.

    Raises:
        SettingsError: only one of the two URLs is set.
    """
    return "" if external_urls(env) else "REDIS_URL and INFLUX_URL are not set"


def ask() -> None:
    """Make sure that both servers answer.

    Raises:
        BusError, StoreError: a server does not answer.
    """
    from sentinel import bus, store

    bus.server_version(BusSettings.from_env())
    store.identify(StoreSettings.from_env())


@contextmanager
def stack(directory: Path, supervisor: Supervisor) -> Iterator[Stack]:
    """The servers behind the URLs.

    Args:
        directory: Not used: nothing is started.
        supervisor: Not used, likewise.

    Raises:
        BusError, StoreError: a server does not answer.
    """
    del directory, supervisor
    yield stack_behind("external", BusSettings.from_env(), lab_store(StoreSettings.from_env()))


def lab_store(settings: StoreSettings) -> StoreSettings:
    """The same store, with a bucket that benchmarks may write to.

    Args:
        settings: The store's; a bucket other than the default one stays.
    """
    return replace(settings, bucket=LAB_BUCKET) if settings.bucket == StoreSettings.bucket else settings
