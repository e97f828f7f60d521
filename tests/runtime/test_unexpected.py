"""What nobody expected: one line and a code, from whichever thread; a full disk costs the record, not the work."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.commandline import Result, assert_one_line
from support.servers import START, Answer, Lane, ScriptedStore, consume, first

from sentinel.environment import stack_environment
from sentinel.load.processes import run_load
from sentinel.runtime.record import INTERVALS, LEDGER, READY
from sentinel.settings import AgentSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAULTS = [
    ("sentinel.consumer.writing.writers", "PostWriter._work", "consume --health off", "(thread writer)"),
    ("sentinel.consumer.consumer", "Consumer._note_interval", "consume --health off", "(thread housekeeping)"),
    ("sentinel.consumer.consumer", "Consumer._take", "consume --health off", "whole trace"),
    (
        "sentinel.consumer.writing.client",
        "ClientBatchingWriter._done",
        "consume --health off --configuration client-batching",
        "thread",
    ),
    ("sentinel.agent.backlog_sender", "BacklogSender._flush", "agent --interval 100ms", "whole trace"),
    ("sentinel.load.generator", "LoadGenerator._play", "load --duration 1s", "whole trace"),
]


def ended(lane: Lane, fault: str, program: str, *words: str) -> str:
    """The one line of a program, with something faulty in it, that ends by itself."""
    run_load(LoadSettings(count=10), lane.bus)
    module, owner, name = fault.rsplit(".", 2)
    faulty = f"""
import importlib, runpy
def fault(*_):
    {{}}["trouble"]
setattr(importlib.import_module({module!r}).{owner}, {name!r}, fault)
runpy.run_module({program!r}, run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", faulty, *words, "--key", lane.bus.stream],
        env=stack_environment(lane.bus, lane.store),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=START,
    )
    assert 1 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "unexpected" in line
    return line


@pytest.mark.parametrize(("module", "name", "words", "where"), FAULTS, ids=[name for _, name, *_ in FAULTS])
def test_an_error_in_any_thread_ends_the_process(
    embedded_lane: Lane, module: str, name: str, words: str, where: str
) -> None:
    """It does not live on as half a program: one line says what it was and where, and the exit code is 1."""
    assert where in ended(embedded_lane, f"{module}.{name}", "sentinel", *words.split())


def test_an_error_in_a_thread_ends_a_consumer_under_memray(embedded_lane: Lane, tmp_path: Path) -> None:
    """The laboratory's program heeds its threads as the command does."""
    options = ["--capture", str(tmp_path / "memray.bin"), "--warm-up", "5", "--health", "off"]
    line = ended(
        embedded_lane,
        "sentinel.consumer.writing.writers.PostWriter._work",
        "sentinel.lab.profiling.memray_consumer",
        *options,
    )
    assert "(thread writer)" in line


@pytest.mark.parametrize("asked", ["²", "soon"])
def test_a_retry_after_that_is_none_is_tried_again(scripted: ScriptedStore, scripted_lane: Lane, asked: str) -> None:
    """Whatever a store or a proxy asks for, the writer lives on and the point is stored."""
    scripted.on_write = first(Answer(503, headers={"Retry-After": asked}))
    run_load(LoadSettings(count=3), scripted_lane.bus)
    assert 3 == consume(scripted_lane).ledger.written


@pytest.mark.parametrize("words", ["consume --until-empty --health off", "load --count 20", "agent --count 2"])
def test_a_full_disk_costs_the_record_alone(
    sentinel: Callable[..., Result],
    embedded_lane: Lane,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    words: str,
) -> None:
    """The work is done and accounted for; one line says that the record ends, and no half a ledger is left."""
    env = stack_environment(embedded_lane.bus, embedded_lane.store)
    options = ["--interval", "50ms"] if words.startswith("agent") else []
    for file in (INTERVALS, LEDGER):
        caplog.clear()
        record = tmp_path / file
        folder = record / "0" if words.startswith("load") else record
        folder.mkdir(parents=True)
        (folder / file).symlink_to("/dev/full")
        run_load(LoadSettings(count=7), embedded_lane.bus)
        done = sentinel(*words.split(), *options, "--key", embedded_lane.bus.stream, "--record", str(record), **env)
        assert (0, 1) == (done.code, caplog.text.count("any more: No space left on device; going on without"))
        assert done.out.startswith(words[:4])
        assert (True, False) == ((folder / READY).exists(), (folder / LEDGER).exists())


# Bytes that are no UTF-8 ---------------------------------------------------------------------------------------------

CAFE = "caf\udce9"
"""As Python hands over an argument `caf\\xe9`."""


@pytest.mark.parametrize(
    "words",
    [
        ["agent", "--host", CAFE],
        ["agent", "--key", CAFE],
        ["consume", "--name", CAFE],
        ["consume", "--run", CAFE],
        ["consume", "--key", CAFE],
        ["load", "--key", CAFE],
    ],
    ids=" ".join,
)
def test_an_argument_that_is_no_utf_8_is_refused(sentinel: Callable[..., Result], words: list[str]) -> None:
    """In one line that shows it, before anything is connected."""
    assert_one_line(sentinel(*words), "'caf\\\\xe9'", "expected UTF-8 text")


@pytest.mark.parametrize("name", ["REDIS_URL", "INFLUX_URL", "INFLUX_ORG", "INFLUX_BUCKET"])
def test_a_variable_that_is_no_utf_8_is_refused(sentinel: Callable[..., Result], name: str) -> None:
    """In one line that names it."""
    assert_one_line(sentinel("consume", **{name: f"redis://s3cret{CAFE}"}), name, "expected UTF-8 text")


@pytest.mark.parametrize("token", ["s3cret\ntok", "s3crét", f"s3cret{CAFE}", "s3cret\x7f"])
def test_a_token_that_no_header_can_carry_is_refused_unseen(sentinel: Callable[..., Result], token: str) -> None:
    """In one line that does not show it."""
    result = sentinel("consume", INFLUX_TOKEN=token)
    assert_one_line(result, "INFLUX_TOKEN", "expected printable ASCII")
    assert "s3cr" not in result.err


def test_a_hosts_name_of_other_bytes_is_shown_with_their_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default for what nobody can give in another way is no error."""
    monkeypatch.setattr("socket.gethostname", lambda: CAFE)
    assert ["caf\\xe9"] * 3 == [AgentSettings().host, ConsumerSettings().host, ConsumerSettings().name]
