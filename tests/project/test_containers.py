"""What docker-compose.yml, the Dockerfile and `make env` promise, read as text: no engine is needed.

That it also runs is proven on an engine, by tests/compose.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.lab.stack import docker
from sentinel.settings import ConsumerSettings, parse_duration

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
MEMORY = {"m": 2**20, "g": 2**30}

every_service = pytest.mark.parametrize("name", SERVICES)


def size(text: str) -> int:
    """Bytes of `512m` or `512mb`."""
    return int(text.rstrip("bmg")) * MEMORY[text.rstrip("b")[-1]]


def test_the_services_are_those_of_the_pipeline() -> None:
    """Four run always, the load generator and the lab under profiles of their own."""
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    always = {name: [] for name in ("redis", "influxdb", "agent", "consumer")}
    assert {**always, "load": ["load"], "lab": ["lab"]} == profiles


def test_old_compose_can_read_it() -> None:
    """Nothing at the top that docker-compose 1.29 refuses or Compose v2 warns about."""
    assert {"services", "volumes"} == {key for key in COMPOSE if not key.startswith("x-")}
    assert not [service for service in SERVICES.values() if "deploy" in service]


@every_service
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    """A read-only root, no capability, no way to gain one, limits, an init, no name that forbids a second one."""
    service = SERVICES[name]
    assert (True, True, ["/tmp"]) == (service["init"], service["read_only"], service["tmpfs"])
    assert (["ALL"], ["no-new-privileges:true"]) == (service["cap_drop"], service["security_opt"])
    assert size(service["mem_limit"]) > 0
    assert service["pids_limit"] > 0
    forbidden = {
        "privileged",
        "cap_add",
        "devices",
        "network_mode",
        "pid",
        "ipc",
        "userns_mode",
        "container_name",
        "env_file",
    }
    assert set() == forbidden & set(service)


@every_service
def test_a_service_runs_as_a_user_without_rights(name: str) -> None:
    """By the compose file where the image is public, by the Dockerfile where it is ours."""
    service = SERVICES[name]
    if "build" in service:
        stage = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
        (own,) = [text for text in stage if text.splitlines()[0].endswith(f" AS {service['build']['target']}")]
        user = re.findall(r"^USER (\S+)$", own, re.MULTILINE)[-1]
    else:
        user = service["user"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


@every_service
def test_a_port_is_published_to_this_machine_alone(name: str) -> None:
    """On 127.0.0.1, on a port that the environment may choose."""
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+", port)


@every_service
def test_a_service_says_whether_it_is_healthy(name: str) -> None:
    """Everything has a health check, and waits for what it needs to be healthy."""
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    for condition in SERVICES[name].get("depends_on", {}).values():
        assert {"condition": "service_healthy"} == condition


@every_service
def test_a_service_has_time_to_end(name: str) -> None:
    """The engine kills later than the consumer gives up draining."""
    assert parse_duration(SERVICES[name]["stop_grace_period"]) > ConsumerSettings.deadline


@every_service
def test_no_command_line_holds_a_secret(name: str) -> None:
    """Secrets come by the environment, which only the engine's administrator can read."""
    service = SERVICES[name]
    spoken = str([service.get("command"), service.get("entrypoint"), service["healthcheck"], service.get("build")])
    assert not re.search(r"(?<!\$)\$\{?[A-Z_]*(PASSWORD|TOKEN)", spoken)


@every_service
def test_nothing_of_the_host_can_be_written(name: str) -> None:
    """What is mounted from the host is mounted for reading; data goes to named volumes."""
    for volume in SERVICES[name].get("volumes", []):
        if isinstance(volume, dict):
            assert volume["read_only"]
        else:
            assert volume.split(":")[0] in COMPOSE["volumes"] or volume.endswith(":ro")


def test_secrets_are_demanded_with_a_remedy() -> None:
    """Every password and token without which compose would start is refused, and what to do is said."""
    demanded = set(re.findall(r"\$\{(\w+):\?run make env first\}", TEXT))
    assert {"REDIS_PASSWORD", "INFLUX_PASSWORD", "INFLUX_TOKEN", "LAB_TOKEN", "AGENT_HOST"} == demanded
    used = set(re.findall(r"\$\{(\w*(?:PASSWORD|TOKEN))", TEXT))
    assert set() == used - demanded


def test_public_images_are_pinned() -> None:
    """To a version, never to a moving tag."""
    for name in (
        *docker.images(ROOT / "docker-compose.yml"),
        *re.findall(r"^ARG \w+=(\S+)$", DOCKERFILE, re.MULTILINE),
    ):
        assert re.search(r":\d+\.\d+", name)
    assert [SERVICES[name]["image"] for name in docker.SERVICES] == docker.images(ROOT / "docker-compose.yml")


def test_redis_keeps_what_it_was_given() -> None:
    """Every write goes to a file; when memory is full it refuses instead of forgetting, well below its limit."""
    command = SERVICES["redis"]["command"][-1]
    for line in ("appendonly yes", "maxmemory-policy noeviction", "requirepass $$REDISCLI_AUTH"):
        assert f"\n{line}\n" in command
    (most,) = re.findall(r"^maxmemory (\w+)$", command, re.MULTILINE)
    assert 2 * size(most) < size(SERVICES["redis"]["mem_limit"])


def test_the_set_up_of_influxdb_finds_its_script() -> None:
    """The image runs executable `*.sh` of one folder; one that has lost its mode would be passed over in silence."""
    (mount,) = [v for v in SERVICES["influxdb"]["volumes"] if "initdb" in v]
    assert mount == "./docker/influxdb:/docker-entrypoint-initdb.d:ro"
    scripts = list((ROOT / "docker" / "influxdb").glob("*.sh"))
    assert ["provision.sh"] == [script.name for script in scripts]
    assert all(os.access(script, os.X_OK) for script in scripts)
    assert "--force yes --quiet" in scripts[0].read_text()


@pytest.mark.parametrize(
    ("bucket", "calls"),
    [
        (
            "sentinel",
            ["bucket create --org o --name sentinel_lab", "apply --org o --file {}/dashboard.yml --force yes --quiet"],
        ),
        ("sentinel_lab", ["apply --org o --file {}/dashboard.yml --force yes --quiet"]),
    ],
)
def test_the_set_up_makes_the_labs_bucket_once(bucket: str, calls: list[str], tmp_path: Path) -> None:
    """Beside the bucket of real metrics, and not where it is the bucket that the image makes itself."""
    (tmp_path / "influx").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    (tmp_path / "influx").chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DOCKER_INFLUXDB_INIT_BUCKET": bucket,
        "DOCKER_INFLUXDB_INIT_ORG": "o",
    }
    subprocess.run([ROOT / "docker/influxdb/provision.sh"], env=env, check=True, timeout=20)
    assert [call.format(ROOT / "docker/influxdb") for call in calls] == (tmp_path / "calls").read_text().splitlines()


def test_nothing_private_gets_into_an_image() -> None:
    """All is shut out but what is named, and nothing that is named holds secrets, history or measurements."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert "*" == lines[0]
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert {"LICENSE", "README.md", "constraints.txt", "notebooks", "pyproject.toml", "sentinel"} == let_in


def make_env(folder: Path) -> str:
    """What `make env` says in a folder."""
    done = subprocess.run(
        ["sh", ROOT / "docker/make-env"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
        timeout=20,
    )
    return done.stdout


def test_make_env_writes_new_secrets_for_this_user_alone(tmp_path: Path) -> None:
    """Every variable that compose demands, random each time, readable by the owner only, and shown to nobody."""
    folders = [tmp_path / "one", tmp_path / "two"]
    written = []
    for folder in folders:
        folder.mkdir()
        output = make_env(folder)
        values = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
        assert 0o600 == stat.S_IMODE((folder / ".env").stat().st_mode)
        assert not [value for name, value in values.items() if name != "AGENT_HOST" and value in output]
        written.append(values)
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) == set(written[0])
    secrets = [value for values in written for name, value in values.items() if name != "AGENT_HOST"]
    assert 8 == len(set(secrets))
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in secrets)


def test_make_env_spares_what_is_there(tmp_path: Path) -> None:
    """Passwords in use are never overwritten."""
    (tmp_path / ".env").write_text("REDIS_PASSWORD=mine\n")
    assert "stays as it is" in make_env(tmp_path)
    assert "REDIS_PASSWORD=mine\n" == (tmp_path / ".env").read_text()


def test_the_lab_is_started_as_make_lab_does() -> None:
    """The container's JupyterLab has the options of the checkout's: it strips what it saves, and asks no network."""
    started = '"python", "-m", "sentinel.lab.notebook.jupyterlab"'
    assert f"ENTRYPOINT [{started}, " in DOCKERFILE
    assert f"$(bin)/{started.replace(chr(34), '').replace(',', '')} " in (ROOT / "Makefile").read_text()


def test_git_ignores_the_secrets() -> None:
    """`.env` cannot be committed by accident."""
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
