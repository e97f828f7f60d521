"""Profiling: a real capture becomes figures per message and pages that open offline; a useless one says why."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import memray
import pytest

from sentinel.errors import TrialError
from sentinel.lab.profiling import memory
from sentinel.lab.profiling.memory import PAGES, difference, short_location

if TYPE_CHECKING:
    from sentinel.lab.process.supervisor import Supervisor

MESSAGES = 500
SIZE = 10_000
"""Bytes that `work` allocates for each message."""


def work(messages: int) -> None:
    """One allocation a message, big enough to stand out, freed at once."""
    for _ in range(messages):
        bytearray(SIZE)


def capture_of(path: Path, messages: int, count: str | None) -> Path:
    """A capture of `work`, with `count` beside it as the profiled consumer writes it."""
    with memray.Tracker(path, trace_python_allocators=True):
        work(messages)
    if count is not None:
        path.with_suffix(".json").write_text(count)
    return path


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture that saw messages."""
    return capture_of(tmp_path_factory.mktemp("capture") / "memray.bin", MESSAGES, f'{{"messages": {MESSAGES}}}')


# -- figures ---------------------------------------------------------------------------------------------------------


def test_a_capture_is_summed_up_per_message(capture: Path, supervisor: Supervisor) -> None:
    """Bytes and allocations are those of the code that ran, freed or not, divided by the messages it served."""
    totals = memory.summary(capture, supervisor)
    assert MESSAGES == totals["messages"]
    assert SIZE <= totals["bytes_per_message"] < 1.1 * SIZE
    assert 1 <= totals["allocations_per_message"] < 10
    # Freed at once: never much more than one alive.
    assert SIZE <= totals["peak_bytes"] < 10 * SIZE


def test_the_places_that_allocate_are_named(capture: Path, supervisor: Supervisor) -> None:
    """The line that allocates leads the locations, its module the modules, and both sum up to the total."""
    totals = memory.summary(capture, supervisor)
    place, size = max(totals["locations"].items(), key=lambda item: item[1])
    assert place.startswith("work:")
    assert size == pytest.approx(SIZE, rel=0.1)
    assert sum(totals["locations"].values()) == pytest.approx(totals["bytes_per_message"], rel=0.02)
    assert sum(totals["modules"].values()) == pytest.approx(totals["bytes_per_message"], rel=0.02)


def test_a_capture_can_be_summed_up_again(capture: Path, supervisor: Supervisor) -> None:
    """Everything in a report can be recomputed from the folder: a second summary is the same."""
    assert memory.summary(capture, supervisor) == memory.summary(capture, supervisor)


def test_a_capture_without_a_count_is_refused(tmp_path: Path, supervisor: Supervisor) -> None:
    """Where the profiled consumer did not write how many messages it saw, figures per message would be made up."""
    path = capture_of(tmp_path / "memray.bin", 1, None)
    with pytest.raises(TrialError, match=re.escape(f"no message count beside {path}")):
        memory.summary(path, supervisor)


def test_a_capture_without_messages_is_refused(tmp_path: Path, supervisor: Supervisor) -> None:
    """A consumer that got no message after its warm-up allocated nothing for messages."""
    path = capture_of(tmp_path / "memray.bin", 0, '{"messages": 0}')
    with pytest.raises(TrialError, match=re.escape(f"{path} saw 0 messages")):
        memory.summary(path, supervisor)


@pytest.mark.parametrize("count", ["", "{}", '{"messages": null}'])
def test_a_broken_count_is_refused(tmp_path: Path, count: str, supervisor: Supervisor) -> None:
    """A count file that was not written to its end is reported by path like one that is missing."""
    path = capture_of(tmp_path / "memray.bin", 1, count)
    with pytest.raises(TrialError, match=re.escape(f"no message count beside {path}")):
        memory.summary(path, supervisor)


@pytest.mark.parametrize("content", [None, b"", b"not memray's"])
def test_an_unreadable_capture_is_refused_in_memrays_words(
    tmp_path: Path, content: bytes | None, supervisor: Supervisor
) -> None:
    """A missing, empty or foreign file is reported with its path and with what memray says of it."""
    path = tmp_path / "memray.bin"
    path.with_suffix(".json").write_text('{"messages": 1}')
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrialError, match=r"^memray stats .* failed: .*") as caught:
        memory.summary(path, supervisor)
    assert ("No such file" if content is None else "Failed to compute statistics") in str(caught.value)
    assert str(path) in str(caught.value)


# -- pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(capture: Path, tmp_path_factory: pytest.TempPathFactory, supervisor: Supervisor) -> dict[str, Path]:
    """The pages of the capture, kept in a folder that was not there."""
    trial = tmp_path_factory.mktemp("trial")
    shutil.copy(capture, trial / "memray.bin")
    kept = memory.keep(trial, tmp_path_factory.mktemp("profiles") / "new", "optimised")
    return {kind: memory.page(kind, kept, supervisor) for kind in PAGES}


def test_a_trial_without_a_capture_is_refused(tmp_path: Path) -> None:
    """There is nothing to keep where the profiled consumer left nothing, and the message names the trial."""
    with pytest.raises(TrialError, match=str(tmp_path)):
        memory.keep(tmp_path, tmp_path / "profiles", "optimised")


def test_every_page_is_made(pages: dict[str, Path]) -> None:
    """Each kind is a file named after the configuration, with the code that allocated in it."""
    assert list(PAGES) == list(pages)
    for kind, path in pages.items():
        assert f"optimised-{kind}.html" == path.name
        assert Path(__file__).name in path.read_text()


def test_pages_load_nothing_from_elsewhere(pages: dict[str, Path]) -> None:
    """They open on a machine without a network: no script, style, font or picture comes from an address."""
    for path in pages.values():
        text = path.read_text()
        assert 'src="http' not in text
        assert not re.findall(r"<(?:script|link|img|iframe)\b[^<>]*?=\s*[\"']?(?:https?:)?//", text)
        assert not re.findall(r"@import|url\(\s*[\"']?https?:", text)
        # plotly's default for the outlines of its maps, which these pages do not have.
        assert {"https://cdn.plot.ly/"} >= set(re.findall(r"[\w:/.-]*cdn\.[\w./-]*", text))


def test_pages_are_made_anew(pages: dict[str, Path], supervisor: Supervisor) -> None:
    """Pages that are there already are replaced, not an error."""
    pages["table"].write_text("old")
    assert pages["table"] == memory.page("table", pages["table"].with_name("optimised.bin"), supervisor)
    assert pages["table"].stat().st_size > 1000


def test_a_page_that_cannot_be_made_is_refused(tmp_path: Path, supervisor: Supervisor) -> None:
    """memray's own words say why."""
    with pytest.raises(TrialError, match="No such file"):
        memory.page("table", tmp_path / "none.bin", supervisor)


# -- locations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "short"),
    [
        ("decode:/home/me/lab/sentinel/model/codecs.py:33", "decode:sentinel/model/codecs.py:33"),
        ("decode:/home/me/sentinel/sentinel/cli.py:33", "decode:sentinel/cli.py:33"),
        ("decode:/x/lib/python3.12/site-packages/sentinel/model/codecs.py:3", "decode:sentinel/model/codecs.py:3"),
        ("send:/home/me/.venv/lib/python3.11/site-packages/redis/client.py:9", "send:redis/client.py:9"),
        ("send:/home/me/sentinel/.venv/lib/python3.11/site-packages/redis/client.py:9", "send:redis/client.py:9"),
        ("loads:/usr/lib/python3.11/json/__init__.py:3", "loads:json/__init__.py:3"),
        ("run:/opt/py/lib/python3.13/threading.py:1", "run:threading.py:1"),
        ("decode:/home/my user/lab/sentinel/model/codecs.py:33", "decode:sentinel/model/codecs.py:33"),
        ("_find:<frozen importlib._bootstrap>:12", "_find:<frozen importlib._bootstrap>:12"),
        ("<listcomp>:/home/me/lab/sentinel/model/lineprotocol.py:5", "<listcomp>:sentinel/model/lineprotocol.py:5"),
        ("sentinel.model.codecs", "sentinel.model.codecs"),
        ("", ""),
    ],
)
def test_a_location_has_nothing_of_the_machine(location: str, short: str) -> None:
    """Two machines, or two checkouts, give one location the same name, so that runs can be compared."""
    assert short == short_location(location)


def test_places_that_become_one_are_summed() -> None:
    """Two paths of one short name are one place, with the bytes of both."""
    rows = [{"location": f"f:/{home}/sentinel/x.py:1", "size": 100} for home in ("a", "b")]
    assert {"f:sentinel/x.py:1": 50.0} == memory._per_message(rows, "location", "size", 4)


def test_differences_are_sorted_by_change() -> None:
    """The largest change leads, growth or shrinkage; what is on one side alone counts in full; ties go by name."""
    before = {"same": 50.0, "less": 400.0, "gone": 90.0, "b": 1.0}
    after = {"same": 50.0, "less": 100.0, "new": 200.0, "a": 1.0}
    assert difference(before, after) == [
        ("less", 400.0, 100.0),
        ("new", 0.0, 200.0),
        ("gone", 90.0, 0.0),
        ("a", 0.0, 1.0),
        ("b", 1.0, 0.0),
        ("same", 50.0, 50.0),
    ]
    assert difference({}, {}) == []
