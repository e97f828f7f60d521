"""Real servers for the tests, started once and on free ports; each test has a key and a `run` tag of its own.

A server that is not on PATH is a loud skip, and a failure where `SENTINEL_REAL_SERVERS` is set, as CI does.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import hypothesis
import pytest
from support.commandline import NOWHERE, Result
from support.servers import Lane, ScriptedStore, victoria_metrics

from sentinel import bus, cli
from sentinel.environment import LabSettings
from sentinel.lab import stack
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import native
from sentinel.runtime import signals
from sentinel.store.servers import DEDUPLICATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sentinel.settings import StoreSettings


# Tests that are shared out have the width of somebody's terminal there; tables are as wide as without one.
os.environ.pop("COLUMNS", None)

# The same examples every time, and no example fails because the machine was busy: pytest's own limit is enough.
hypothesis.settings.register_profile("lab", deadline=None, derandomize=True)
hypothesis.settings.load_profile("lab")


LONGEST = tuple(
    f"test_{name}"
    for name in (
        *("executions", "verify", "endings", "contender_trial", "regression_run", "papermill", "faults", "resumed_run"),
        *("jupyterlab", "extensions", "refusals", "pipeline", "generator", "trial", "duet", "live", "sessions"),
        *("repeating", "lookup", "gate", "registry", "contested_run", "vscode", "stacks", "health", "limits", "pyspy"),
        *("stops", "influxdb3", "supervisor", "ablation"),
    )
)
"""Files that take ten seconds and more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: where workers share the files out, none is left alone with one at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def pytest_report_header() -> list[str]:
    """Which real servers the tests will meet."""
    names = ("redis-server", "valkey-server", "influxd", "victoria-metrics")
    path = [f"{name} {shutil.which(name) or 'MISSING'}" for name in names]
    return [f"real servers: {', '.join(path)}"]


def need(lack: str) -> None:
    """Skip if something is lacking; fail where real servers are demanded."""
    if lack:
        (pytest.fail if os.environ.get(LabSettings.STRICT) else pytest.skip)(f"real server missing: {lack}")


@pytest.fixture
def sentinel(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Result]]:
    """Runs a command as the shell would, in this process; puts signals and logging back as they were."""
    handlers = {number: signal.getsignal(number) for number in (*signals.STOP_SIGNALS, signal.SIGUSR1)}
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("influxdb_client").level

    def run(*words: str, **env: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["sentinel", *words])
        for name, value in (NOWHERE | env).items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Result(code, *capfd.readouterr())

    yield run
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    root.handlers[:], root.level = before[0], before[1]
    logging.getLogger("influxdb_client").setLevel(before[2])


@pytest.fixture(scope="session")
def supervisor() -> Iterator[Supervisor]:
    """The supervisor of the servers that all tests share, and of the processes of single tests."""
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(scope="session")
def embedded(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """Valkey and the embedded store."""
    with stack.start("embedded", tmp_path_factory.mktemp("embedded"), supervisor) as started:
        yield started


@pytest.fixture(scope="module")
def own_stack(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """Valkey and an embedded store of one file's own: its trials empty the store."""
    with stack.start("embedded", tmp_path_factory.mktemp("own"), supervisor) as started:
        yield started


@pytest.fixture(scope="session")
def native_stack(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    """Redis and InfluxDB."""
    need(native.missing())
    with stack.start("native", tmp_path_factory.mktemp("native"), supervisor) as started:
        yield started


@pytest.fixture(scope="session")
def victoria(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> StoreSettings:
    """VictoriaMetrics."""
    program = shutil.which("victoria-metrics")
    need("" if program else "victoria-metrics is not on PATH (apt install victoria-metrics)")
    return victoria_metrics(supervisor, tmp_path_factory.mktemp("victoria"), f"-dedup.minScrapeInterval={DEDUPLICATES}")


@pytest.fixture(params=["embedded", "native_stack"])
def real(request: pytest.FixtureRequest) -> stack.Stack:
    """Each stack of real servers in turn."""
    started: stack.Stack = request.getfixturevalue(request.param)
    return started


@pytest.fixture
def lane(real: stack.Stack) -> Iterator[Lane]:
    """This test's own lane, on each stack in turn."""
    yield from _own(Lane.on(real.bus, real.store))


@pytest.fixture
def embedded_lane(embedded: stack.Stack) -> Iterator[Lane]:
    """This test's own lane on the embedded stack."""
    yield from _own(Lane.on(embedded.bus, embedded.store))


@pytest.fixture
def scripted(embedded: stack.Stack) -> Iterator[ScriptedStore]:
    """A store that answers as it is told."""
    store = ScriptedStore()
    yield store
    store.close()


@pytest.fixture
def scripted_lane(scripted: ScriptedStore, embedded: stack.Stack) -> Iterator[Lane]:
    """This test's own lane from a real bus into the scripted store."""
    yield from _own(scripted.lane(embedded.bus))


def _own(lane: Lane) -> Iterator[Lane]:
    yield lane
    bus.remove(lane.bus)
