"""`sentinel record`: what it prints, and one line for every mistake."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest
from support.commandline import Result, assert_one_line
from support.recordings import contents, message, recording
from support.servers import START, Lane, wait_until

from sentinel.environment import stack_environment
from sentinel.recording.command import Size

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A recording of two hosts, one message of which nobody could read."""
    payloads = [message(host=f"web-{n % 2}", seq=n) for n in range(30)]
    return recording(tmp_path / "office.rec", [*payloads[:15], b"foreign", *payloads[15:]])


def test_info_says_what_is_in_it(sentinel: Callable[..., Result], office: Path) -> None:
    """Length, messages, sources, rate with a picture, size, codec, mask and checksum: a line each."""
    result = sentinel("record", "--info", str(office))
    assert (0, "") == (result.code, result.err)
    facts = dict(line.split("  ", 1) for line in result.out.splitlines()[1:] if not line.startswith(" "))
    known = {name: fact.strip() for name, fact in facts.items()}
    assert ("30 that can be played", "2", "json", "no") == tuple(
        known[name] for name in ("messages", "sources", "codec", "masked")
    )
    assert "1 json: rejected by a consumer, and not played" == known["foreign"]
    assert known["rate"].startswith("96.7 msg/s from the first message to the last")
    assert 64 == len(known["sha256"])
    assert "0.1 s a column" in result.out


def test_a_recording_is_masked_and_repaired(sentinel: Callable[..., Result], office: Path, tmp_path: Path) -> None:
    """A copy each, and the original stays as it was."""
    before = office.read_bytes()
    out = sentinel("record", "--mask", str(office), str(tmp_path / "shared.rec"))
    assert out.out.startswith(f"masked {tmp_path / 'shared.rec'}: 30 messages")
    assert "1 messages left out" in out.out
    assert b"web" not in b"".join(contents(tmp_path / "shared.rec")[1])
    cut = tmp_path / "cut.rec"
    cut.write_bytes(before[:-20])
    out = sentinel("record", "--repair", str(cut), str(tmp_path / "whole.rec"))
    assert out.out.startswith(f"repaired {tmp_path / 'whole.rec'}: 31 messages")
    assert contents(office) == contents(tmp_path / "whole.rec")
    assert before == office.read_bytes()


@pytest.fixture
def here(office: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a recording, one that was cut off, one of foreign messages, and an empty file."""
    folder = office.parent
    office.rename(folder / "there.rec")
    (folder / "empty.rec").touch()
    (folder / "cut.rec").write_bytes((folder / "there.rec").read_bytes()[:-5])
    recording(folder / "foreign.rec", [b"{}"])
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "mistake",
    [
        (["there.rec"], "there.rec is there already", "choose another name"),
        (["--info", "absent.rec"], "absent.rec", "No such file"),
        (["--info", "empty.rec"], "empty.rec is empty", "expected a recording"),
        (["--info", "."], ". is no file", "expected a recording"),
        (["--mask", "cut.rec", "out.rec"], "cut.rec is cut off behind block 1", "--repair cut.rec OUT"),
        (["--repair", "there.rec", "out.rec"], "there.rec is whole", "nothing to repair"),
        (["--repair", "empty.rec", "out.rec"], "empty.rec is empty", "expected a recording"),
        (["--mask", "there.rec", "there.rec"], "there.rec is there already", "choose another name"),
        (["--mask", "foreign.rec", "out.rec"], "foreign.rec", "no message that can be masked"),
        (["new.rec"], "redis://127.0.0.1:1/0", "does REDIS_URL name it?"),
        (["new.rec", "--bytes", "much"], "'much' is no number of bytes", "give 100000, 10MB or 64MiB"),
        (["new.rec", "--duration", "0"], "'0'", "give seconds such as 10"),
        (["there.rec", "out.rec"], "expected FILE", "sentinel record --help"),
        (["--info", "--mask", "there.rec"], "expected FILE", "sentinel record --help"),
        (["--repair", "there.rec"], "expected FILE", "sentinel record --help"),
        ([], "Missing argument 'FILE'", "sentinel record --help"),
    ],
    ids=lambda mistake: " ".join(mistake[0]),
)
def test_a_mistake_is_one_line(
    sentinel: Callable[..., Result], here: Path, mistake: tuple[list[str], str, str]
) -> None:
    """Value and remedy, exit code not 0, and no file that was not there."""
    words, value, remedy = mistake
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert_one_line(sentinel("record", *words), value, remedy)
    assert before == {path.name: path.read_bytes() for path in here.iterdir()}


def test_ctrl_c_keeps_what_came(embedded_lane: Lane, supervisor: Supervisor, tmp_path: Path) -> None:
    """A signal ends it at once, with exit code 0, a whole file and a line that says so."""
    path, lane = tmp_path / "a.rec", embedded_lane
    command = [sys.executable, "-m", "sentinel", "record", str(path), "--key", lane.bus.stream, "--transport", "pubsub"]
    child = supervisor.start("record", command, log=tmp_path / "log", env=stack_environment(lane.bus, lane.store))
    wait_until("it listens", lambda: lane.publish([message()], "pubsub"), START)
    lane.publish([message(seq=n) for n in range(9)], "pubsub")
    child.signal(signal.SIGINT)
    assert 0 == child.wait(20)
    count = len(contents(path)[0])
    assert 1 <= count <= 10
    log = (tmp_path / "log").read_text()
    assert log.startswith(f"recorded {path}: {count} messages (0.0 MiB) in ")
    assert log.endswith("; it was stopped\n")


@pytest.mark.parametrize(
    ("text", "size"), [("100000", 100_000), ("64MiB", 64 << 20), ("1.5 kb", 1500), ("2GB", 2 * 10**9)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    """With a unit of thousands or of 1,024, in any letters."""
    assert size == Size().convert(text, None, None)
