"""Progress: estimates that learn, the line of a terminal, whole lines without one, and the line in a notebook."""

from __future__ import annotations

import io
import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import HTML, Javascript

from sentinel.environment import LabSettings
from sentinel.lab.notebook import progress, progress_bar
from sentinel.lab.notebook.estimate import MOST, Estimate, clock, share
from sentinel.lab.notebook.progress import Progress
from sentinel.lab.notebook.progress_bar import (
    REPORTING,
    STARTING,
    LogLines,
    Standing,
    TerminalLine,
    standing,
    watched,
)

if TYPE_CHECKING:
    from pathlib import Path

seconds = st.floats(0.1, 1000)

# -- estimates -------------------------------------------------------------------------------------------------------


@given(st.integers(1, 20), seconds, st.floats(0.01, 100), st.data())
def test_what_is_left_is_estimated_by_what_was_seen(
    steps: int, each: float, factor: float, data: st.DataObject
) -> None:
    """Where every step takes the same multiple of what was expected, one of them is enough to tell the rest."""
    estimate = Estimate({"a": steps * each, "b": 7.0})
    assert pytest.approx(steps * each + 7) == estimate.left
    done = data.draw(st.integers(1, steps))
    for _ in range(done):
        estimate.done("a", each, factor * each)
    assert pytest.approx((steps - done) * each * factor + 7, rel=1e-6, abs=1e-6 * factor * each) == estimate.left


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), seconds, seconds)))
def test_no_work_takes_less_than_no_time(steps: list[tuple[str, bool, float, float]]) -> None:
    """More steps than were foreseen, or of another kind, leave nothing, and never less."""
    estimate = Estimate({"a": 100.0, "b": 10.0})
    for kind, skipped, expected, took in steps:
        before = estimate.left / max(estimate.scale(kind), 1e-9)
        estimate.skip(kind, expected) if skipped else estimate.done(kind, expected, took)
        assert estimate.left >= 0
        assert not skipped or estimate.left <= before * max(estimate.scale(kind), 1e-9) + 1e-6


def test_kinds_learn_apart() -> None:
    """What memory trials take says nothing of capacity trials."""
    estimate = Estimate({"capacity": 30.0, "memory": 20.0})
    estimate.done("memory", 10.0, 40.0)
    assert (1.0, 4.0, 30.0 + 40.0) == (estimate.scale("capacity"), estimate.scale("memory"), estimate.left)
    estimate.skip("memory", float("inf"))
    assert 30.0 == estimate.left


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_not_over_is_never_full(done: float, left: float) -> None:
    """100 % is for the end alone, also where nothing seems to be left."""
    assert 0 <= share(done, left) <= MOST < 100


@pytest.mark.parametrize(("given", "expected_text"), [(0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")])
def test_a_clock_is_read_at_a_glance(given: float, expected_text: str) -> None:
    """Minutes and seconds, and hours where there are any."""
    assert expected_text == clock(given)


# -- where the work stands -------------------------------------------------------------------------------------------


def told(**more: Any) -> dict[str, Any]:
    """What a kernel tells of itself, at the moment 100."""
    return {"label": "a step", "note": "", "closed": False, "at": 100.0, "left": 20.0, "step": 5.0} | more


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1e4), st.booleans(), st.floats(0, 1e5))
def test_it_stands_below_full_while_it_runs(
    left: float, step: float, elapsed: float, closed: bool, passed: float
) -> None:
    """However long a step takes beyond its time, and whatever was foreseen, something is left."""
    actual = standing(told(left=left, step=step, closed=closed), elapsed, 100.0 + passed)
    assert 0 <= actual.percent <= MOST


def test_within_a_step_time_passes() -> None:
    """Between two words of the kernel the estimate counts down, but not beyond the step that runs."""
    shown = [standing(told(), 10.0 + passed, 100.0 + passed) for passed in (0.0, 5.0, 50.0)]
    assert ["0:10 of about 0:36", "0:15 of about 0:36", "1:00 of about 1:21"] == [actual.time for actual in shown]


def test_the_step_that_is_named_is_the_one_that_runs() -> None:
    """The kernel's start and the page's drawing are steps too, and a step may tell more of itself."""
    assert STARTING == standing({}, 1.0, 100.0).words
    assert "a step: 3 of 5" == standing(told(note="3 of 5"), 1.0, 100.0).words
    assert REPORTING == standing(told(closed=True), 1.0, 100.0).words


# -- on stderr -------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        """So it says."""
        return True


def test_a_log_has_whole_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One at each step, one where a step takes long, each ended by a newline, the end last."""
    moments = iter([0.0, 1.0, 2.0, 14.0, 15.5, 16.0, 16.5])
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: next(moments))
    log = LogLines()
    for percent, step in enumerate(["a", "a", "b", "b", "b", "b"]):
        log.show(Standing(percent, "0:01 of about 0:09", step, "note"))
    log.finished = True
    log.close(9.0)
    expected = "  0% …  a: note\n  2% …  b: note\n100% 0:09  done\n"
    assert expected.replace("…", "0:01 of about 0:09") == capsys.readouterr().err


def test_a_long_step_is_told_of_again(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After 15 seconds a log says that the same step still runs."""
    moments = iter([0.0, 14.9, 15.1, 20.0])
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: next(moments))
    log = LogLines()
    for percent in range(4):
        log.show(Standing(percent, "0:01", "a"))
    assert "  0% 0:01  a\n  2% 0:01  a\n" == capsys.readouterr().err


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_progress_is_followed_until_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO]
) -> None:
    """In a terminal one line is drawn anew, elsewhere lines follow each other; full is what ended well alone."""
    monkeypatch.setattr(progress_bar, "LOOK", 0.01)
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    file = tmp_path / "progress.json"
    with watched(file):
        for step, left in (("a step", 20.0), ("a slower one", 9000.0)):
            now = told(label=step, left=left, at=time.monotonic(), step=0.0)
            file.with_suffix(".part").write_text(json.dumps(now), encoding="utf-8")
            file.with_suffix(".part").replace(file)
            while step not in shown.getvalue():
                time.sleep(0.01)
        assert "100%" not in shown.getvalue()
    percents = [int(matches) for matches in re.findall(r"(\d+)% ", shown.getvalue())]
    assert percents == sorted(percents)
    assert "100%" in shown.getvalue().splitlines()[-1].split("\r")[-1]
    assert shown.getvalue().endswith("\n")
    assert shown.isatty() == ("\r" in shown.getvalue())
    assert shown.isatty() == (1 == shown.getvalue().count("\n"))


@pytest.mark.parametrize("kind", [LogLines, TerminalLine])
def test_what_broke_off_is_not_called_done(
    capsys: pytest.CaptureFixture[str], kind: type[LogLines | TerminalLine]
) -> None:
    """The line stays where it stood."""
    line = kind()
    line.show(Standing(40, "0:04 of about 0:10", "a step"))
    line.close(5.0)
    text = capsys.readouterr().err
    assert "40%" in text
    assert "done" not in text


# -- in the kernel ---------------------------------------------------------------------------------------------------


def test_the_kernel_tells_of_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is whole at any moment and holds the step that runs, corrected by those that are over."""
    file = tmp_path / "progress.json"
    monkeypatch.setenv(LabSettings.PROGRESS, str(file))
    now = [50.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    actual = Progress({"memory": 20.0})

    def state(*names: str) -> tuple[Any, ...]:
        read = json.loads(file.read_text(encoding="utf-8"))
        return tuple(read[name] for name in names)

    assert ("starting", 20.0, False) == state("label", "left", "closed")
    actual.step("memory: a", 10.0, kind="memory")
    now[0] += 30
    actual.note("half of it")
    assert ("memory: a", "half of it", 10.0, 0.0) == state("label", "note", "left", "step")
    actual.advance(10.0)
    assert (30.0, 30.0) == state("elapsed", "left")
    actual.step("memory: b", 10.0, kind="memory")
    assert ("memory: b", "", 30.0) == state("label", "note", "step")
    actual.close("written")
    assert ("written", 0.0, True) == state("label", "left", "closed")
    assert [file] == list(tmp_path.iterdir())


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100), st.floats(0, 100), st.booleans())))
def test_the_percentage_never_falls(steps: list[tuple[str, float, float, bool]]) -> None:
    """Whatever a kind's steps turn out to take, whatever is skipped, and between two words of the kernel."""
    now = [0.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.time, "monotonic", lambda: now[0])
        actual = Progress({"a": 200.0, "b": 200.0})
        shown = [actual._state()["percent"]]
        for kind, expected, took, skipped in steps:
            if skipped:
                actual.skip(kind, expected)
            else:
                actual.step("a step", expected, kind=kind)
                told = actual._state()
                now[0] += took
                # As a window counts on from the last state that it was given.
                counted = share(told["elapsed"] + took, told["left"] - min(told["step"], took))
                shown += [told["percent"], max(told["percent"], counted)]
                actual.advance(expected)
            shown.append(actual._state()["percent"])
    assert shown == sorted(shown)
    assert shown[-1] <= MOST


def test_an_output_ends_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts for JupyterLab's window come before the words that replace them, and the last takes all away."""
    shown: list[HTML | Javascript] = []

    class Handle:
        update = staticmethod(shown.append)

    monkeypatch.setattr(progress, "get_ipython", lambda: True)
    monkeypatch.setattr(progress, "display", lambda *_, **__: Handle)
    actual = Progress({"a": 10.0})
    actual.step("one <b>step</b>", 10.0, kind="a")
    actual.advance(10.0)
    actual.close("all is written")
    assert [Javascript, HTML] * 4 == [type(each) for each in shown]
    assert all("sentinel-status" in script.data for script in shown[::2])
    assert "createElement" not in shown[-2].data
    assert re.search(r'value="100".* 100 % all is written</p>$', shown[-1].data)
    assert "one &lt;b&gt;step" in shown[3].data
    assert all('value="100"' not in words.data for words in shown[1:-1:2])
