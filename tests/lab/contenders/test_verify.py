"""Verification: a right contender keeps every promise, and each broken one is caught, on real servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.choices import DECODERS
from support.contending import BROKEN, CONTENDERS, OURS, contender, past_the_tap

from sentinel.lab.contenders import catalog, program
from sentinel.lab.contenders.contender import load
from sentinel.lab.contenders.verification import checks, golden, life, verify
from sentinel.lab.contenders.verification.checks import Check, ContenderData

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commandline import Result

    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is not waited for as long as for a stranger's program."""
    monkeypatch.setattr(life, "SETTLE", 2.0)
    monkeypatch.setattr(verify, "SETTLE", 2.0)
    monkeypatch.setattr(program, "START_LIMIT", 20.0)


STAGES = {"poison": verify.poisoned, "redelivery": verify.redelivered}


class Bench:
    """Tries single stages of a verification on the embedded stack."""

    def __init__(self, stack: Stack, folder: Path, supervisor: Supervisor, patch: pytest.MonkeyPatch) -> None:
        self._given = stack, folder / "verified", supervisor
        self._patch = patch

    def tried(self, promise: str, item: Contender) -> dict[str, Check]:
        """The checks of the stage that tries this promise, by promise."""
        self._patch.setattr(verify, "STAGES", (STAGES.get(promise, verify.ordinary),))
        return {check.promise: check for check in verify.verify(item, *self._given)}


@pytest.fixture
def bench(embedded: Stack, tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench of this test's own."""
    return Bench(embedded, tmp_path, supervisor, monkeypatch)


@pytest.mark.parametrize("name", ["template", "asyncio", "threads"])
def test_our_contenders_keep_every_promise(name: str, real: Stack, tmp_path: Path, supervisor: Supervisor) -> None:
    """What the repository offers as an example passes on every stack, over both transports that it speaks."""
    item = load(CONTENDERS / name)
    actual = verify.verify(item, real, tmp_path, supervisor)
    assert [] == [check for check in actual if not check.kept]
    assert set(item.manifest.speaks) == {check.spoken for check in actual}


def test_our_own_consumer_would_pass(real: Stack, tmp_path: Path, supervisor: Supervisor) -> None:
    """What is asked of strangers we keep ourselves, in both codecs over both transports."""
    spoken = '["stream/json", "stream/binary", "pubsub/json", "pubsub/binary"]'
    text = OURS.replace("CONFIGURATION", "'optimised'")
    actual = verify.verify(
        contender(tmp_path / "mine", text, speaks=spoken, grace="25"), real, tmp_path / "v", supervisor
    )
    assert [] == [check for check in actual if not check.kept]


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_contender_is_caught(what: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to be wrong breaks its promise, and the first difference is told in one line."""
    promise, text = BROKEN[what]
    if promise == "ready":
        monkeypatch.setattr(program, "START_LIMIT", 3.0)
    item = contender(tmp_path / "mine", text)
    actual = bench.tried(promise, item)
    assert not actual[promise].kept
    assert actual[promise].detail
    assert "\n" not in actual[promise].detail
    assert checks.failure(list(actual.values()))


def test_who_writes_past_the_tap_is_caught(bench: Bench, tmp_path: Path, embedded: Stack) -> None:
    """What does not pass the tap cannot be measured, however rightly it is stored."""
    check = bench.tried("complete", contender(tmp_path / "mine", past_the_tap(embedded.store.url)))["complete"]
    assert (False, f"it {program.PAST_THE_TAP}") == (check.kept, check.detail)


def test_a_relaxed_promise_is_shown_as_relaxed(bench: Bench, tmp_path: Path) -> None:
    """A contender that says what it does not keep may be timed, but is not shown as keeping it."""
    words = '["acknowledges before storing: speed is all"]'
    item = contender(tmp_path / "mine", BROKEN["acknowledges before storing"][1], relaxes=words)
    actual = bench.tried("redelivery", item)
    assert checks.RELAXED == actual["redelivery"].mark
    assert "" == checks.failure(list(actual.values()))
    text = checks.table(list(actual.values()))
    assert "relaxed: " in text
    assert text.endswith("~ it acknowledges before storing: speed is all")


@pytest.mark.parametrize("codec", ["json", "binary"])
def test_the_golden_set_is_what_our_own_decoders_read(codec: str) -> None:
    """Each golden message is sound, and becomes the row that is expected of it; times differ."""
    wanted = golden.messages(codec, "r", 1_795_000_000 * 10**9)
    for decoder in DECODERS.values():
        decoded = decoder([item.payload for item in wanted])
        assert [] == decoded.rejected
        assert [item.row["time"] for item in wanted] == [sample.time for sample in decoded.samples]
        assert [item.row["cpu"] for item in wanted] == [sample.cpu for sample in decoded.samples]
    assert len(wanted) == len({item.row["time"] for item in wanted})


@pytest.mark.parametrize("codec", ["json", "binary"])
def test_poison_is_what_our_own_decoders_reject(codec: str) -> None:
    """No poison message could become a point."""
    for decoder in DECODERS.values():
        assert [] == decoder(golden.poison(codec)).samples


def test_the_first_difference_names_message_field_and_values() -> None:
    """A wrong value, a field too many and a missing point are each told apart."""
    wanted = golden.messages("json", "r", 1_795_000_000 * 10**9)
    rows = [dict(item.row) for item in wanted]
    assert "" == golden.difference(wanted, rows)
    assert "no point of" in golden.difference(wanted, rows[1:])
    assert "zero: mem is 1.0, expected 0.0" == golden.difference(wanted, [rows[0] | {"mem": 1.0}, *rows[1:]])
    assert "zero: copy is '1', expected None" == golden.difference(wanted, [rows[0] | {"copy": "1"}, *rows[1:]])
    late = rows[0] | {"time": rows[0]["time"] // 10**9 * 10**9}
    assert f"; the store has source='0' time={late['time']}" in golden.difference(wanted, [late, *rows[1:]])


def test_checks_survive_the_record() -> None:
    """What run.json holds of a check is the whole check."""
    check = Check("poison", "stream/json", kept=False, detail="it ended", relaxed="")
    recorded = ContenderData("/x", ["./consume"], verified=[check])
    assert recorded == msgspec.json.decode(msgspec.json.encode(recorded), type=ContenderData)
    assert replace(check, relaxed="so it is").passes


def test_the_command_prints_the_table_and_fails_where_a_promise_is_broken(
    sentinel: Callable[..., Result], tmp_path: Path
) -> None:
    """`sentinel verify` prints one row a promise, and exits 1 with the first difference."""
    contender(tmp_path / "mine", BROKEN["rounds values"][1])
    result = sentinel("verify", str(tmp_path / "mine"), "--stack", "embedded")
    assert 1 == result.code
    assert "✗  golden set: equal values and times" in result.out
    assert result.err.strip().splitlines()[-1].startswith("error: mine failed: golden set")


def test_a_new_contender_is_the_template_under_its_name(
    sentinel: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sentinel new-contender` copies it once, and refuses names that are taken or none."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "contenders").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "is not there: run this in a checkout" in sentinel("new-contender", "fresh").err
    (tmp_path / "contenders" / "template").symlink_to(CONTENDERS / "template")
    assert "sentinel verify contenders/fresh" in sentinel("new-contender", "fresh").out
    assert "fresh" == catalog.named("fresh").name
    assert "is there already" in sentinel("new-contender", "fresh").err
    for name in ("optimised", "../up", ""):
        assert "is no name for a contender" in sentinel("new-contender", name).err
