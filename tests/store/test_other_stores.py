"""VictoriaMetrics and QuestDB as they are: what the one needs to be set, and why the other is refused."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.servers import Lane, Restartable, consume, victoria_metrics, wait_until

from sentinel import bus, store
from sentinel.errors import StoreError
from sentinel.lab.stack import servers
from sentinel.lab.stack.stack import stack_behind
from sentinel.store import StoreClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack
    from sentinel.settings import StoreSettings

NOW = time.time_ns()


def put_twice(settings: StoreSettings, run: str) -> None:
    """The same ten points, a millisecond apart, as a redelivered batch brings them."""
    connection = StoreClient(settings)
    lines = [b"system_stats,run=%b cpu=1,mem=2 %d" % (run.encode(), NOW - n * 1_000_000) for n in range(10)]
    for _ in range(2):
        connection.write("/api/v2/write?precision=ns", b"\n".join(lines))
        connection.request("GET", "/internal/force_flush")
    connection.close()


# VictoriaMetrics -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def careless(
    supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory, victoria: StoreSettings
) -> StoreSettings:
    """A VictoriaMetrics as its package starts it."""
    del victoria  # skips where there is none
    return victoria_metrics(supervisor, tmp_path_factory.mktemp("careless"))


def test_redelivered_points_count_once_with_the_flag_alone(
    victoria: StoreSettings, careless: StoreSettings, embedded: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    """`-dedup.minScrapeInterval=1ms` keeps one of each; without it all count twice, and consumer and lab say so."""
    for settings, kept, warnings in ((victoria, 10, 0), (careless, 20, 1)):
        caplog.clear()
        lane = Lane.on(embedded.bus, settings)
        put_twice(settings, lane.run)
        assert lane.stored() == kept
        consume(lane)
        bus.remove(lane.bus)
        assert warnings == sum("runs with -dedup.minScrapeInterval=0s" in line for line in caplog.messages)
        label = stack_behind("external", embedded.bus, settings).label
        assert warnings == label.count("-dedup.minScrapeInterval=0s")


def test_the_label_says_whose_guarantee_it_is(victoria: StoreSettings, embedded: Stack) -> None:
    """VictoriaMetrics acknowledges from memory; of a store that does not, nothing is said."""
    label = stack_behind("external", embedded.bus, victoria).label
    assert "acknowledged from memory (until then a message is as safe as Redis keeps it" in label
    assert "acknowledged" not in embedded.label


# QuestDB -------------------------------------------------------------------------------------------------------------

CONFIG = """\
http.bind.to=127.0.0.1:{port}
http.min.enabled=false
pg.enabled=false
line.tcp.enabled=false
telemetry.enabled=false
shared.worker.count=1
"""


def jars() -> list[str]:
    """QuestDB and its client, where Maven keeps what it fetched."""
    folder = Path.home() / ".m2" / "repository" / "org" / "questdb"
    return [str(path) for path in sorted(folder.glob("questdb*/*/questdb*[0-9].jar"))]


def questdb_command(data: Path, ports: Sequence[int]) -> list[str]:
    """QuestDB with HTTP alone."""
    config = data / "conf" / "server.conf"
    config.parent.mkdir(exist_ok=True)
    config.write_text(CONFIG.format(port=ports[0]))
    quick = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *quick, "-cp", ":".join(jars()), "io.questdb.ServerMain", "-d", str(data)]


@pytest.fixture
def questdb(supervisor: Supervisor, tmp_path: Path) -> Iterator[StoreSettings]:
    """A QuestDB as it is."""
    if not jars() or not shutil.which("java"):
        pytest.skip("QuestDB is not at hand (mvn dependency:get -Dartifact=org.questdb:questdb:9.3.4, and Java 17)")

    def ask(port: int) -> None:
        connection = StoreClient(servers.store_on(port))
        connection.request("GET", "/ping")
        connection.close()

    program = servers.Program("questdb", questdb_command, listening="")
    server = Restartable(supervisor, program, tmp_path, ask).start()
    yield servers.store_on(server.ports[0])
    server.end(signal.SIGKILL)


def test_questdb_is_refused_for_what_it_does(questdb: StoreSettings) -> None:
    """It is known by name; and it does what the error says: keeps points twice, cuts times, knows no InfluxQL."""
    words = (
        "is QuestDB: not supported, since it keeps a point that is sent again twice, cuts times to microseconds, and"
    )
    with pytest.raises(StoreError, match=words):
        store.ready(questdb)
    put_twice(questdb, "r")
    connection = StoreClient(questdb)

    def times() -> list[str]:
        answer = connection.request("GET", "/exec", {"query": "SELECT timestamp FROM system_stats"})
        return [time for (time,) in json.loads(answer.body).get("dataset", [])]

    wait_until("all are there", lambda: len(times()) == 20)
    assert {len("2026-11-29T01:00:00.000000Z")} == {len(time) for time in times()}
    assert connection.request("GET", "/query", {"q": "SELECT 1"}).status == 404
    connection.close()
