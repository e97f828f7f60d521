"""The section on CPU: shares and microseconds from the run, and words where there is no profile."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from support.figures import labels, texts
from support.pages import section
from support.profiles import PROFILED, SAMPLES, with_profiles
from support.records import changed
from support.synthetic import ALL, made, summed

from sentinel.lab import formatting, plots
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.presentation.tables import RAW
from sentinel.lab.profiling import flamegraph
from sentinel.lab.profiling import stacks as flames
from sentinel.lab.profiling.stacks import STAGES
from sentinel.lab.report import profiles, sections
from sentinel.lab.run.trial_record import PROFILE, Outcome, Plan
from sentinel.lab.trials import plans
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of the test's own, with profiles."""
    return with_profiles(made(tmp_path, repeats=1))


# -- plans -----------------------------------------------------------------------------------------------------------


def test_a_profile_takes_some_seconds_of_messages() -> None:
    """Three seconds at the measured capacity, MESSAGES or a tenth of it at least, half a million at most."""
    p = Benchmark(MESSAGES=20_000)
    actual = plans.profile(p, {"baseline": 500.0, "client-batching": 20_000.0, "optimised": 1e6})
    assert [("baseline", 2000), ("client-batching", 60_000), ("optimised", 500_000)] == [
        (plan.label, plan.load.count) for plan in actual
    ]
    assert [2000, 20_000, 20_000] == [plan.load.count for plan in plans.profile(p, {})]
    (short,) = plans.profile(Benchmark(CONFIGURATIONS="optimised"), {"optimised": 50_000.0}, 1.0)
    assert 50_000 == short.load.count  # a run of short trials has a short profile
    assert {(PROFILE, "stream", "profile")} == {(plan.kind, plan.load.transport, plan.group) for plan in actual}


# -- section ---------------------------------------------------------------------------------------------------------


def test_microseconds_are_shares_of_the_capacity_trials_cost(run: Run) -> None:
    """A stage's figure is its share of the samples times the CPU per message of unprofiled trials."""
    page = section("cpu", run)
    (alt,) = [attributes["alt"] or "" for tag, attributes in page.tags if tag == "img"]
    for name in ALL:
        cost = run.data.summary[name]["capacity_cpu_us"]
        assert f"{name}, {formatting.figure(cost)} µs per message, n = 400 samples: receive 50.0" in alt
        for count in (200, 50, 40, 30, 60, 12, 7, 1):
            assert formatting.figure(cost * count / SAMPLES) in page.text
    assert "all stages, while sampled 7.00 7.00 7.00" in page.text
    # 9 messages of 7 µs each, in 400 samples at 200 a second.
    assert "CPU, % of the sampled time 0.00315 0.00315 0.00315 messages, while sampled 9 9 9" in page.text


def test_what_the_codec_costs_where_is_tabled(run: Run) -> None:
    """Bytes on the wire, as the senders counted them, beside the stages that a codec bears upon and their share."""
    for outcome in run.data.trials:
        outcome.sender = {"sent": 4, "bytes": 500}
    page = section("cpu", run)
    assert f"Codec: json {' '.join(ALL)} a message on the wire, bytes 125 125 125" in page.text
    costs = [run.data.summary[name]["capacity_cpu_us"] for name in ALL]
    decode = " ".join(formatting.figure(cost * 50 / SAMPLES) for cost in costs)
    assert f"decode, µs per message {decode}" in page.text
    assert "decode and encode, % of CPU 22.5 22.5 22.5" in page.text
    played = changed(run, parameters=run.data.parameters | {"CODEC": "binary"})
    assert "Codec: binary" in section("cpu", played).text


def test_profiles_change_no_figure_of_the_run(tmp_path: Path) -> None:
    """Timing and profiling never share a trial: summary, spread and ratios are the same without them."""
    plain = made(tmp_path / "a", repeats=2)
    profiled = with_profiles(made(tmp_path / "b", repeats=2), throughput=1e9)
    for key in ("summary", "spread", "ratios", "noise"):
        assert getattr(plain.data, key) == getattr(profiled.data, key)
    sentences = profiled.data.verdict
    assert plain.data.verdict[1:] == sentences[1:]
    assert f"Every message of all {len(profiled.data.trials)} trials is accounted for" in sentences[0]


def test_the_functions_at_the_top_are_tabled(run: Run) -> None:
    """A dozen a configuration, each with its own share and that of what it calls."""
    page = section("cpu", run)
    assert 3 * 12 == len(re.findall(r"Class\.method_\d+", page.text))
    assert "Class.method_0 (some/package/module_0.py:0) 15.0 22.5" in page.text


def test_small_flame_graphs_are_in_the_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flame graph that exists is folded into the page, tooltips and all; only a large one is a link."""
    assert "The flame graphs are not beside this run." in section("cpu", run).text
    run.profiles.mkdir(parents=True)
    graph = run.profiles / "baseline-cpu.svg"
    stacks = flames.parsed(
        "Consumer.run (sentinel/consumer/consumer.py:1);Batcher.add (sentinel/consumer/batching.py:2) 9\n"
    )
    graph.write_text(flamegraph.svg(stacks, "baseline"))
    page = section("cpu", run)
    assert ["svg"] == [tag for tag, given in page.tags if tag in {"svg", "a"} and given.get("class") != RAW]
    assert "Batcher.add (sentinel/consumer/batching.py:2): 9 samples, 100.0 % (batch)" in page.text
    monkeypatch.setattr(profiles, "LARGEST", 10)
    links = [given["href"] for tag, given in section("cpu", run).tags if tag == "a" and given.get("class") != RAW]
    assert [f"../../profiles/{run.id}/baseline-cpu.svg"] == links
    assert (run.folder / str(links[0])).resolve() == graph.resolve()


def test_the_caption_says_how_sure_a_share_is(run: Run) -> None:
    """From the number of samples: ± 0.98 ÷ √n, in percentage points."""
    assert "With n = 400 samples a share is known to within ± 4.9 percentage points" in section("cpu", run).text


@pytest.mark.parametrize(("received", "remarked"), [(5000, ["baseline", "client-batching"]), (800, [])])
def test_a_message_that_cost_less_under_py_spy_is_remarked_on(
    tmp_path: Path, received: int, remarked: list[str]
) -> None:
    """Sampling slows a program down: where it seems not to, over more messages, the page says how to read it."""
    longer = with_profiles(made(tmp_path, repeats=1), cpu_us=20.0, consumer={"received": received})
    matches = re.findall(r"(\S+) took 20\.0 µs per message over the 5,000 messages", section("cpu", longer).text)
    assert remarked == matches


def test_the_ledgers_list_profile_trials_too(run: Run) -> None:
    """Every message of a profiled consumer is accounted for like any other."""
    assert 3 == section("ledgers", run).text.count("profile")


# -- what is missing -------------------------------------------------------------------------------------------------


def test_without_profiles_the_section_says_why(tmp_path: Path) -> None:
    """Switched off, not possible here, or nothing left: words instead of a figure."""
    bare = made(tmp_path, repeats=1)
    off = changed(bare, parameters=bare.data.parameters | {"PYSPY": False})
    assert "CPU was not profiled: PYSPY=False." == section("cpu", off).text
    why = "py-spy cannot sample here: <Permission denied>"
    assert f"CPU was not profiled: {why}." == section("cpu", changed(bare, unprofiled=why)).text
    assert "No profile trial left samples behind: there is nothing to show." == section("cpu", bare).text


def test_a_failed_profile_is_left_out_by_name_and_reason(tmp_path: Path) -> None:
    """The page stands without it, and says what py-spy said."""
    failed = with_profiles(made(tmp_path, repeats=1), profile={}, warnings=["no CPU profile: <too short>"])
    page = section("cpu", failed)
    assert "(optimised): no CPU profile: <too short>." in page.text
    assert "img" not in [tag for tag, _ in page.tags]
    for name in ("header", "key_results", "ledgers", "answer"):
        assert section(name, failed).text
    assert "Every message of all" in section("answer", failed).text


def test_without_capacity_there_are_shares_but_no_microseconds(tmp_path: Path) -> None:
    """The cost of a message is not taken from a profiled trial."""
    plan = Plan(0, PROFILE, "optimised", "optimised", LoadSettings())
    outcomes = [Outcome(plan, valid=True, profile=PROFILED, consumer={"received": 9})]
    alone = summed(made(tmp_path, ALL[-1:], repeats=1), outcomes, ALL[-1:])
    page = section("cpu", alone)
    assert "CPU per message unknown" in next(attributes["alt"] or "" for tag, attributes in page.tags if tag == "img")
    assert "receive –" in page.text


# -- figure ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [ALL, ALL[-1:], (*ALL, "optimised,decode=json.loads,write=client-batching")])
@pytest.mark.parametrize("cost", [None, 987.6, 0.0456])
def test_the_figure_is_legible(names: tuple[str, ...], cost: float | None) -> None:
    """No text is clipped, none lies on its neighbour, n stands in each panel, and the alt text has numbers."""
    stages = [{**dict.fromkeys(STAGES, 0), "write": SAMPLES}, PROFILED["stages"]]
    parts = {
        name: flames.breakdown(PROFILED | {"stages": stages[number % 2]}, cost) for number, name in enumerate(names)
    }
    picture = plots.stages(parts)
    FigureCanvasAgg(picture.figure).draw()
    x0, y0, x1, y1 = picture.figure.bbox.padded(1).extents
    drawn_texts = texts(picture.figure)
    assert [] == [text for text, box in drawn_texts if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1]
    for axes in picture.figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            assert [] == [
                pair
                for pair in pairwise(label.get_window_extent() for label in labels(axis))
                if pair[0].overlaps(pair[1])
            ]
        inside = [text.get_window_extent() for text in axes.texts]
        assert all(box.x1 <= axes.bbox.x1 + 1 for box in inside)
        assert "n = 400 samples" in axes.get_title("left")
        assert "%" in axes.get_xlabel()
    assert all(f"{name}, " in picture.alt for name in names)
    assert "nan" not in picture.alt


def test_the_section_is_one_of_the_reports() -> None:
    """Notebooks find it where the others are."""
    assert "cpu" in sections.__all__
