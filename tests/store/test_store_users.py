"""Stores that want a user and a password: each program with exactly the rights that README lists, and without them."""

from __future__ import annotations

import json
import re
import signal
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis
from support.servers import Lane, Restartable, consume, consuming, finish, victoria_metrics, wait_until

from sentinel import bus, store
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.errors import SettingsError, StoreAccessError
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Plan
from sentinel.lab.stack import native, servers
from sentinel.lab.stack.stack import stack_behind
from sentinel.lab.trials.trial import Trial
from sentinel.settings import BusSettings, LoadSettings, StoreSettings
from sentinel.store import Server, StoreClient
from sentinel.store.influxdb_client import SynchronousApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

NOW = time.time_ns()
SECRET = "p@ss:w/ö?#1"
IN_URL = "p%40ss:w%2F%C3%B6%3F%231"
README = Path(__file__).parents[2] / "README.md"


def message(number: int) -> bytes:
    """A sound one; no two are the same point."""
    sent = NOW + number * 1_000_000
    values = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent}
    return json.dumps({**values, "host": "h"}).encode()


def signed_in(settings: StoreSettings, user: str) -> StoreSettings:
    """The store as this user, whose password is SECRET."""
    return replace(settings, url=settings.url.replace("://", f"://{user}:{IN_URL}@"))


@pytest.fixture(scope="module")
def server(
    supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory, native_stack: Stack
) -> Iterator[Restartable]:
    """An InfluxDB 1.x that asks who one is, with an administrator."""
    if not native_stack.store_version.startswith("InfluxDB 1."):
        pytest.skip("influxd on PATH is no InfluxDB 1.x")
    program = native.influx_program(native.find("influxd") or Path())
    strict = replace(program, env={**(program.env or {}), "INFLUXDB_HTTP_AUTH_ENABLED": "true"})
    folder = tmp_path_factory.mktemp("users")
    started = Restartable(supervisor, strict, folder, lambda port: store.identify(servers.store_on(port))).start()
    nobody = servers.store_on(started.ports[0])
    tell(nobody, f"CREATE USER admin WITH PASSWORD '{SECRET}' WITH ALL PRIVILEGES")
    yield started
    started.end(signal.SIGTERM)


@pytest.fixture
def admin(server: Restartable) -> StoreSettings:
    """The administrator, in the lab's bucket."""
    settings = signed_in(servers.store_on(server.ports[0]), "admin")
    store.prepare(settings, store.identify(settings))
    return settings


def tell(settings: StoreSettings, *statements: str) -> None:
    """Statements of InfluxQL, one after the other."""
    connection = StoreClient(settings)
    for statement in statements:
        connection.query(statement, method="POST")
    connection.close()


def granted(admin: StoreSettings, program: str, *others: str) -> StoreSettings:
    """The store as a user with exactly the rights that README lists for a program, or these others."""
    rights = others or listed(program)
    made = f"CREATE USER limited WITH PASSWORD '{SECRET}'", "REVOKE ALL PRIVILEGES FROM limited"
    tell(admin, *made, f'REVOKE ALL ON "{admin.bucket}" FROM limited')
    tell(admin, *(f'GRANT {right} ON "{admin.bucket}" TO limited' for right in rights))
    return replace(admin, url=admin.url.replace("admin:", "limited:"))


def listed(program: str) -> list[str]:
    """README's rights of a program, such as `WRITE`."""
    rows = README.read_text(encoding="utf-8").splitlines()
    return [
        matches for row in rows if row.startswith(f"| {program} |") for matches in re.findall(r"`GRANT (\w+) ON", row)
    ]


CONSUMES, LAB = "`consume`", "the lab, on an external stack"


@pytest.fixture
def own(embedded: Stack, admin: StoreSettings) -> Iterator[Lane]:
    """A lane into it, as the administrator."""
    lane = Lane.on(embedded.bus, admin)
    yield lane
    bus.remove(lane.bus)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_consumer_works_with_the_rights_that_readme_lists(
    own: Lane, server: Restartable, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Writing alone is enough, through a restart of the store, health reports included; and no refusal is met."""
    limited = replace(own, store=granted(own.store, CONSUMES))
    with consuming(limited, configuration, health=0.05) as (consumer, running):
        own.publish([message(n) for n in range(10)])
        wait_until("the first are stored", lambda: own.stored() == 10)
        server.end(signal.SIGKILL)
        own.publish([message(n) for n in range(10, 20)])
        wait_until("the store is missed", lambda: "did not answer" in caplog.text)
        server.start()
        wait_until("all are stored", lambda: own.stored() == 20, 20)
        assert [] == finish(consumer, running).ledger.problems()
    assert "authoriz" not in caplog.text
    assert not [line for line in caplog.messages if SECRET in line or IN_URL in line]


@pytest.fixture
def lab_bus(embedded: Stack) -> Iterator[BusSettings]:
    """The bus as a user with exactly the rights that README lists for the lab."""
    listed = README.read_text(encoding="utf-8").partition("### Rights")[2].partition("Of a store")[0]
    commands = set(re.findall(r"[+]\w+", listed))
    with redis.Redis.from_url(embedded.bus.url) as client:
        client.execute_command("ACL", "SETUSER", "lab", "on", ">pw", "~lab:*", "&lab:*", *commands)
        yield BusSettings(url=embedded.bus.url.replace("://", "://lab:pw@"))
        client.execute_command("ACL", "DELUSER", "lab")


LOADS = {
    CAPACITY: LoadSettings(count=200, workers=4),
    LATENCY: LoadSettings(rate=200, duration=1.5, workers=4, transport="pubsub"),
}


@pytest.fixture
def lab_stack(admin: StoreSettings, lab_bus: BusSettings, server: Restartable) -> Stack:
    """Both servers as such users; the store was killed since it was looked at, and started again."""
    stack = stack_behind("external", lab_bus, granted(admin, LAB))
    server.end(signal.SIGKILL)
    server.start()
    return stack


@pytest.mark.parametrize("kind", LOADS)
def test_the_lab_works_with_the_rights_that_readme_lists(
    lab_stack: Stack, supervisor: Supervisor, tmp_path: Path, kind: str
) -> None:
    """A trial is valid for users who are no administrators, through a restart of the store, and leaves no password."""
    plan = Plan(1, kind, "optimised", "optimised", LOADS[kind])
    outcome = Trial(plan, lab_stack, tmp_path, supervisor, uuid.uuid4().hex).run()
    assert ([], []) == (outcome.problems, outcome.warnings)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"consumer.log", "trial.json", "ledger.json"} <= {path.name for path in kept}
    assert not [path for path in kept for secret in (SECRET, IN_URL) if secret.encode() in path.read_bytes()]
    assert SECRET not in f"{lab_stack!r} {lab_stack.label} {outcome!r}"
    assert "NOPERM" not in (tmp_path / "consumer.log").read_text()


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        (["READ"], "do user 'limited' and password of INFLUX_URL allow writing to bucket 'sentinel_lab'?"),
        (["WRITE"], "do user 'limited' and password of INFLUX_URL allow reading from bucket 'sentinel_lab'?"),
    ],
)
def test_the_lab_is_refused_before_it_measures(own: Lane, rights: list[str], words: str) -> None:
    """A user who may not write, or not read what was written, is an error at the start that names the right."""
    with pytest.raises(StoreAccessError, match="403") as caught:
        stack_behind("external", own.bus, granted(own.store, LAB, *rights))
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_right_withdrawn_in_mid_run_is_said_and_nothing_is_lost(own: Lane, caplog: pytest.LogCaptureFixture) -> None:
    """Refused batches wait with the store's words in the log, and are stored once the right is back."""
    limited = replace(own, store=granted(own.store, CONSUMES))
    with consuming(limited) as (consumer, running):
        own.publish([message(1)])
        wait_until("the first is stored", lambda: own.stored() == 1)
        tell(own.store, f'REVOKE ALL ON "{own.store.bucket}" FROM limited')
        own.publish([message(2)])
        wait_until("the refusal is said", lambda: "is not authorized to write" in caplog.text)
        tell(own.store, f'GRANT WRITE ON "{own.store.bucket}" TO limited')
        wait_until("all are stored", lambda: own.stored() == 2)
        ledger = finish(consumer, running).ledger
    assert ([], 2, 0) == (ledger.problems(), ledger.written, ledger.rejected)


def test_a_database_that_is_not_there_is_made_by_an_administrator_alone(own: Lane) -> None:
    """For another user it is an error at the start that names the setting."""
    elsewhere = replace(own, store=replace(own.store, bucket=f"made for {own.run}"))
    limited = replace(elsewhere, store=replace(granted(own.store, CONSUMES), bucket=elsewhere.store.bucket))
    with pytest.raises(StoreAccessError, match="INFLUX_BUCKET names it"):
        consume(limited)
    elsewhere.publish([message(1)])
    assert consume(elsewhere).ledger.written == 1


@pytest.mark.parametrize("login", ["", "limited:wr0ng@", "nobody:wr0ng@"])
def test_who_is_not_let_in_learns_how(own: Lane, login: str) -> None:
    """Without user, with a wrong password, or as somebody unknown: one line with what InfluxDB 1.x wants."""
    granted(own.store, CONSUMES)
    settings = replace(own.store, url=f"http://{login}{own.store.url.rpartition('@')[2]}")
    with pytest.raises(StoreAccessError, match=r"answered 401: .*INFLUX_URL.* allow writing to bucket") as caught:
        store.ready(settings)
    assert "wr0ng" not in str(caught.value)


def test_a_token_beside_user_and_password_is_refused() -> None:
    """A request shows one of the two: which, nobody has to guess."""
    settings = StoreSettings(url="http://me:pw@127.0.0.1:1", token="t0k3n")
    for connect in (StoreClient, partial(SynchronousApi, server=Server("InfluxDB", "1.8.10", "1"))):
        with pytest.raises(SettingsError, match=r"^INFLUX_URL names a user and INFLUX_TOKEN is set.*: unset"):
            connect(settings)


def test_a_password_with_marks_of_an_address_is_asked_for_escaped() -> None:
    """Left as it is the address cannot be read: the error says how to write it, and shows nothing of it."""
    with pytest.raises(SettingsError, match=r"^INFLUX_URL='http://h:8086' is not an .* %2F %3F %23 and %40\)$"):
        StoreClient(StoreSettings(url="http://me:s3cr3t/x@h:8086"))


@pytest.fixture(scope="module")
def secured_victoria(
    supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory, victoria: StoreSettings
) -> StoreSettings:
    """A VictoriaMetrics that asks who one is."""
    del victoria  # skips where there is none
    flags = "-httpAuth.username=limited", f"-httpAuth.password={SECRET}"
    return signed_in(victoria_metrics(supervisor, tmp_path_factory.mktemp("secured"), *flags), "limited")


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_victoria_metrics_takes_user_and_password(
    embedded: Stack, secured_victoria: StoreSettings, configuration: str
) -> None:
    """With `-httpAuth.*` the same address works in every configuration, and one without them is refused."""
    lane = Lane.on(embedded.bus, secured_victoria)
    lane.publish([message(n) for n in range(5)])
    consume(lane, configuration)
    assert lane.stored() == 5
    bus.remove(lane.bus)
    nobody = replace(lane.store, url=f"http://{lane.store.url.rpartition('@')[2]}")
    with pytest.raises(StoreAccessError, match=r"answered 401: .*INFLUX_URL=http://user:password@host:port allow"):
        store.ready(nobody)
