"""The command line: help for everything, one line for every mistake, signals that end things well."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import click
import pytest
from support.commandline import Result, assert_one_line
from support.servers import START, Answer, ConsumerProcess, Lane, ScriptedStore, wait_until

from sentinel import __version__, cli
from sentinel.bus import unread
from sentinel.environment import stack_environment
from sentinel.load.processes import run_load
from sentinel.runtime import signals
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor


def start(supervisor: Supervisor, lane: Lane, folder: Path, *words: str) -> Child:
    """A command as a process of its own."""
    command = [sys.executable, "-m", "sentinel", *words]
    return supervisor.start(words[0], command, log=folder / "log", env=stack_environment(lane.bus, lane.store))


# Help ----------------------------------------------------------------------------------------------------------------


def commands() -> list[str]:
    """Every command that there is, the laboratory's included."""
    return cli.cli.list_commands(click.Context(cli.cli))


def test_the_laboratory_adds_its_commands() -> None:
    """The pipeline's own commands and those of the other wing are found together."""
    assert {"agent", "consume", "load", "run", "runs", "report", "stack", "store"} <= set(commands())


@pytest.mark.parametrize("command", ["", *commands()])
def test_every_command_has_help(sentinel: Callable[..., Result], command: str) -> None:
    """`--help` and `-h` say what a command does and describe each of its options."""
    words = [command] if command else []
    result = sentinel(*words, "--help")
    assert (0, "") == (result.code, result.err)
    assert result.out.startswith(f"Usage: {' '.join(['sentinel', *words])} [OPTIONS]")
    options = [line for line in result.out.splitlines() if line.startswith("  -")]
    assert len(options) >= 1
    assert sentinel(*words, "-h").out == result.out
    given = cli.cli.get_command(click.Context(cli.cli), command) if command else cli.cli
    assert given is not None
    silent = {option.name for option in given.params if isinstance(option, click.Option) and not option.help}
    assert silent <= {"codec", "seed"}  # their names and choices say it


def test_the_version_is_said(sentinel: Callable[..., Result]) -> None:
    """`--version`."""
    assert (0, f"sentinel, version {__version__}\n", "") == sentinel("--version")


def test_no_command_shows_the_help(sentinel: Callable[..., Result]) -> None:
    """Nothing asked for: the list of what can be."""
    result = sentinel()
    assert "Usage: sentinel" in result.out + result.err
    assert "error" not in result.err.lower()


# Mistakes ------------------------------------------------------------------------------------------------------------

MISTAKES: list[tuple[list[str], str, str]] = [
    (["bogus"], "bogus", "sentinel --help"),
    (["consume", "--configuration", "fastest"], "fastest", "expected one of baseline, client-batching, optimised"),
    (["consume", "--configuration", "optimised,decode=orjson"], "orjson", "expected one of json.loads, msgspec"),
    (["consume", "--configuration", "optimised,colour=red"], "colour=red", "expected AXIS=CHOICE"),
    (["consume", "--transport", "kafka"], "kafka", "'pubsub', 'stream'"),
    (["consume", "--batch-size", "0"], "0", "x>=1"),
    (["consume", "--batch-size", "many"], "many", "sentinel consume --help"),
    (["consume", "--max-age", "-1s"], "-1s", 'give seconds such as 10, or "90s"'),
    (["consume", "--linger", "-5ms"], "-5ms", 'give seconds such as 10, or "90s"'),
    (["consume", "--deadline", "never"], "never", 'give seconds such as 10, or "90s"'),
    (["consume", "--health", "never"], "never", 'give seconds such as 10, or "90s"'),
    (["agent", "--health", "0"], "'0'", 'give seconds such as 10, or "90s"'),
    (["consume", "--colour", "red"], "--colour", "sentinel consume --help"),
    (["load", "--codec", "xml"], "xml", "'json', 'binary'"),
    (["load", "--transport", "kafka"], "kafka", "'pubsub', 'stream'"),
    (["load", "--workers", "0"], "0", "x>=1"),
    (["load", "--rate", "-1"], "-1", "x>0"),
    (["load", "--rate", "0"], "0", "x>0"),
    (["load", "--rate", "nan"], "nan", "expected a finite number above 0"),
    (["load", "--rate", "inf"], "inf", "expected a finite number above 0"),
    (["load", "--duration", "soon"], "soon", 'give seconds such as 10, or "90s", "2m", "1h"'),
    (["load", "--duration", "0"], "'0'", 'give seconds such as 10, or "90s", "2m", "1h"'),
    (["load", "--count", "-1"], "-1", "x>=0"),
    (["load", "--loop", "open"], "open", "'constant', 'poisson', 'bursts', 'ramp', 'closed'"),
    (["load", "--fields", "1"], "1", "2<=x<=200"),
    (["load", "--tags", "21"], "21", "0<=x<=20"),
    (["load", "--sources", "0"], "0", "1<=x<=1000000"),
    (["load", "--codec", "binary", "--fields", "3"], "codec='binary'", "expected json"),
    (["load", "--sources", "2", "--processes", "3"], "processes=3", "at most one a source"),
    (["load", "--processes", "0"], "0", "x>=1"),
    (["load"], "redis://127.0.0.1:1/0", "does REDIS_URL name it?"),
    (["load", "--processes", "2"], "redis://127.0.0.1:1/0", "does REDIS_URL name it?"),
    (["consume"], "http://127.0.0.1:1", "does INFLUX_URL name it?"),
    (["agent", "--interval", "now"], "now", 'give seconds such as 10, or "90s"'),
    (["agent", "--buffer", "0"], "0", "x>=1"),
    (["agent", "--host", "h" * 256, "--count", "1"], "h" * 40, "expected 1 to 255"),
]


@pytest.mark.parametrize(("words", "value", "remedy"), MISTAKES, ids=[" ".join(words)[:50] for words, *_ in MISTAKES])
def test_a_mistake_is_one_line(sentinel: Callable[..., Result], words: list[str], value: str, remedy: str) -> None:
    """Whatever a user gets wrong: exit code not 0, one line with the value and the remedy, never a traceback."""
    assert_one_line(sentinel(*words), value, remedy)


@pytest.mark.parametrize(
    ("command", "env", "value"),
    [
        ("load", {"REDIS_URL": "localhost"}, "REDIS_URL='localhost' is not a Redis address"),
        ("load", {"REDIS_URL": "redis://h:port"}, "REDIS_URL='redis://h:port' is not a Redis address"),
        ("agent", {"REDIS_URL": "http://h"}, "REDIS_URL='http://h' is not a Redis address"),
        ("consume", {"INFLUX_URL": "localhost:8086"}, "INFLUX_URL='localhost:8086' is not an address"),
        ("consume", {"INFLUX_URL": "http://h:port"}, "INFLUX_URL='http://h:port' is not an address"),
        ("consume", {"INFLUX_URL": "http://h:99999"}, "INFLUX_URL='http://h:99999' is not an address"),
    ],
)
def test_a_wrong_variable_is_one_line(
    sentinel: Callable[..., Result], command: str, env: dict[str, str], value: str
) -> None:
    """A mistyped address is named with its variable."""
    words = ["--count", "1", "--interval", "1ms"] if command == "agent" else []
    assert_one_line(sentinel(command, *words, **env), value, "http://" if "INFLUX_URL" in env else "redis://")


def test_a_wrong_token_is_one_line(
    sentinel: Callable[..., Result], scripted_lane: Lane, scripted: ScriptedStore
) -> None:
    """401 names the variable that holds the token, and never the token."""
    scripted.answers["/api/v2/write"] = Answer(401, b'{"code":"unauthorized"}')
    env = stack_environment(scripted_lane.bus, scripted_lane.store)
    result = sentinel("consume", **{name: value for name, value in env.items() if name.startswith(("REDIS", "INFLUX"))})
    assert_one_line(result, "401", "does INFLUX_TOKEN allow writing to bucket 'lab'?")
    assert "t0k3n" not in result.err


def test_a_key_of_another_type_is_one_line(sentinel: Callable[..., Result], embedded_lane: Lane) -> None:
    """`--key` names something that is no stream."""
    with embedded_lane.redis() as redis:
        redis.set(embedded_lane.bus.stream, "a string")
    store = embedded_lane.store
    env = {"REDIS_URL": embedded_lane.bus.url, "INFLUX_URL": store.url, "INFLUX_BUCKET": store.bucket}
    assert_one_line(sentinel("consume", "--key", embedded_lane.bus.stream, **env), "WRONGTYPE", "Redis at redis://")


def test_a_record_that_cannot_be_written_is_one_line(
    sentinel: Callable[..., Result], embedded_lane: Lane, tmp_path: Path
) -> None:
    """`--record` below a file."""
    (tmp_path / "file").touch()
    record = str(tmp_path / "file" / "below")
    result = sentinel("load", "--count", "1", "--record", record, REDIS_URL=embedded_lane.bus.url)
    assert_one_line(result, record, "cannot write the record to")


def test_the_program_itself_prints_one_line() -> None:
    """As a process, too: the installed command says it and ends with a code."""
    done = subprocess.run(
        [sys.executable, "-m", "sentinel", "load", "--workers", "none"],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=20,
    )
    assert_one_line(Result(done.returncode, done.stdout, done.stderr), "none", "sentinel load --help")


# Ledgers -------------------------------------------------------------------------------------------------------------


def test_a_run_starts_without_what_only_its_end_needs() -> None:
    """Before the kernel starts nothing is loaded that draws or sums up, nor a grammar that nobody asks."""
    code = (
        "import sys, sentinel.lab.notebook.runner;"
        "print(*{'scipy', 'pandas', 'matplotlib', 'nbconvert', 'rfc3987_syntax.syntax_helpers'} & {*sys.modules})"
    )
    assert "\n" == subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_load_then_consume_print_their_ledgers(sentinel: Callable[..., Result], embedded_lane: Lane) -> None:
    """What one command says it sent is what the other says it wrote, and what the store has."""
    bus, store = embedded_lane.bus, embedded_lane.store
    env = {"REDIS_URL": bus.url, "INFLUX_URL": store.url, "INFLUX_BUCKET": store.bucket}
    sent = sentinel("load", "--key", bus.stream, "--count", "321", "--workers", "3", **env)
    assert sent.code == 0
    assert re.fullmatch(r"load scheduled=321 sent=321 unsent=0 bytes=\d+ rate=\d+/s\n", sent.out)
    got = sentinel("consume", "--key", bus.stream, "--run", embedded_lane.run, "--until-empty", **env)
    assert got.code == 0
    assert got.out.startswith("consumer received=321 written=321 rejected=0 pending=0 lost=0 requests=")
    assert embedded_lane.stored() == 321


def test_the_agent_prints_a_ledger(sentinel: Callable[..., Result], embedded_lane: Lane) -> None:
    """`--count 2 --interval 100ms`: two samples of this host on the stream, and what it cost."""
    bus = embedded_lane.bus
    words = ["--count", "2", "--interval", "100ms", "--host", "my host", "--key", bus.stream]
    result = sentinel("agent", *words, REDIS_URL=bus.url)
    assert result.code == 0
    pattern = (
        r"agent scheduled=2 sent=2 unsent=0 bytes=\d+ skipped_ticks=\d elapsed_s=0\.\d cpu_percent=\S+ rss_mib=\S+\n"
    )
    assert re.fullmatch(pattern, result.out)
    assert unread(bus) == 2


@pytest.mark.parametrize(("health", "messages"), [("150ms", True), ("off", False)])
def test_health_is_published_or_not(
    sentinel: Callable[..., Result], embedded_lane: Lane, health: str, messages: bool
) -> None:
    """`--health` of the agent: its ledger says how many of its messages were about itself; `off`: none."""
    words = ["--count", "4", "--interval", "100ms", "--health", health, "--key", embedded_lane.bus.stream]
    result = sentinel("agent", *words, REDIS_URL=embedded_lane.bus.url)
    assert messages == bool(match := re.search(r" health=(\d+) ", result.out))
    assert unread(embedded_lane.bus) == 4 + int(match[1] if match else 0)


@pytest.mark.parametrize(("words", "reports"), [([], True), (["--health", "off"], False)])
def test_a_consumer_reports_on_itself_unless_told_not_to(
    sentinel: Callable[..., Result], scripted_lane: Lane, scripted: ScriptedStore, words: list[str], reports: bool
) -> None:
    """A consumer that is started by hand, or in a container, leaves at least its last report."""
    run_load(LoadSettings(count=10), scripted_lane.bus)
    env = stack_environment(scripted_lane.bus, scripted_lane.store)
    named = {name: value for name, value in env.items() if name.startswith(("REDIS", "INFLUX"))}
    result = sentinel("consume", "--key", scripted_lane.bus.stream, "--until-empty", *words, **named)
    assert result.code == 0
    assert reports == any(line.startswith(b"sentinel_consumer,") for line in scripted.lines())


def test_an_agent_without_redis_says_what_it_could_not_send(
    sentinel: Callable[..., Result], caplog: pytest.LogCaptureFixture
) -> None:
    """Redis is away: a warning with the remedy, and the samples are unsent."""
    result = sentinel("agent", "--count", "1", "--interval", "10ms")
    assert result.out.startswith("agent scheduled=1 sent=0 unsent=1 ")
    assert "does REDIS_URL name it?" in caplog.text


# Signals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", signals.STOP_SIGNALS)
def test_a_signal_ends_the_agent_with_its_ledger(
    embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path, number: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C: the agent stops at once, sends what it has, and exits 0."""
    process = start(
        supervisor, embedded_lane, tmp_path, "agent", "--interval", "50ms", "--key", embedded_lane.bus.stream
    )
    wait_until("it samples", lambda: unread(embedded_lane.bus) >= 2, START)
    process.signal(number)
    assert process.wait(5) == 0
    (line,) = process.tail().splitlines()
    assert line.startswith(f"agent scheduled={unread(embedded_lane.bus)} sent={unread(embedded_lane.bus)} unsent=0 ")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_signal_ends_a_load_with_its_ledger(
    embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path, processes: str
) -> None:
    """A load that is told to stop says what it sent and what it did not, of however many processes it is."""
    words = ["--rate", "200", "--duration", "60s", "--processes", processes, "--key", embedded_lane.bus.stream]
    process = start(supervisor, embedded_lane, tmp_path, "load", *words)
    wait_until("it sends", lambda: unread(embedded_lane.bus) > 20, START)
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0
    line = process.tail().splitlines()[-1]
    match = re.match(r"load scheduled=12000 sent=(\d+) unsent=(\d+) ", line)
    assert match, line
    assert (unread(embedded_lane.bus), 12000) == (int(match[1]), int(match[1]) + int(match[2]))


LATENCY = r"{0}_p50_us=(\d+) {0}_p90_us=(\d+) {0}_p99_us=(\d+) {0}_max_us=(\d+)"


def test_a_consumer_is_heard_once_a_second_and_sums_up(
    embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path
) -> None:
    """Hundreds of small batches leave a report of three lines a second, and the ledger has the latencies of all."""
    begun = time.monotonic()
    process = ConsumerProcess(supervisor, embedded_lane, tmp_path)
    sent = run_load(LoadSettings(rate=300, duration=2.5), embedded_lane.bus).ledger.sent
    wait_until("all is stored", lambda: embedded_lane.stored() == sent)
    process.child.signal(signal.SIGTERM)
    assert process.ends(10) == 0
    lines = process.log.splitlines()
    heard = [line for line in lines if "_LATENCY_STATS " in line]
    assert 3 <= len(heard) <= 3 * (time.monotonic() - begun)
    assert len(lines) == len(heard) + 2  # what it reads and writes, and the ledger
    kinds = [re.search(LATENCY.format(kind), lines[-1]) for kind in ("internal", "e2e", "stored")]
    quantiles = [[int(text) for text in actual.groups()] for actual in kinds if actual]
    assert [sorted(each) for each in quantiles] == quantiles
    assert 3 == len(quantiles)
    assert all(before[0] <= after[0] for before, after in pairwise(quantiles))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1])
def test_a_signal_ends_the_consumer_with_its_ledger(
    embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C drains what was read; SIGUSR1 lets it end once the bus is empty. Both exit 0 with a ledger."""
    process = ConsumerProcess(supervisor, embedded_lane, tmp_path)
    run_load(LoadSettings(count=500), embedded_lane.bus)
    wait_until("all is stored", lambda: embedded_lane.stored() == 500)
    process.child.signal(number)
    assert process.ends(10) == 0
    assert process.log.splitlines()[-1].startswith("consumer received=500 written=500 rejected=0 pending=0 lost=0 ")


def test_what_pubsub_left_is_said_to_be_lost(
    scripted_lane: Lane, scripted: ScriptedStore, supervisor: Supervisor, tmp_path: Path
) -> None:
    """On Pub/Sub the messages that were read and not stored are gone: the last line says so, and the code is 1."""
    scripted.on_write = lambda _: Answer(503)
    process = ConsumerProcess(supervisor, scripted_lane, tmp_path, transport="pubsub", deadline="300ms")
    run_load(LoadSettings(transport="pubsub", count=10), scripted_lane.bus)
    wait_until("a write was refused", lambda: scripted.writes)
    process.child.signal(signal.SIGTERM)
    assert process.ends(10) == 1
    assert process.log.splitlines()[-1].endswith(
        "10 messages were read but not stored before the deadline: they are lost (Pub/Sub)"
    )
