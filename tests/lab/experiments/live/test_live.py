"""The live view: records followed while they grow, the drawing, the sentences, and watches on a real stack."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import psutil
import pytest
from support.records import record
from support.windows import START, line, running, sample

from sentinel.lab import formatting
from sentinel.lab.experiments.live import plots
from sentinel.lab.experiments.live import report as live_report
from sentinel.lab.experiments.live import summary as live_summary
from sentinel.lab.experiments.live.feed import Feed
from sentinel.lab.experiments.live.figures import KEYS, KINDS, NOTHING, Figures
from sentinel.lab.experiments.live.parameters import Live
from sentinel.lab.experiments.live.plots import scaled
from sentinel.lab.experiments.live.record import Watched
from sentinel.lab.experiments.live.trials import LiveLab
from sentinel.lab.experiments.live.watch import Watch, interruptible, planned
from sentinel.lab.experiments.live.window import Window
from sentinel.lab.report import sections
from sentinel.lab.run.run import Run, load
from sentinel.lab.run.trial_record import LIVE, Outcome
from sentinel.lab.trials.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from IPython.display import HTML

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

# -- feed ------------------------------------------------------------------------------------------------------------


def test_a_tail_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    """Every line is read once and whole, however the writer's pieces fall; before there is a file there are none."""
    path = tmp_path / "lines"
    tail = Tail(path)
    assert [] == tail.lines()
    with path.open("ab", buffering=0) as file:
        file.write(b'{"a":1}\n{"a"')
        assert [{"a": 1}] == tail.lines()
        assert [] == tail.lines()
        file.write(b':2}\n{"a":3}\n')
        assert [{"a": 2}, {"a": 3}] == tail.lines()
        assert [] == tail.lines()


def recorded(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Lines of a trial's programs, in the order in which they come."""
    lines = []
    for beat in range(1, 21):
        at = beat / 2
        lines.append((folder / "load" / "0", {"at": START + int(at * 1e9), "sent": int(at * 100)}))
        lines.append((folder / "consumer", line(at, int(at * 100), (1_000_000,))))
        if at.is_integer():
            lines.append((folder / "agent", sample(at, load1=at)))
    return lines


def append(folder: Path, content: dict[str, Any]) -> None:
    """Add a line to a record."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "intervals.jsonl").open("a") as file:
        file.write(json.dumps(content) + "\n")


def shown(window: Window, now: int) -> str:
    """The view as of a moment."""
    return live_report.seen(window, now, "", window.tally(now))


def test_a_record_read_while_it_grows_gives_the_same_view_as_afterwards(tmp_path: Path) -> None:
    """Everything in a live view can be recomputed from the folder."""
    growing, whole = Window(60), Window(60)
    feed = Feed(tmp_path, growing)
    for folder, content in recorded(tmp_path):
        append(folder, content)
        feed.read()
    Feed(tmp_path, whole).read()
    now = START + int(10e9)
    assert shown(growing, now) == shown(whole, now)
    assert 1000 + 10 == whole.tally(now)["sent"]


def test_a_sender_that_wrote_its_ledger_has_ended(tmp_path: Path) -> None:
    """From then on its last count stands for every later moment."""
    window = Window(60)
    for folder, content in recorded(tmp_path):
        append(folder, content)
    append(tmp_path / "consumer", line(12, 1010))
    now = START + int(12e9)
    Feed(tmp_path, window).read()
    assert -2.0 == window.pipeline(now).seconds[-1]
    (tmp_path / "load" / "0" / "ledger.json").write_text("{}")
    Feed(tmp_path, window).read()
    assert 0.0 == window.pipeline(now).seconds[-1]


# -- drawing ---------------------------------------------------------------------------------------------------------


def drawn(window: Window, now: int) -> tuple[str, str]:
    """The SVG and its alt text."""
    drawing = plots.live(window.host(now), window.pipeline(now), window.seconds)
    return drawing.svg, drawing.alt


def test_a_panel_without_enough_messages_says_so() -> None:
    """Of fewer than 368 messages an interval there is no p99 to draw; nobody takes the empty panel for a fault."""
    for n, few in ((367, True), (368, False)):
        window = Window(60)
        for beat in range(1, 9):
            window.consumer(line(beat / 2, n * beat, (1_000_000,) * n))
        svg, alt = drawn(window, START + 4_000_000_000)
        assert few == ("Latency p99, ms (too few messages)" in svg)
        assert f"stored p50 1.00, p99 {'–' if few else '1.00'}" in alt


@pytest.mark.parametrize("seconds", [0, 0.5, 1, 30, 600])
def test_the_drawing_has_one_size_and_nine_panels(seconds: float) -> None:
    """Whatever there is to show, from nothing to a full window: well-formed, bounded, without a NaN."""
    window, now = running(seconds, window=60)
    window.forget(now)
    svg, alt = drawn(window, now)
    root = ET.fromstring(svg)  # our own
    assert plots.SIZE == (int(root.attrib["width"]), int(root.attrib["height"]))
    assert 9 == len(root.findall("{http://www.w3.org/2000/svg}g"))
    assert len(svg) < 100_000
    assert "nan" not in svg + alt
    assert "inf" not in svg


def test_lines_stay_within_their_panel() -> None:
    """Every point of every line lies between the panel's edges."""
    window, now = running(90)
    svg, _ = drawn(window, now)
    points = [
        tuple(map(float, pair.split(","))) for each in re.findall(r'points="([^"]+)"', svg) for pair in each.split()
    ]
    width, height = plots.SIZE[0] / 3, plots.SIZE[1] / 3
    assert len(points) > 9 * 60
    assert all(40 <= x <= width - 98 + 0.1 and 25.9 <= y <= height - 25.9 for x, y in points)


def test_every_line_has_its_name_and_latest_value() -> None:
    """A reader needs no legend, and who does not see the picture is told the same values."""
    window, now = running(20, behind=7)
    svg, alt = drawn(window, now)
    for name in ("CPU 20.0", "memory 20.0", "stored 1,000", "backlog 27.0", "internal 2.00", "lost 0", "retries 0"):
        assert f">{name}<" in svg
    assert "CPU 20.0 %, memory 20.0 %" in alt
    assert "backlog 27.0, lost 0 messages" in alt


def test_a_gap_is_not_bridged() -> None:
    """A value that is missing interrupts the line; a lone value is a dot."""
    window = Window(60)
    for at, durations in ((1, (5,)), (2, ()), (3, (5,)), (4, (5,))):
        window.consumer(line(at, at, durations))
    svg, _ = drawn(window, START + int(4e9))
    stretches = [each.split() for each in re.findall(r'points="([^"]+)"', svg.split("Latency p50")[1].split("</g>")[0])]
    assert 3 * 2 == len(stretches)
    assert all(len(stretch) == 2 for stretch in stretches)
    assert stretches[0][0] == stretches[0][1]


@pytest.mark.parametrize(("highest", "unit"), [(0.0, "B/s"), (999.0, "B/s"), (1000.0, "kB/s"), (2.5e6, "MB/s")])
def test_bytes_are_told_in_the_unit_that_fits(highest: float, unit: str) -> None:
    """Both series of a panel in the largest unit of which there is at least one."""
    (low, high), actual = scaled(np.array([0.0, np.nan]), np.array([np.nan, highest]))
    assert unit == actual
    assert (0.0, highest) == (low[0], pytest.approx(high[1] * {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6}[unit]))


# -- sentences -------------------------------------------------------------------------------------------------------


def outcome(**more: Any) -> Outcome:
    """A watch that went well, unless told otherwise."""
    collected: dict[str, Any] = {
        "valid": True,
        "sender": {"sent": 3010},
        "consumer": {"rejected": 0, "retries": 0},
        "stored": 3010,
    }
    return Outcome(planned(Live(), 0), **collected | more)


WHOLE = Figures(30.0, 1003.0, dict(zip(KEYS, (0.1, 0.2, 0.5, 2.0, 2.0, 8.0), strict=True)))
SAMPLES = [{"cpu_usage": cpu, "mem_usage": 20.0, "fields": {"load1": 1.5}} for cpu in (10.0, 30.0, 50.0)]
DONE = Watched(30.0)


@pytest.mark.parametrize(
    ("more", "watched", "expected_text"),
    [
        ({}, DONE, "In 30.0 s, 3,010 messages were sent, 3 of them this host's own samples"),
        ({}, DONE, "the store holds 3,010: nothing was lost. Every message is accounted for."),
        ({"lost": 5}, DONE, "5 lost."),
        ({"consumer": {"rejected": 2, "retries": 1}}, DONE, "2 rejected and 1 request made again."),
        ({}, Watched(12.3, interrupted=True), "In 12.3 s (interrupted), "),
        ({"valid": False, "problems": ["a ledger is missing"]}, DONE, "the watch is invalid: a ledger is missing."),
    ],
)
def test_the_answer_follows_from_the_counts(more: dict[str, Any], watched: Watched, expected_text: str) -> None:
    """What was sent, what became of it, and for how long; a watch that does not add up says only that."""
    assert expected_text in live_summary.of_live(Live(), outcome(**more), SAMPLES, watched, WHOLE).verdict[0]


def test_the_answer_has_latency_and_host() -> None:
    """Further sentences: how long it took, and how this host did; without a sample that is said."""
    actual = live_summary.of_live(Live(), outcome(), SAMPLES, DONE, WHOLE)
    assert "stored after 2.00 ms (p50) and 8.00 ms (p99)" in actual.verdict[1]
    assert "CPU 30.0 % (median of 3 samples; up to 50.0 %), memory 20.0 %, load 1.50" in actual.verdict[2]
    few = replace(WHOLE, latencies=WHOLE.latencies | {(kind, 0.99): math.nan for kind in KINDS})
    text = live_summary.of_live(Live(), outcome(), SAMPLES, DONE, few).verdict[1]
    assert "stored after 2.00 ms (p50), counted from its intended send; it was in a batch after 0.500 ms." in text
    assert text.endswith("For a p99 there were too few: it takes 368 messages.")
    bare = live_summary.of_live(Live(), outcome(), [], DONE, NOTHING).verdict
    assert "nothing is known of this host" in bare[1]


# -- watches ---------------------------------------------------------------------------------------------------------


def watch(
    stack: Stack,
    supervisor: Supervisor,
    folder: Path,
    show: Callable[[Window, int, float], None] | None = None,
    **given: Any,
) -> Watch:
    """A short one, not begun."""
    p = Live(**{"SECONDS": 2.0, "RATE": 300.0, "WORKERS": 3, "INTERVAL": 0.5, "WINDOW": 10.0} | given)
    shown = show or (lambda *_: None)
    return Watch(planned(p, 0), stack, folder, supervisor, f"test.{folder.name}", parameters=p, show=shown)


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_a_watch_shows_what_goes_on_and_accounts_for_it(
    real: Stack, supervisor: Supervisor, tmp_path: Path, transport: str
) -> None:
    """On every stack and transport: shown about once a second, and in the end all that was sent is stored."""
    seen: list[int] = []
    done = watch(
        real,
        supervisor,
        tmp_path,
        lambda window, now, _: seen.append(window.tally(now)["written"]),
        TRANSPORT=transport,
    )
    run = done.run()
    assert [] == run.problems
    assert run.stored == run.sender["sent"] == done.window.tally(done.window.end)["sent"]
    assert run.stored == done.window.tally(done.window.end)["written"]
    assert run.stored > 2 * 300
    assert seen == sorted(seen)
    assert 1 <= len(seen) <= 2  # one fewer on a machine that halts for a second
    assert LIVE == run.plan.kind


def text_of(page: HTML) -> str:
    """Its words, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.data))


def test_one_watch_has_one_count_and_one_latency(tmp_path: Path) -> None:
    """Caption, table, ledger and verdict of a record agree to the message and to the digit."""
    usual = {"WORKERS": 3, "INTERVAL": 0.5, "WINDOW": 10.0, "STACK": "embedded"}
    p = Live(SECONDS=2.0, RATE=300.0, PERCENTILES="50,95,99", **usual)
    lab = LiveLab.open(p, root=tmp_path)
    lab.watch()
    run = load(lab.close().id, tmp_path)
    view, verdict = text_of(live_report.view(run)), " ".join(run.data.verdict)
    stored, summary = run.data.trials[0].stored, run.data.summary["optimised"]
    assert f"2 of 2 s: {run.data.summary['host']['samples']} samples of this host" in view
    assert f"messages: {stored:,} sent, {stored:,} written, 0 lost, 0 rejected, 0 retries." in view
    assert f"{stored:,} messages were sent" in verdict
    assert f"{stored:,} {stored:,}" in text_of(sections.ledgers(run))
    shown = ("p50", "p95", "p99")
    figures = [summary["throughput"], *(summary[f"{kind}_{q}"] for kind in KINDS for q in shown)]
    assert f"since the start {' '.join(map(formatting.figure, figures))} " in view
    assert f"At {formatting.figure(figures[0])} msg/s" in verdict
    assert f"{formatting.figure(summary['stored_p99'])} ms (p99), counted from" in verdict


def test_a_record_without_a_watch_has_no_last_window(tmp_path: Path) -> None:
    """What is missing is said in words: no trial, or no record of its consumer."""
    run = Run("r", tmp_path, record(parameters={"WINDOW": 10}, watched={"seconds": 2.0}))
    assert "Nothing was watched." in live_report.view(run).data
    run.data.trials = [outcome(valid=False, consumer={})]
    assert "left no record" in live_report.view(run).data


def test_messages_that_never_came_are_in_the_last_view(tmp_path: Path) -> None:
    """The last view counts as the ledgers do: what was lost behind the last message, or left on the bus, is there."""
    for folder, content in recorded(tmp_path):
        append(folder, content)
    window = Window(60)
    Feed(tmp_path, window).read()
    got = {"written": 1000, "duplicated": 0, "rejected": 0, "retries": 0, "jumped": 2, "skipped": None}
    seen = live_report.accounted(window, outcome(sender={"sent": 1010}, consumer=got, lost=3, unread=7), 30.0)
    assert "1,010 sent, 1,000 written, 3 lost, 0 rejected, 0 retries, 2 jumped, 7 left unread." in seen


def until_sampled(window: Window, *_: object) -> None:
    """Ends the watch once a sample of this host was stored."""
    if window.tally(window.end)["written"]:
        os.kill(os.getpid(), signal.SIGINT)


def test_the_agent_alone_can_be_watched(embedded: Stack, supervisor: Supervisor, tmp_path: Path) -> None:
    """LOAD=False: what is sent are this host's samples and nothing else."""
    done = watch(embedded, supervisor, tmp_path, until_sampled, LOAD=False, SECONDS=50.0)
    run = done.run()
    assert [] == run.problems
    assert 1 <= run.stored == done.window.samples == run.sender["sent"]


def test_a_watched_agent_says_nothing_of_itself(embedded: Stack, supervisor: Supervisor, tmp_path: Path) -> None:
    """The store's count is compared with its samples: a message about itself would be one too many."""
    sentences: list[list[str]] = []

    def look(window: Window, *_: object) -> None:
        running = [child for child in done._children if child.name == "agent" and child.poll() is None]
        sentences.extend(psutil.Process(child.pid).cmdline() for child in running)
        until_sampled(window)

    done = watch(embedded, supervisor, tmp_path, look, LOAD=False, SECONDS=50.0)
    assert [] == done.run().problems
    assert sentences
    assert all(words[words.index("--health") + 1] == "off" for words in sentences)


def test_an_interrupt_ends_a_watch_in_order(embedded: Stack, supervisor: Supervisor, tmp_path: Path) -> None:
    """What was sent until then is stored and accounted for; the handler from before is back."""
    before = signal.getsignal(signal.SIGINT)
    sent: list[int] = []

    def show(window: Window, now: int, _: float) -> None:
        sent.append(window.tally(now)["sent"])
        if sent[-1] > 100:
            os.kill(os.getpid(), signal.SIGINT)

    done = watch(embedded, supervisor, tmp_path, show, SECONDS=50.0)
    run = done.run()
    assert (True, []) == (done.interrupted, run.problems)
    assert run.stored == run.sender["sent"] >= sent[-1]
    assert all(count <= 100 for count in sent[:-1])
    assert before is signal.getsignal(signal.SIGINT)


@pytest.fixture
def hearing() -> Iterator[None]:
    """Python's own answer to SIGINT, also where the tests were started in the background, deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hearing")
def test_a_second_interrupt_does_what_it_always_did() -> None:
    """Whoever is in a hurry is not made to wait for the draining."""
    with interruptible() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
        with pytest.raises(KeyboardInterrupt):
            _interrupted_again()


def _interrupted_again() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(5)


def test_a_consumer_that_ends_is_an_invalid_watch(embedded: Stack, supervisor: Supervisor, tmp_path: Path) -> None:
    """The watch ends at once, says which program ended and why, and leaves no other running."""
    done = watch(embedded, supervisor, tmp_path, SECONDS=50.0)
    done._show = lambda *_: done._children[0].signal(signal.SIGKILL)
    run = done.run()
    assert not run.valid
    assert "the consumer ended with code -9" in run.problems[0]
    assert all(child.poll() is not None for child in done._children)
