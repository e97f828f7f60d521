"""docker-compose.yml on a real engine: it comes up, measures this host, and loses nothing whoever falls over.

Run by `make test-compose`, with whatever images the files name. Each test leaves the project as it found it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from engine import LOAD, ROOT, Project, numbers, run
from support.dashboard import CHARTS, QUERIES
from support.servers import wait_until

from sentinel import store
from sentinel.lab import stack
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import docker
from sentinel.lab.stack.compose import program
from sentinel.probe import HostProbe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.compose, pytest.mark.timeout(300)]
SECONDS = 12.0
"""Of load around a fault."""
REPORTS = "SELECT count(rss_bytes) FROM sentinel_agent, sentinel_consumer WHERE time > now() - 1m"


def say(text: str) -> None:
    """A line of evidence, for whoever reads the log."""
    print(f"\n    {text}", end="", flush=True)


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """The four services that always run, built anew and healthy."""
    if lack := docker.missing(ROOT):
        pytest.fail(lack)
    with Project(DURATION="3s") as project:
        project.compose("build", "agent", "consumer", "load")
        start = time.monotonic()
        project.up()
        say(f"healthy {time.monotonic() - start:.1f} s after up: {project.health()}")
        wait_until("the agent's first sample is stored", lambda: project.stored("host != ''"), 20.0)
        say(f"first point stored at most {time.monotonic() - start:.1f} s after up")
        yield project


def survives(project: Project, fault: Callable[[], None]) -> dict[str, int]:
    """A load of 10,000 msg/s with a fault in the middle of it; every message sent is stored once."""
    before = project.stored()
    with project.loading(SECONDS) as end:
        time.sleep(2.0)
        fault()
        load = end()
    stored = project.settles_at(before + load["sent"]) - before
    say(f"scheduled {load['scheduled']:,}, sent {load['sent']:,}, stored {stored:,}, lost {load['sent'] - stored:,}")
    assert load["sent"] == stored
    return load


def test_everything_becomes_healthy(project: Project) -> None:
    """The four services, each by its own check."""
    shown = '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Health.Status}}'
    assert [f"{name} healthy" for name in ("agent", "consumer", "influxdb", "redis")] == sorted(project.inspect(shown))


def test_nothing_runs_as_root(project: Project) -> None:
    """No process has root's number, a capability or a way to either, and no root file system can be written."""
    for container in project.containers():
        rows = run("docker", "top", container, "-eo", "uid,pid,comm").splitlines()[1:]
        assert rows
        for uid, pid, name in (row.split(None, 2) for row in rows):
            status = dict(
                line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
            )
            assert int(uid) > 0, name
            assert ("0000000000000000", "0000000000000000") == (status["CapEff"], status["CapBnd"]), name
            assert status["NoNewPrivs"] == "1", name
    assert {"true"} == set(project.inspect("{{.HostConfig.ReadonlyRootfs}}"))
    (image,) = set(project.inspect("{{.Config.Image}}", "consumer"))
    user, size = run("docker", "image", "inspect", "--format", "{{.Config.User}} {{.Size}}", image).split()
    say(f"{image}: user {user}, {int(size) / 1e6:.0f} MB")
    assert user == "10001:10001"


def test_the_consumers_image_is_slim(project: Project) -> None:
    """No laboratory, no Jupyter, no pandas, no pip."""
    names = "jupyterlab pandas matplotlib memray pip sentinel.lab"
    code = f"import importlib.util as u; print([n for n in '{names}'.split() if u.find_spec(n)])"
    assert "[]\n" == run("docker", "exec", project.containers("consumer")[0], "python", "-c", code)


def test_the_agent_reads_the_host(project: Project) -> None:
    """Memory, load, disk, processes and network are this machine's, not the container's, and so is the name."""
    host = HostProbe()
    time.sleep(4.0)
    seen = host.read()
    (row,) = project.rows("SELECT * FROM system_stats WHERE host != '' ORDER BY time DESC LIMIT 1")
    say(f"host     mem {seen.mem} {seen.fields}")
    say(f"agent    {row}")
    assert row["host"] == project.host
    assert row["mem"] == pytest.approx(seen.mem, abs=5.0)
    assert row["disk_percent"] == pytest.approx(seen.fields["disk_percent"], abs=1.0)
    assert row["load15"] == pytest.approx(seen.fields["load15"], abs=0.5)
    assert row["processes"] == pytest.approx(len(psutil.pids()), abs=20)
    before = project.stored()
    with project.loading(6.0) as end:
        load = end()
        meanwhile = "host != '' AND time > now() - 6s"
        (most,) = project.rows(f"SELECT max(net_recv_bytes_per_s) FROM system_stats WHERE {meanwhile}")
    project.settles_at(before + load["sent"])
    say(f"under load the host receives up to {most['max']:,.0f} bytes/s")
    # The agent itself receives some hundred; the load passes it by.
    assert most["max"] > 500_000


def test_what_runs_goes_on_running(project: Project) -> None:
    """Another `up`, of all or of the load, finds nothing changed: no container is replaced."""
    containers, stored = set(project.containers()), project.stored()
    project.up()
    assert containers == set(project.containers())
    result = project.compose("--profile", "load", "up", "load")
    load = numbers(result[result.index("load scheduled=") :])
    say(f"load {load}")
    project.settles_at(stored + load["sent"])
    project.compose("--profile", "load", "rm", "-f", "load")
    assert containers == set(project.containers())


def test_a_load_arrives(project: Project) -> None:
    """10,000 msg/s: everything scheduled is sent, everything sent is stored."""
    load = survives(project, lambda: None)
    assert load["scheduled"] == load["sent"] == SECONDS * 10_000


def test_a_consumer_that_is_stopped_loses_nothing(project: Project) -> None:
    """It drains and says so; what is sent meanwhile waits on the stream."""

    def fault() -> None:
        project.compose("stop", "consumer")
        (ledger,) = project.ledgers()
        say(f"stopped: {ledger}")
        assert ledger["received"] == ledger["written"]
        assert (project.exit_codes(), ledger["pending"]) == ({"0"}, 0)
        time.sleep(3.0)
        project.compose("start", "consumer")

    survives(project, fault)


def test_a_consumer_that_is_killed_loses_nothing(project: Project) -> None:
    """What it had read and not stored is still its own when it comes back."""

    def fault() -> None:
        project.compose("kill", "-s", "KILL", "consumer")
        assert project.exit_codes() == {"137"}
        time.sleep(1.0)
        project.compose("start", "consumer")

    survives(project, fault)


def test_a_consumer_that_is_killed_for_good_leaves_its_work_to_another(project: Project) -> None:
    """A new container has another name: it takes over what has been idle for 30 s."""

    def fault() -> None:
        project.compose("kill", "-s", "KILL", "consumer")
        project.compose("rm", "-f", "consumer")
        project.compose("up", "-d", "--no-deps", "consumer")

    survives(project, fault)


def test_a_store_that_restarts_loses_nothing(project: Project) -> None:
    """The consumer tries again until it answers."""
    survives(project, lambda: project.compose("restart", "influxdb") and None)


def test_a_bus_that_restarts_loses_nothing(project: Project) -> None:
    """What Redis had taken is in its append-only file; what it had not answered is sent again."""
    load = survives(project, lambda: project.compose("restart", "redis") and None)
    say(f"load: {load}")


def test_the_dashboard_shows_what_is_stored(project: Project) -> None:
    """It is there once, with every chart of the template, and each of their queries finds points."""
    if (server := store.identify(project.store)).dialect != "2":
        pytest.skip(f"the image that the file names {server} has no dashboards")
    wait_until("consumer and agent have told of themselves", lambda: len(project.rows(REPORTS)) == 2, 30.0)
    (board,) = project.asked("GET", "/api/v2/dashboards", {"org": "sentinel"}, as_json=True)["dashboards"]
    assert ("SentinelStream", len(CHARTS)) == (board["name"], len(board["cells"]))
    for query in QUERIES:
        flux = query
        for name, value in (("timeRangeStart", "-15m"), ("timeRangeStop", "now()"), ("windowPeriod", "10s")):
            flux = flux.replace(f"v.{name}", value)
        rows = project.asked("POST", "/api/v2/query", {"org": "sentinel"}, flux).split("\r\n")
        assert len(rows) > 2, f"no points for\n{flux}"
    say(f"{server}: {len(board['cells'])} charts, {len(QUERIES)} queries answered")


def test_three_consumers_share_the_work(project: Project) -> None:
    """Each stores a part, and together they store each message once."""
    project.up("--scale", "consumer=3", "--no-recreate")
    try:
        survives(project, lambda: None)
        project.compose("stop", "consumer")
        ledgers = project.ledgers()
        say(f"written by each: {[ledger['written'] for ledger in ledgers]}")
        assert 3 == len(ledgers)
        assert all(ledger["written"] > 10_000 for ledger in ledgers)
        assert {0} == {ledger["pending"] for ledger in ledgers}
    finally:
        project.up("--scale", "consumer=1", "--no-recreate")


def test_no_secret_is_said(project: Project) -> None:
    """Not in a log, an image's history or its environment, nor on a command line, neither here nor in a container."""
    logs = project.compose("logs")
    (image,) = set(project.inspect("{{.Config.Image}}", "consumer"))
    history = run("docker", "history", "--no-trunc", image) + run("docker", "image", "inspect", image)
    told = "\n".join(project.inspect("{{.Path}} {{.Args}} {{json .Config.Healthcheck}} {{json .Config.Labels}}"))
    lines = run("ps", "-eo", "args", "-ww")
    assert "consumer" in logs
    message = {"logs": logs, "image": history, "inspect": told, "ps": lines}
    for name, secret in project.secrets.items():
        assert [] == [where for where, text in message.items() if secret in text], name


def test_only_those_with_the_password_get_in(project: Project) -> None:
    """Redis refuses who has none."""
    (redis,) = project.containers("redis")
    result = run("docker", "exec", "--env", "REDISCLI_AUTH=", redis, "redis-cli", "ping")
    assert result.startswith("NOAUTH")


def test_on_pubsub_what_is_lost_is_counted(project: Project) -> None:
    """Redis restarts, then cuts the subscriber off while it is sent to: the stored and those counted make the whole."""
    del project  # its images
    with Project(TRANSPORT="pubsub") as pubsub:
        pubsub.up("redis", "influxdb", "consumer")  # the agent is a sender, too: what it lost would be counted
        with pubsub.loading(SECONDS) as end:
            time.sleep(2.0)
            pubsub.compose("restart", "redis")
            before = pubsub.stored()
            wait_until("it goes on", lambda: pubsub.stored() > before, 30.0)
            (redis,) = pubsub.containers("redis")
            run("docker", "exec", redis, "redis-cli", "client", "kill", "type", "pubsub")
            load = end()
        time.sleep(2.0)
        stored = pubsub.stored(LOAD)
        pubsub.compose("stop", "consumer")
        (ledger,) = pubsub.ledgers()
        say(f"scheduled {load['scheduled']:,}, sent {load['sent']:,}, stored {stored:,}, lost {ledger['lost']:,}")
        assert load["scheduled"] == stored + ledger["lost"]
        assert ledger["lost"] > 0


@pytest.mark.timeout(900)
def test_the_lab_wants_its_token(project: Project) -> None:
    """JupyterLab answers to who has the token alone; its notebooks measure the project's own Redis and InfluxDB."""
    project.compose("build", "lab", timeout=600.0)
    project.up("lab")
    assert 403 == status_of(f"{project.lab_url}/api/contents")
    assert 200 == status_of(f"{project.lab_url}/api/contents?token={project.secrets['LAB_TOKEN']}")
    (lab,) = project.containers("lab")
    assert "10001\n" == run("docker", "exec", lab, "id", "-u")
    small = ["DURATION=2", "REPEATS=2", "MESSAGES=2000", "HEADLINE_RATE=2000", "PYSPY=False"]
    result = run("docker", "exec", lab, "sentinel", "run", "benchmark", *small, timeout=300.0)
    say(result.strip().splitlines()[-1])
    assert "external stack" in result
    size = run("docker", "image", "inspect", "--format", "{{.Size}}", "sentinelstream-lab/lab")
    say(f"sentinelstream-lab/lab: {int(size) / 1e6:.0f} MB")
    project.compose("rm", "-s", "-f", "lab")


def status_of(url: str) -> int:
    """What an HTTP server answers to a GET."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_does_not_start_without_secrets(tmp_path: Path) -> None:
    """Compose refuses, and says what to do."""
    (tmp_path / "docker-compose.yml").write_text((ROOT / "docker-compose.yml").read_text())
    env = {name: os.environ[name] for name in ("PATH", "HOME")}
    command = [*program(), "up", "-d"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, encoding="utf-8", errors="replace", timeout=60, check=False
    )
    say(done.stderr.strip())
    assert done.returncode != 0
    assert "run make env first" in done.stderr


def test_a_server_that_ends_at_once_is_told_of(tmp_path: Path) -> None:
    """The lab's stack does not wait for what no longer runs: it says so and takes everything down."""
    image = docker.images(ROOT / "docker-compose.yml")[0]
    service = {"image": image, "entrypoint": ["false"], "healthcheck": {"test": ["CMD", "true"]}}
    file = tmp_path / "docker-compose.yml"
    file.write_text(json.dumps({"services": {"redis": service}}))
    name = f"sentinel-test-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "sentinel.lab.stack.compose", name, str(file), "redis"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace", timeout=60, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "not healthy: redis is exited")
    assert name not in run("docker", "ps", "-a")


def test_the_labs_stack_in_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STACK=docker brings up both servers with a bucket of the lab's, and leaves neither container nor volume."""
    monkeypatch.chdir(ROOT)
    with Supervisor() as supervisor, stack.start("docker", tmp_path, supervisor) as started:
        say(started.label)
        assert (started.kind, started.store.bucket) == ("docker", "sentinel_lab")
        assert "sentinel-lab-" in run("docker", "ps")
    for what in (["ps", "-a"], ["volume", "ls"], ["network", "ls"]):
        assert "sentinel-lab-" not in run("docker", *what)
