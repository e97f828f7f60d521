"""Folded stacks: every sample at work gets a stage, the rest is left out, and the picture is a plain static SVG."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import sentinel
from sentinel.errors import TrialError
from sentinel.lab.presentation.style import STAGE_COLOURS
from sentinel.lab.profiling import flamegraph, icicle
from sentinel.lab.profiling import stacks as flames
from sentinel.lab.profiling.stacks import MOVED, OTHER, RULES, STAGES, Folded

START = (
    "_run_module_as_main (<frozen runpy>:173);_run_code (<frozen runpy>:65);<module> (sentinel/__main__.py:1)"
    ";main (sentinel/cli.py:247);Command.main (click/core.py:1483);consume (sentinel/consumer/command.py:98)"
)
RUN = f"{START};Consumer.run (sentinel/consumer/consumer.py:124)"
OPEN = f"{START};open_consumer (sentinel/consumer/command.py:106);Consumer.__init__ (sentinel/consumer/consumer.py:80)"
CLIENT = "sentinel/store/influxdb_client.py"
TAKE = f"{RUN};Consumer._take (sentinel/consumer/consumer.py:175)"
THREAD = (
    "Thread._bootstrap (threading.py:988);Thread._bootstrap_inner (threading.py:1028);Thread.run (threading.py:971)"
)
WRITER = f"{THREAD};PostWriter._work (sentinel/consumer/writing/writers.py:212)"
POOL = f"{THREAD};_worker (concurrent/futures/thread.py:69);_WorkItem.run (concurrent/futures/thread.py:53)"
CALLED_BACK = (
    f"{POOL};WriteApi._on_next (influxdb_client/client/write_api.py:536)"
    ";Consumer._settle (sentinel/consumer/consumer.py:218)"
)
SETTLED = "Measure.settled (sentinel/consumer/measuring/measurement.py:52)"
EXCHANGE = f"{RUN};SocketStream._exchange (sentinel/bus/receiving/stream.py:245)"
ACKNOWLEDGE = (
    "Acknowledgement.give (sentinel/consumer/acknowledgement.py:29);retry (sentinel/consumer/writing/delivery.py:62)"
)

AT_WORK = [
    (
        "receive",
        f"{RUN};Consumer._read (sentinel/consumer/consumer.py:148)"
        ";RedisPyStream.read (sentinel/bus/receiving/stream.py:62)",
    ),
    (
        "receive",
        f"{RUN};SocketStream._entries (sentinel/bus/receiving/stream.py:210);Socket.fill (sentinel/bus/link.py:96)",
    ),
    ("receive", f"{RUN};RawPubSub.read (sentinel/bus/receiving/pubsub.py:70);_f (redis/connection.py:1)"),
    ("decode", f"{TAKE};_from_json_loads (sentinel/model/codecs.py:75);JSONDecoder.raw_decode (json/decoder.py:343)"),
    ("encode", f"{TAKE};LineEncoder.__call__ (sentinel/model/lineprotocol.py:53)"),
    (
        "encode",
        f"{TAKE};PointEncoder.__call__ ({CLIENT}:37);Point.tag (influxdb_client/client/write/point.py:1)",
    ),
    (
        "encode",
        f"{TAKE};SynchronousWriter.put (sentinel/consumer/writing/client.py:80);SynchronousApi.write ({CLIENT}:104)"
        ";WriteApi._serialize (influxdb_client/client/write_api.py:300)"
        ";Point.to_line_protocol (influxdb_client/client/write/point.py:200)",
    ),
    ("batch", f"{TAKE};Batcher.add (sentinel/consumer/batching.py:58)"),
    (
        "write",
        f"{WRITER};Delivery.deliver (sentinel/consumer/writing/delivery.py:99)"
        ";StoreClient.write (sentinel/store/client.py:60)"
        ";SocketIO.readinto (socket.py:692)",
    ),
    (
        "write",
        f"{TAKE};SynchronousWriter.put (sentinel/consumer/writing/client.py:80);SynchronousApi.write ({CLIENT}:104)",
    ),
    ("write", f"{POOL};ScheduledItem.invoke (reactivex/scheduler/scheduleditem.py:24)"),
    (
        "acknowledge",
        f"{WRITER};Consumer._settle (sentinel/consumer/consumer.py:218);{ACKNOWLEDGE};_f (redis/client.py:1)",
    ),
    ("acknowledge", f"{CALLED_BACK};{ACKNOWLEDGE}"),
    ("acknowledge", f"{EXCHANGE};SocketStream._acknowledgement (sentinel/bus/receiving/stream.py:262)"),
    ("receive", f"{EXCHANGE};Socket.send (sentinel/bus/link.py:130)"),
    (
        "acknowledge",
        f"{THREAD};Consumer._keep (sentinel/consumer/consumer.py:234)"
        ";StreamGroup.maintain (sentinel/bus/receiving/stream.py:107)"
        ";RedisPyStream._trim (sentinel/bus/receiving/stream.py:148)",
    ),
    (
        "record",
        f"{WRITER};Consumer._settle (sentinel/consumer/consumer.py:218);{SETTLED}",
    ),
    (
        "record",
        f"{CALLED_BACK};{SETTLED};Sequences.see (sentinel/consumer/measuring/sequences.py:57)",
    ),
    ("other", RUN),
    ("other", TAKE),
]
LEFT_OUT = [
    "",
    START,
    f"{START};_find_and_load (<frozen importlib._bootstrap>:1165);<module> (sentinel/consumer/consumer.py:1)",
    f"{OPEN};identify (sentinel/store/servers.py:90)",
    f"{OPEN};_encoder (sentinel/consumer/consumer.py:50);_load_unlocked (<frozen importlib._bootstrap>:1120)",
    f"{THREAD};Consumer._keep (sentinel/consumer/consumer.py:234);Condition.wait (threading.py:295)",
    f"{THREAD};Consumer._keep (sentinel/consumer/consumer.py:234);wait (threading.py:295)",
    f"{THREAD};_worker (concurrent/futures/thread.py:69)",
    "_shutdown (threading.py:1541);Thread.join (threading.py:1087);Thread._wait_for_tstate_lock (threading.py:1125)",
]


def folded(*stacks: str, count: int = 1) -> Folded:
    """The stacks, each so often."""
    return flames.parsed("".join(f"{stack} {count}\n" for stack in stacks))


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stage", "stack"), AT_WORK)
def test_a_stack_belongs_to_the_stage_that_it_names(stage: str, stack: str) -> None:
    """Real stacks of the three configurations: libraries go to their caller, what they call back does not."""
    [(frames, _)] = flames.working(folded(stack))
    assert stage == flames.stage_of(frames)


@pytest.mark.parametrize("stack", LEFT_OUT)
def test_what_is_no_work_on_messages_is_left_out(stack: str) -> None:
    """Imports, connecting, the end, and threads that wait are in no share."""
    assert [] == flames.working(folded(stack))


def test_shares_sum_to_one() -> None:
    """Every sample at work is in exactly one stage, and the left-out ones are counted apart."""
    stacks = [stack for _, stack in AT_WORK]
    actual = flames.summary(folded(*stacks, count=3) + folded(*LEFT_OUT))
    assert (3 * len(stacks), len(LEFT_OUT)) == (actual["samples"], actual["left_out"])
    shares = flames.breakdown(actual, 40.0).shares
    assert list(STAGES) == list(shares)
    assert 1.0 == pytest.approx(sum(shares.values()))
    assert 3 / (3 * len(stacks)) == pytest.approx(shares["batch"])


def test_microseconds_are_the_stages_share_of_what_was_measured_elsewhere() -> None:
    """The profile gives shares only; without a measured cost there are no microseconds."""
    actual = flames.summary(folded(AT_WORK[0][1], count=3) + folded(AT_WORK[3][1]))
    assert (30.0, 10.0, 0.0) == tuple(
        flames.breakdown(actual, 40.0).us(stage) for stage in ("receive", "decode", "write")
    )
    assert flames.breakdown(actual, None).us("receive") is None


def test_functions_have_their_own_and_their_total_samples() -> None:
    """Innermost frames count as own; a recursive function counts once per sample in the total."""
    stacks = folded(f"{RUN};f (a.py:1);f (a.py:1)", count=3) + folded(f"{RUN};f (a.py:1);g (a.py:9)", count=2)
    functions = flames.summary(stacks)["functions"]
    assert {"f (a.py:1)": [3, 5], "g (a.py:9)": [2, 2]} == functions


@pytest.mark.parametrize("text", ["", *(f"{stack} 7\n" for stack in LEFT_OUT)])
def test_a_profile_without_work_is_refused(text: str) -> None:
    """Shares of nothing would be made up."""
    with pytest.raises(TrialError, match="the trial was too short"):
        flames.summary(flames.parsed(text))


@pytest.mark.parametrize("line", ["a (b.py:1);c (d.py:2)", "a (b.py:1) many", "a 1.5"])
def test_what_is_no_folded_stack_is_refused_with_its_line(line: str) -> None:
    """A file that was not written to its end, or is something else, is named by what stands in it."""
    with pytest.raises(TrialError, match=re.escape(repr(line))):
        flames.parsed(line)


def test_odd_frames_are_parsed() -> None:
    """Frames without a line, with spaces and brackets in their names, and native ones keep function and module."""
    [(frames, count)] = flames.parsed("f (my module/a (b).py:12);<listcomp> (x.py:3);g (x.py);native 12\n")
    expected = [("f", "my module/a (b).py"), ("<listcomp>", "x.py"), ("g", "x.py"), ("native", "")]
    assert expected == [(frame.function, frame.module) for frame in frames]
    assert 12 == count


def test_rules_name_what_there_is() -> None:
    """A module or function that was renamed must not fall silently into `other`."""
    root = Path(sentinel.__file__).parent.parent
    ours = [rule for rule in RULES if rule.module.startswith("sentinel/")]
    assert [] == [rule for rule in ours if not (root / rule.module).exists()]
    entries = [module for module in flamegraph.ENTRY_FRAMES if module.startswith("sentinel/")]
    assert [] == [module for module in entries if not (root / module).exists()]
    for rule in ours:
        path = root / rule.module
        text = "".join(file.read_text() for file in ([path] if path.is_file() else sorted(path.rglob("*.py"))))
        assert [] == [name for name in rule.names if not re.search(rf"(?:def|class) {name}\b", text)]
    assert {rule.stage for rule in RULES} | {OTHER} == set(STAGES) == set(STAGE_COLOURS)


def test_stacks_of_earlier_runs_keep_their_stages() -> None:
    """A module that moved since a run was made still names the same stage."""
    root = Path(sentinel.__file__).parent.parent
    assert [] == [now for now in MOVED.values() if not (root / now).exists()]
    [(frames, _)] = flames.parsed(
        "HttpStore.write (sentinel/sink.py:60);RedisPyStream.tend (sentinel/bus/stream.py:9) 1"
    )
    assert frames[0].module == "sentinel/store/client.py"
    assert frames[1].names == ["RedisPyStream", "maintain"]


# -- picture ---------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
STACKS = flames.working(folded(*(stack for _, stack in AT_WORK), count=5))


@pytest.fixture(scope="module")
def picture() -> ET.Element:
    """The flame graph of all stages."""
    return ET.fromstring(flamegraph.svg(STACKS, "baseline"))


def boxes(picture: ET.Element) -> list[tuple[str, float, float, float]]:
    """(tooltip, left, right, top) of every frame."""
    collected = []
    for group in picture.iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert rect is not None
        x, width, y = (float(rect.get(name, "nan")) for name in ("x", "width", "y"))
        collected.append((title.text or "", x, x + width, y))
    return collected


def test_the_flame_graph_is_one_static_file(picture: ET.Element) -> None:
    """No script, link or address: nothing but shapes, texts and their colours on a dark page."""
    assert {"svg", "title", "style", "rect", "text", "g"} == {
        element.tag.removeprefix(SVG) for element in picture.iter()
    }
    assert not [
        name for element in picture.iter() for name in element.attrib if name.startswith("on") or "href" in name
    ]
    assert ["http://www.w3.org/2000/svg"] == re.findall(r"\w+://[^\"' ]+", flamegraph.svg(STACKS, "baseline"))


def test_names_are_escaped() -> None:
    """A frame or a title cannot become markup."""
    bad = "<script>alert('&')</script>"
    text = flamegraph.svg(flames.working(folded(f"{RUN};{bad} (a.py:1)", count=9)), bad)
    assert "<script" not in text
    assert any(bad in title for title, *_ in boxes(ET.fromstring(text)))


def test_callers_are_as_wide_as_what_they_call(picture: ET.Element) -> None:
    """Frames of one row do not overlap, each lies below a wider one, and the uppermost row holds every sample."""
    places = boxes(picture)
    rows = {top: sorted((left, right) for _, left, right, y in places if y == top) for top in {y for *_, y in places}}
    first = rows[min(rows)]
    assert icicle.WIDTH - 2 * icicle.EDGE == pytest.approx(sum(right - left for left, right in first), abs=0.2)
    for top, row in rows.items():
        assert all(before[1] <= after[0] + 0.02 for before, after in pairwise(row))
        above = rows.get(top - icicle.ROW)
        assert above is None or all(any(a - 0.02 <= x and y <= b + 0.02 for a, b in above) for x, y in row)


def test_what_stands_before_the_consumer_is_no_row(picture: ET.Element) -> None:
    """The way from `python -m` to the consumer is the same in every stack and says nothing."""
    titles = [title for title, *_ in boxes(picture)]
    assert not [title for title in titles if "click/" in title or "runpy" in title or "_bootstrap" in title]
    assert any(title.startswith("Consumer.run (sentinel/consumer/consumer.py:124): ") for title in titles)


def test_tooltips_have_samples_share_and_stage(picture: ET.Element) -> None:
    """Pointed at, a frame says what it is, how often it was met, and where it was counted."""
    titles = [title for title, *_ in boxes(picture)]
    assert f"Batcher.add (sentinel/consumer/batching.py:58): 5 samples, {100 / len(AT_WORK):.1f} % (batch)" in titles
