"""Stacks of real servers start, answer and are gone afterwards; ports that others took are no obstacle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
import redis

from sentinel import bus, store
from sentinel.environment import LabSettings
from sentinel.errors import BusError, StackError
from sentinel.lab import stack
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import compose, docker, embedded, native, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A supervisor of this test's own."""
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(params=["embedded", "native"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind that starts servers; native is skipped without servers, but not where they are demanded."""
    if request.param == "native":
        need_native()
    return str(request.param)


def need_native() -> None:
    """Skip without the real servers, or fail where `SENTINEL_REAL_SERVERS` demands them."""
    if lack := native.missing():
        (pytest.fail if os.environ.get(LabSettings.STRICT) else pytest.skip)(lack)


def is_running(pid: int) -> bool:
    """Zombies have ended; whether anyone reaps them is up to this machine's init."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def becomes(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether `condition` holds within `seconds`."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def write_program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def assert_gone(started: stack.Stack, folder: Path) -> None:
    """No process, no answer and no data is left, but the logs are."""
    assert len(started.pids) == 2
    assert not any(map(is_running, started.pids.values()))
    with pytest.raises(BusError):
        bus.server_version(started.bus)
    assert not [path.name for path in folder.iterdir() if path.suffix != ".log"]
    assert len(list(folder.glob("*.log"))) == 2


def test_a_stack_answers_and_is_gone_afterwards(kind: str, supervisor: Supervisor, tmp_path: Path) -> None:
    """Both servers answer, the lab's bucket takes a point, and nothing but logs remains."""
    with stack.start(kind, tmp_path, supervisor) as started:
        assert started.kind == kind
        assert started.reason == ""
        assert started.bus_version == bus.server_version(started.bus)
        server = store.identify(started.store)
        assert (started.store_version, started.write_path) == (str(server), server.write_path)
        assert started.store.bucket == "sentinel_lab"
        assert started.label == f"{kind} stack: {started.description}."
        assert started.description.startswith(
            f"{started.bus_version} and {server}, points posted to {server.write_path}"
        )
        store.verify(started.store, server)
        assert all(map(is_running, started.pids.values()))
    assert_gone(started, tmp_path)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")
def test_the_store_and_nothing_else_runs_in_the_background(kind: str, supervisor: Supervisor, tmp_path: Path) -> None:
    """The store, with all its threads, is scheduled as SCHED_BATCH, the bus as usual; and the stack says so."""
    with stack.start(kind, tmp_path, supervisor) as started:
        threads = psutil.Process(started.pids["store"]).threads()
        assert {os.SCHED_BATCH} == {os.sched_getscheduler(thread.id) for thread in threads}
        assert os.sched_getscheduler(started.pids["bus"]) == os.SCHED_OTHER
        assert "the store scheduled in the background (SCHED_BATCH, timer slack 1 ms)" in started.label


def test_a_stack_is_gone_after_an_error_in_the_block(kind: str, supervisor: Supervisor, tmp_path: Path) -> None:
    """An exception in the block passes through, and the servers end all the same."""
    with pytest.raises(ZeroDivisionError), stack.start(kind, tmp_path, supervisor) as started:
        _ = 1 / 0
    assert_gone(started, tmp_path)


def test_a_stack_is_gone_after_its_lab_was_killed(kind: str, tmp_path: Path) -> None:
    """SIGKILL to the lab leaves no server behind."""
    code = (
        "import time, sys, pathlib; from sentinel.lab import stack\n"
        "from sentinel.lab.process.supervisor import Supervisor\n"
        f"with Supervisor() as supervisor, stack.start({kind!r}, pathlib.Path({str(tmp_path)!r}), supervisor) as"
        " started:\n"
        "    print(*started.pids.values(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as lab:
        assert lab.stdout is not None
        pids = [int(pid) for pid in lab.stdout.readline().split()]
        assert len(pids) == 2
        lab.send_signal(signal.SIGKILL)
    assert becomes(lambda: not any(map(is_running, pids)))


def test_an_external_stack_is_used_and_left_running(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers behind URLs are used as they are, none of them is ours, and they outlive the block."""
    with stack.start("embedded", tmp_path, supervisor) as ours:
        monkeypatch.setenv("REDIS_URL", ours.bus.url)
        monkeypatch.setenv("INFLUX_URL", ours.store.url)
        with stack.start("auto", tmp_path / "none", supervisor) as theirs:
            assert (theirs.kind, theirs.reason) == ("external", "external: available")
            assert (theirs.bus, theirs.store, theirs.pids) == (ours.bus, ours.store, {})
        assert bus.server_version(ours.bus) == ours.bus_version
        store.identify(ours.store)


def test_a_server_that_ends_early_shows_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    """A server that does not come up is an error with its exit code, the end of its output and where its log is."""
    program = servers.Program("bus", lambda _data, _ports: ["sh", "-c", "echo out of luck; exit 3"], listening="ready")
    with pytest.raises(StackError) as caught, servers.running(program, tmp_path, supervisor, str):
        pass
    message = (
        f"bus ended with exit code 3 (its log has no 'ready'); the end of its log, {tmp_path}/bus.log:\nout of luck"
    )
    assert str(caught.value) == message
    assert [path.name for path in tmp_path.iterdir()] == ["bus.log"]


def test_a_server_that_never_answers_is_given_up(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that listens and never answers is stopped, and the error says what was wrong."""
    monkeypatch.setattr(servers, "READY_WITHIN", 0.2)
    program = servers.Program("bus", lambda _data, _ports: ["sh", "-c", "echo $$ ready; sleep 600"], listening="ready")

    def ask(port: int) -> str:
        raise BusError(f"nobody on {port}")

    with (
        pytest.raises(StackError, match=r"bus is not ready in time \(nobody on 7\)"),
        servers.running(program, tmp_path, supervisor, ask, ports=lambda _count: [7]),
    ):
        pass
    assert not is_running(int((tmp_path / "bus.log").read_text().split()[0]))


# Ports --------------------------------------------------------------------------------------------------------------


def version_on(port: int) -> str:
    """What answers there as a bus."""
    return bus.server_version(servers.bus_on(port))


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_free_ports_differ() -> None:
    """Ports asked for together are different ones."""
    assert len(set(servers.free_ports(20))) == 20


def test_a_taken_port_is_given_up_for_another(taken: int, supervisor: Supervisor, tmp_path: Path) -> None:
    """A bus whose port was taken in the meantime starts on another."""
    (free,) = servers.free_ports(1)
    offers = iter([[taken], [taken], [free]])
    program = native.redis_program(embedded.valkey())
    with servers.running(program, tmp_path, supervisor, version_on, ports=lambda _count: next(offers)) as (
        valkey,
        version,
    ):
        assert valkey.port == free
        assert version.startswith("Valkey ")


@pytest.mark.parametrize("which", [0, 1])
def test_a_taken_port_of_influxd_is_given_up_for_others(
    which: int, taken: int, supervisor: Supervisor, tmp_path: Path
) -> None:
    """InfluxDB 1.x starts although another took its HTTP or its RPC port."""
    need_native()
    influxd = native.find("influxd")
    assert influxd is not None
    first, second = servers.free_ports(2), servers.free_ports(2)
    first[which] = taken
    offers = iter([first, second])
    with servers.running(
        native.influx_program(influxd),
        tmp_path,
        supervisor,
        lambda port: str(store.identify(servers.store_on(port))),
        ports=lambda count: next(offers)[:count],
    ) as (influx, version):
        # 2.x has one port.
        assert influx.port == (first[0] if which and version.startswith("InfluxDB 2") else second[0])
        assert version.startswith("InfluxDB ")


def test_a_stranger_on_the_port_is_not_taken_for_ours(supervisor: Supervisor, tmp_path: Path) -> None:
    """Another Redis that answers on the port is not mistaken for the one that was started."""
    program = native.redis_program(embedded.valkey())
    with servers.running(program, tmp_path / "stranger", supervisor, version_on) as (stranger, _):
        offers = iter([[stranger.port], servers.free_ports(1)])
        with servers.running(program, tmp_path, supervisor, version_on, ports=lambda _count: next(offers)) as (ours, _):
            assert ours.port != stranger.port
            assert is_running(ours.child.pid)


def test_ports_that_are_always_taken_are_an_error(taken: int, supervisor: Supervisor, tmp_path: Path) -> None:
    """After some attempts the collision is reported instead of tried again for ever."""
    program = native.redis_program(embedded.valkey())
    with (
        pytest.raises(
            StackError, match=r"redis: others took 5 free ports in a row: try again; its log is .*redis\.log"
        ),
        servers.running(program, tmp_path, supervisor, version_on, ports=lambda _count: [taken]),
    ):
        pass


# Docker, through a stand-in for its command -------------------------------------------------------------------------


@pytest.fixture(params=["docker compose", "docker-compose"])
def calls(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs on PATH that note how they were called; `port` answers with the files `redis` and `influxdb`.

    Compose is the plugin of `docker`, or the older program of its own.
    """
    note = tmp_path / "calls"
    note.touch()
    script = (
        f"cd {tmp_path}; case \"$*\" in *' port '*) shift $(($# - 2)); cat $1; set -- port $1;; *' down '*) sleep 0.5;;"
        " inspect*) cat health;; *) echo 28;; esac\n"
        'echo "$@" ports $REDIS_PORT $INFLUX_PORT >> calls'
    )
    plugin = "" if request.param == "docker compose" else "[ $1 = compose ] && exit 1\n"
    write_program(tmp_path / "bin" / "docker", plugin + script)
    write_program(tmp_path / "bin" / "docker-compose", script)
    (tmp_path / "health").write_text("healthy\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docker-compose.yml").touch()
    return note


def noted(calls: Path) -> list[str]:
    """What was asked of compose, from the command on; questions left out."""
    lines = [line.split("docker-compose.yml ")[-1] for line in calls.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if not line.startswith(("compose version", "version", "info", "ps", "inspect"))]


def test_a_compose_project_comes_up_on_free_ports_and_goes_down(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The containers come up on free ports, are asked with their password, and go down with their volumes."""
    with Supervisor() as supervisor, stack.start("embedded", tmp_path / "real", supervisor) as real:
        for service, url in (("redis", real.bus.url.removesuffix("/0")), ("influxdb", real.store.url)):
            (tmp_path / service).write_text(url.rpartition("/")[2] + "\n")
        monkeypatch.setattr(docker.secrets, "token_hex", lambda _: "5ec7e7")
        with redis.Redis.from_url(real.bus.url) as client:
            client.config_set("requirepass", "5ec7e7")
        with stack.start("docker", tmp_path / "lab", supervisor) as started:
            assert (started.kind, started.pids) == ("docker", {})
            assert started.bus.url == real.bus.url.replace("//", "//:5ec7e7@")
            assert (started.store.url, started.store.bucket) == (real.store.url, "sentinel_lab")
    assert noted(calls) == [
        "up -d redis influxdb ports 0 0",
        "port redis ports 0 0",
        "port influxdb ports 0 0",
        "down -v -t 2 ports 0 0",
    ]


def test_a_compose_project_that_does_not_become_healthy_is_an_error(calls: Path, tmp_path: Path) -> None:
    """A service that the engine gives up is named, and the project goes down."""
    (tmp_path / "health").write_text("unhealthy\n")
    with (
        Supervisor() as supervisor,
        pytest.raises(StackError, match="not healthy: redis is unhealthy"),
        stack.start("docker", tmp_path / "lab", supervisor),
    ):
        pass
    assert noted(calls)[-1] == "down -v -t 2 ports 0 0"


def test_a_compose_project_goes_down_after_an_impatient_end(calls: Path, tmp_path: Path) -> None:
    """Taking down finishes even if the supervisor ends, after its grace, the process that asked for it."""
    with Supervisor(grace=0.1) as supervisor:
        command = [sys.executable, "-m", compose.__name__, "sentinel-lab-test", "docker-compose.yml", "redis"]
        child = supervisor.start("docker compose", command, log=tmp_path / "docker.log")
        servers.await_log(child, compose.UP)
    assert not is_running(child.pid)
    assert becomes(lambda: " down -v " in calls.read_text(encoding="utf-8"))
