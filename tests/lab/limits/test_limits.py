"""Limits: what bounds a throughput follows from the data; a measurement counts up, and leaves nothing on the bus."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, replace
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg
from support.figures import labels, texts
from support.records import changed, record
from support.synthetic import ALL, made

from sentinel import cli
from sentinel.bus.byte_counter import ByteCounter
from sentinel.errors import StackError, StoreError, TrialError
from sentinel.lab import formatting, plots
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.limits import bounds
from sentinel.lab.limits import measurement as limits
from sentinel.lab.limits import store as limits_of_store
from sentinel.lab.limits.bounds import (
    AT_REFERENCE,
    BUS,
    CONNECTIONS,
    DELIVERY,
    LINES,
    PUBLISH,
    READ,
    XADD,
    bound,
    share,
    store,
)
from sentinel.lab.limits.bus import CHUNK, IsolatedBus
from sentinel.lab.limits.component import SOURCES, Measurement
from sentinel.lab.limits.limit import Limit
from sentinel.lab.limits.store import IsolatedStore
from sentinel.lab.presentation.style import styles
from sentinel.lab.registry import table
from sentinel.lab.report import limits as limits_report
from sentinel.lab.report import results, sections, terminal
from sentinel.lab.run import queries
from sentinel.lab.trials.lab import LIMITS, Lab
from sentinel.runtime.text_table import WIDTH
from sentinel.settings import LoadSettings
from sentinel.store import identify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.servers import Lane

    from sentinel.lab.plots import Picture
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.stack import Stack

RATES = {PUBLISH: 2e6, XADD: 1e6, READ: 350e3, DELIVERY: 1.4e6, store(1): 1500, store(256): 60e3, store(5000): 160e3}
NAMES = list(RATES)
UNITS = "msg/s", "points/s"


def made_limits(**faster: float) -> list[Limit]:
    """Limits of three repeats each; a factor for `store` or `read` makes that faster."""
    factor = {store(lines): faster.get("store", 1.0) for lines in LINES} | {READ: faster.get("read", 1.0)}
    rates = {name: rate * factor.get(name, 1.0) for name, rate in RATES.items()}
    return [
        Limit(
            name,
            f"messages that {name} takes",
            "points/s" if "store" in name else "msg/s",
            (0.9 * rate, rate, 1.2 * rate),
        )
        for name, rate in rates.items()
    ]


def with_limits(run: Run, measured: Iterable[Limit]) -> Run:
    """The run as if it had measured them, after a way through JSON."""
    return changed(run, limits=[asdict(limit) for limit in measured])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole run without limits; not to be changed."""
    return made(tmp_path_factory.mktemp("run"))


def text_of(html: str) -> str:
    """The text of a page, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def bounding(measured: Iterable[Limit], transport: str, *, paced: bool) -> str | None:
    """The name of what bounds a throughput."""
    limit = bound(measured, transport, paced=paced)
    return limit.name if limit else None


# What bounds what ----------------------------------------------------------------------------------------------------


def test_a_drained_stream_is_bounded_by_reading_or_by_the_store() -> None:
    """The lower of the two, whichever it is; what adds to the stream has no part in it."""
    assert store(5000) == bounding(made_limits(), "stream", paced=False)
    assert READ == bounding(made_limits(store=10), "stream", paced=False)
    slow_xadd = [Limit(XADD, "", "msg/s", (1.0,)), *(limit for limit in made_limits() if limit.name != XADD)]
    assert store(5000) == bounding(slow_xadd, "stream", paced=False)
    assert XADD == bounding(slow_xadd, "stream", paced=True)


def test_pubsub_is_bounded_by_delivery_or_by_the_store() -> None:
    """A stream's limits say nothing about Pub/Sub."""
    assert store(5000) == bounding(made_limits(), "pubsub", paced=True)
    assert DELIVERY == bounding(made_limits(store=100, read=0.001), "pubsub", paced=True)


@pytest.mark.parametrize("lines", LINES)
def test_the_store_counts_with_the_size_of_request_that_reaches_most(lines: int) -> None:
    """An upper bound is the highest of what was measured, whatever the size of a configuration's requests."""
    faster = [replace(item, values=(2e5,)) if item.name == store(lines) else item for item in made_limits(read=100)]
    assert store(lines) == bounding(faster, "stream", paced=False)


@pytest.mark.parametrize("missing", [READ, store(5000)])
def test_without_every_limit_on_the_way_nothing_is_bounded(missing: str) -> None:
    """Half of the limits could name the wrong one: none is named, and no share follows."""
    actual = [limit for limit in made_limits() if limit.name != missing]
    assert bound(actual, "stream", paced=False) is None
    assert bound([], "stream", paced=False) is None
    publish = made_limits()[0]
    assert ["–", "–", "50.0"] == [share(5.0, None), share(None, publish), share(1.2e6, publish)]


def test_what_passes_a_limit_is_at_the_reference() -> None:
    """No share is over 100 %: the limit counts with the highest of its repeats, and what is beyond has no share."""
    limit = made_limits()[0]
    assert ["100", AT_REFERENCE] == [share(2.4e6, limit), share(2.5e6, limit)]
    beyond = bounds.Throughput("x", "x", 2.5e6, 3, limit)
    assert "at the reference (2,500,000 of 2,400,000), PUBLISH" == beyond.against


def test_a_limit_survives_json_and_has_a_median() -> None:
    """What run.json holds is what was measured; an outlier does not move it."""
    limit = Limit(XADD, "words", "msg/s", (3.0, 100.0, 1.0))
    assert 3.0 == limit.median
    assert [limit] == record(limits=[asdict(limit)]).limits


# The report ----------------------------------------------------------------------------------------------------------


def test_an_old_run_has_dashes_and_says_why(run: Run) -> None:
    """Runs from before limits were measured still render: table, terminal and section."""
    (row,) = [row for row in results.rows(run) if row.name == "Capacity, share of the limit"]
    assert ("%", ["–"] * 4) == (row.unit, row.cells)
    assert "Share of the limit, %" in table(run)
    assert not [note for note in results.footnotes(run) if note.startswith("Share of the limit")]
    assert "not measured" in text_of(sections.limits(run).data)
    assert "<img" not in sections.limits(run).data


def test_the_table_shows_shares_of_what_bounds_a_capacity(run: Run) -> None:
    """Capacity ÷ the store's highest at 5,000 lines, per cent; the headline is no capacity."""
    (row,) = [row for row in results.rows(with_limits(run, made_limits())) if "share" in row.name]
    expected = [100 * run.data.summary[name]["capacity"] / 192e3 for name in ALL]
    assert [*map(formatting.figure, expected), "–"] == row.cells
    assert any(note.startswith("Share of the limit") for note in results.footnotes(with_limits(run, made_limits())))


def test_the_section_names_every_share_and_its_limit(run: Run) -> None:
    """One sentence for all configurations, one for those that post every point alone, both from the data."""
    capacity = {name: run.data.summary[name]["capacity"] for name in ALL}
    text = text_of(sections.limits(with_limits(run, made_limits())).data)
    shares = {name: f"{formatting.figure(100 * value / 192e3)} %" for name, value in capacity.items()}
    assert (
        f"Of the messages that store, 5,000 lines takes, optimised drains {shares['optimised']},"
        f" client-batching {shares['client-batching']} and baseline {shares['baseline']}." in text
    )
    isolated = formatting.figure(100 * capacity["baseline"] / 1800)
    assert f"of the messages that store, 1 line takes, baseline drains {isolated} %." in text
    assert "at the reference" not in text
    read = text_of(sections.limits(with_limits(run, made_limits(store=10))).data)
    of_reading = formatting.figure(100 * capacity["optimised"] / 420e3)
    assert f"Of the messages that stream read takes, optimised drains {of_reading} %" in read


def test_more_than_the_limit_is_said_not_hidden(run: Run) -> None:
    """Both figures stand in the sentence, the table says it too, and no percentage above 100 is anywhere."""
    passed = with_limits(run, made_limits(store=0.1))
    text = text_of(sections.limits(passed).data)
    capacity = formatting.figure(run.data.summary["optimised"]["capacity"])
    assert f"optimised drains {capacity} msg/s, at the reference: 19,200 messages that store, 5,000" in text
    assert "no upper bound" in text
    assert AT_REFERENCE in {row.name: row.cells for row in results.rows(passed)}["Capacity, share of the limit"]
    for shown in (text, table(passed), text_of(sections.key_results(passed).data), picture(passed).alt):
        assert AT_REFERENCE in shown
        assert not [figure for figure in re.findall(r"([\d,.]+) % of", shown) if float(figure.replace(",", "")) > 100]
    assert any("It was passed, so that it is a reference" in note for note in results.footnotes(passed))


def test_knees_are_held_against_the_limit_of_a_paced_load(run: Run) -> None:
    """A sweep has no capacities: the rates that it found are marked instead, and one without a rate is not."""
    actual = {"rate": 40e3, "held": [2, 3], "at_least": True}
    knees = {"baseline": actual | {"rate": None}, "optimised": actual}
    sweep = with_limits(changed(run, summary={}, knees=knees), made_limits())
    (reached,) = limits_report.throughputs(sweep)
    assert ("optimised", 40e3, 3, store(5000)) == (reached.label, reached.value, reached.trials, reached.limit.name)
    assert "Of the messages that store, 5,000 lines takes, optimised sustains at least 20.8 %." in text_of(
        sections.limits(sweep).data
    )


def picture(run: Run) -> Picture:
    """The section's figure, laid out."""
    drawn = plots.limits(run.data.limits, limits_report.throughputs(run), styles(queries.names(run)))
    FigureCanvasAgg(drawn.figure).draw()
    return drawn


@pytest.mark.parametrize("names", [ALL, ALL[-1:], ("baseline", "optimised,decode=json.loads,write=client-batching")])
def test_nothing_in_the_figure_is_clipped_or_overlaps(tmp_path: Path, names: tuple[str, ...]) -> None:
    """All texts lie within the figure, tick labels leave each other room, n and units are there."""
    drawn = picture(with_limits(made(tmp_path, names, repeats=1), made_limits()))
    x0, y0, x1, y1 = drawn.figure.bbox.padded(1).extents
    drawn_texts = texts(drawn.figure)
    assert [] == [text for text, box in drawn_texts if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1]
    (axes,) = drawn.figure.axes
    for axis in (axes.xaxis, axes.yaxis):
        boxes = [label.get_window_extent() for label in labels(axis)]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
    assert "per second" in axes.get_xlabel()
    assert len(axes.get_yticks()) == sum("(n = " in text for text, _ in drawn_texts)


def test_the_alt_text_has_every_limit_and_every_share(run: Run) -> None:
    """Those who do not see the figure learn the same numbers."""
    alt = picture(with_limits(run, made_limits())).alt
    for name in (*NAMES, *ALL):
        assert name in alt
    assert "store, 5,000 lines 160,000 points/s (144,000 to 192,000, n = 3)" in alt
    share_of_it = formatting.figure(100 * run.data.summary["optimised"]["capacity"] / 192e3)
    assert f"{share_of_it} % of store, 5,000 lines" in alt
    assert "Held against them" not in picture(with_limits(changed(run, summary={}), made_limits())).alt


def test_the_terminal_has_a_row_and_an_explanation_for_every_limit() -> None:
    """Medians and ranges stand aligned under the stack's label; no line is wider than a terminal."""
    own = {"late_p50": 0.071, "late_p99": 4.775, "late_max": 31.44}
    own |= {"mean": 1.1, "slow": 2.26, "slowest": 15.2, "turns": 2400, "others": 1.0}
    lines = terminal.limits_table(made_limits(), "embedded stack: Valkey 9.", own).splitlines()
    assert "embedded stack: Valkey 9." == lines[0]
    assert max(map(len, lines)) <= WIDTH
    rule = next(n for n, line in enumerate(lines) if line.startswith("───"))
    rows = lines[rule + 1 : rule + 1 + len(NAMES)]
    assert {len(lines[rule])} == {len(row) for row in rows}
    assert ["store, 5,000 lines", "160,000", "144,000", "192,000", "3", "points/s"] == re.split(r"\s{2,}", rows[-1])
    notes = lines[rule + 2 + len(NAMES) :]
    assert [f"{name}: messages that {name} takes." for name in NAMES] == notes[: len(NAMES)]
    assert " ".join(notes[len(NAMES) :]) == (
        "The machine by itself, with nothing else running: a timer due every millisecond was late by 0.07 ms at p50,"
        " 4.78 ms at p99 and 31.4 ms at most; a fixed piece of work took 1.10 times its median on average,"
        " over 3 times in 2.3 % of 2,400 turns, 15 times at most."
    )


# Measuring -----------------------------------------------------------------------------------------------------------


def test_limits_are_measured_and_leave_nothing_on_the_bus(embedded_lane: Lane, embedded: Stack) -> None:
    """Every limit has its repeats, the store holds every point, Redis no key and no subscriber."""
    told: list[str] = []
    measured = limits.measure(embedded, embedded_lane.run, seconds=0.02, repeats=2, note=told.append)
    assert NAMES == [limit.name for limit in measured]
    assert all(len(limit.values) == 2 and min(limit.values) > 0 for limit in measured)
    assert all("(client included)" in limit.words for limit in measured)
    assert limits.steps(2) == len(told)
    assert embedded_lane.stored() >= sum(LINES) * 3
    with embedded_lane.redis() as redis:
        assert [] == redis.keys(f"*{embedded_lane.run}*")
        assert [] == redis.pubsub_channels(f"*{embedded_lane.run}*")


def test_native_servers_have_limits_too(native_stack: Stack) -> None:
    """Redis and InfluxDB, binary messages."""
    message = LoadSettings(codec="binary")
    measured = limits.measure(native_stack, uuid.uuid4().hex, message=message, seconds=0.02, repeats=1)
    assert NAMES == [limit.name for limit in measured]
    assert "binary messages of up to 40 bytes that Redis takes by pipelined XADD" in measured[1].words


def test_a_slow_thing_is_done_less_often() -> None:
    """The count is what the time allows, in whole steps, at least one, and never more than there is room for."""

    def costing(each: float, most: int = 10**9) -> Measurement:
        return Measurement("x", "", "", lambda count: each * count, 10, most)

    assert [1_000, 10_000_000, 10, 500] == [
        limits._enough(way, limits._tried(way, 1.0), 1.0)
        for way in (costing(1e-3), costing(1e-7), costing(7.0), costing(1e-9, 500))
    ]


def test_of_several_ways_the_fastest_counts() -> None:
    """Each is tried once, and what reaches most under a name is what is measured."""

    def way(name: str, words: str, each: float) -> Measurement:
        return Measurement(name, words, "", lambda count: each * count, 10, 10**9)

    told: list[str] = []
    ways = [way("a", "slow", 1e-3), way("a", "fast", 1e-4), way("a", "middling", 5e-4), way("b", "only", 1e-3)]
    measured = limits._fastest(ways, 1.0, told.append)
    assert {"a": ("fast", 10_000), "b": ("only", 1000)} == {
        name: (item.words, n) for name, (item, n) in measured.items()
    }
    assert ["a", "a", "a", "b"] == told


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_requests_are_spread_over_connections(embedded_lane: Lane, embedded: Stack, connections: int) -> None:
    """Every point of every connection is stored, and counted."""
    isolated_store = IsolatedStore(embedded, embedded_lane.run, LoadSettings())
    assert isolated_store.post(6 * 256, 256, connections) > 0
    isolated_store.verify()
    isolated_store.close()
    assert 6 * 256 == embedded_lane.stored()


def test_a_limit_is_measured_again_after_the_capacities(
    embedded_lane: Lane, embedded: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and the store's fastest way get one value more; the others stay as they were."""
    monkeypatch.setattr(limits, "SECONDS", 0.02)
    before = limits.measure(embedded, embedded_lane.run, seconds=0.02, repeats=1)
    after = limits.again(embedded, f"{embedded_lane.run}.again", before, LoadSettings())
    best = max((limit for limit in before if limit.unit == "points/s"), key=lambda limit: limit.highest)
    grown = {limit.name: (*first.values, *limit.values[1:]) for first, limit in zip(before, after, strict=True)}
    assert grown == {limit.name: limit.values for limit in after}
    assert {READ, best.name} == {limit.name for limit in after if len(limit.values) == 2}


def test_lost_points_are_an_error(embedded_lane: Lane, embedded: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that holds less than it acknowledged has no limit, and the message has both counts."""
    monkeypatch.setattr(limits_of_store, "SETTLE", 0.0)
    isolated_store = IsolatedStore(embedded, embedded_lane.run, LoadSettings())
    isolated_store.post(512, 256)
    isolated_store.verify()
    isolated_store.written += 1
    with pytest.raises(TrialError, match="points that the store holds: 512 were counted, expected 513"):
        isolated_store.verify()
    isolated_store.close()


def test_points_of_several_measurements_do_not_meet(embedded_lane: Lane, embedded: Stack) -> None:
    """Series and times differ over all requests and sizes, to the millisecond, which is all that some stores keep."""
    isolated_store = IsolatedStore(embedded, embedded_lane.run, LoadSettings())
    for lines in LINES:
        isolated_store.post(lines, lines)
    isolated_store.close()
    rows = embedded_lane.rows()
    assert sum(LINES) == len(rows) == len({(row["source"], row["time"] // 1_000_000) for row in rows})
    assert SOURCES == len({row["source"] for row in rows})


def test_a_byte_counter_expects_what_redis_sends(embedded_lane: Lane) -> None:
    """The size foretold for a message is what arrives, to the byte; with nothing more to come it gives up."""
    counter = ByteCounter(embedded_lane.bus)
    payloads = [b"", b"x" * 9, b"x" * 10, b"x" * 1000]
    assert len(payloads) == embedded_lane.publish(payloads, "pubsub")
    due = sum(map(counter.size, payloads))
    assert due == counter.count(due)
    counter.close()


def test_somebody_elses_subscriber_is_noticed(embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing to nobody is measured only where nobody listens: a stranger on the channel is an error."""
    (publish,) = [m.timed for m in IsolatedBus(embedded_lane.bus, LoadSettings()).measurements() if m.name == PUBLISH]
    counter = ByteCounter(embedded_lane.bus)
    with pytest.raises(TrialError, match="receivers of messages that nobody was subscribed to"):
        publish(CHUNK)
    counter.close()
    assert publish(CHUNK) > 0


# In a lab, and by hand -----------------------------------------------------------------------------------------------


class NoMeasurement(Lab[Benchmark]):
    """A lab without trials."""

    notebook = "benchmark"

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return {LIMITS: limits.expected(self.parameters.REPEATS)}

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Lab."""
        return {}


def test_a_lab_keeps_the_limits_in_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """run.json holds them; where they cannot be measured the run goes on, with a warning that says why."""
    given: dict[str, Any] = {}

    def measure(stack: Stack, run: str, **more: Any) -> list[Limit]:
        given.update(more, run=run)
        return made_limits()

    def refuse(*_: object, **__: object) -> list[Limit]:
        raise StoreError("the store at http://x answered 503: busy")

    lab = NoMeasurement.open(Benchmark(STACK="embedded", REPEATS=2, FIELDS=50), tmp_path)
    monkeypatch.setattr(limits, "measure", measure)
    assert made_limits() == lab.limits()
    assert (lab.run.data.machine.jitter or {})["turns"] >= 1
    assert (50, 2, f"{lab.run.id}.limits.0") == (given["message"].fields, given["repeats"], given["run"])
    assert made_limits() == lab.run.data.limits
    monkeypatch.setattr(limits, "measure", refuse)
    assert [] == lab.limits()
    record = json.loads((lab.close().folder / "run.json").read_text())
    assert [] == record["limits"]
    assert any("answered 503: busy" in warning for warning in record["warnings"])


def test_the_command_prints_a_table(embedded: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sentinel limits` on servers that are there already; no bar where nobody watches."""
    env = {"REDIS_URL": embedded.bus.url, "INFLUX_URL": embedded.store.url}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(cli.cli, ["limits", "--stack", "external", "--seconds", "20ms", "--repeats", "1"])
    assert (0, "") == (done.exit_code, done.stderr)
    assert done.stdout.startswith("external stack: ")
    assert all(re.search(rf"^{re.escape(name)}  +[\d,.]+", done.stdout, re.MULTILINE) for name in NAMES)
    assert re.search(r"The machine( by itself, with nothing else|, while other work took \d+ %)", done.stdout)


def test_the_command_says_what_a_stack_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured where there is nothing to measure."""
    for name in ("REDIS_URL", "INFLUX_URL"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(cli.cli, ["limits", "--stack", "external"])
    assert isinstance(done.exception, StackError)


def test_names_of_limits_are_complete() -> None:
    """Every limit that is measured can be named by who asks for a bound."""
    assert [*BUS, *map(store, LINES)] == NAMES


def test_a_missing_store_is_an_error(embedded: Stack) -> None:
    """A store that does not answer is named at once."""
    from dataclasses import replace

    away = replace(embedded, store=replace(embedded.store, url="http://127.0.0.1:9"))
    with pytest.raises(StoreError, match="does INFLUX_URL name it"):
        limits.measure(away, "x")
    assert identify(embedded.store)
