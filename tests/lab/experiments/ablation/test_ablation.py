"""Ablation: what each choice brings follows from the trials, and what they cannot tell is said, never guessed."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from support.figures import labels, texts
from support.pages import Reader
from support.records import changed
from support.synthetic import made

from sentinel.consumer.configurations import OPTIMISED, ORDER, parse
from sentinel.lab import formatting, registry
from sentinel.lab.experiments.ablation import plots
from sentinel.lab.experiments.ablation import report as ablation_report
from sentinel.lab.experiments.ablation.contributions import MEASURES, choices, contributions, short, trials
from sentinel.lab.experiments.ablation.parameters import Ablation
from sentinel.lab.experiments.ablation.results import by_measure_of
from sentinel.lab.experiments.ablation.summary import of_ablation
from sentinel.lab.experiments.ablation.trials import memory_plans
from sentinel.lab.presentation.phrase import Phrase, Strong
from sentinel.lab.registry import table
from sentinel.lab.report import sections as report
from sentinel.lab.run import queries
from sentinel.lab.run.run import Run
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, MEMORY, Outcome, Plan, warm_up
from sentinel.lab.statistics.compare import plain
from sentinel.runtime.text_table import WIDTH
from sentinel.settings import ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sentinel.lab.plots import Picture

NAMES = Ablation().names
WORTH = {"write": 10.0, "point": 2.0, "decode": 1.0, "receive": 5.0}
"""By what factor a choice makes everything better, whatever else is switched on."""
LABELS = ["write: post-batches", "point: line-bytes", "decode: msgspec", "receive: socket-reads"]


def switched(name: str) -> set[str]:
    """The axes on which a configuration is `optimised` already."""
    return {axis for axis, choice in parse(name).axes().items() if choice == OPTIMISED.axes()[axis]}


def alone(worth: Mapping[str, float]) -> Callable[[str], float]:
    """Choices that do not depend on each other."""
    return lambda name: math.prod(worth[axis] for axis in switched(name))


INDEPENDENT = alone(WORTH)


def outcomes(
    gain: Callable[[str], float] = INDEPENDENT,
    *,
    repeats: int = 4,
    spread: float = 0.01,
    again: float = 1.0,
    memray: bool = True,
    spoil: Callable[[Outcome], bool] = lambda _: False,
) -> list[Outcome]:
    """An ablation's trials: repeats differ by `spread`, the second leg of `optimised` by the factor `again`."""
    legs = [(name, gain(name)) for name in NAMES] + [(NAMES[-1] + CONTROL, again * gain(NAMES[-1]))]
    made: list[Outcome] = []
    for repeat in range(repeats):
        for label, better in legs:
            lucky = better * (1 + spread * (repeat - (repeats - 1) / 2))
            measured = {"throughput": 1000 * lucky, "cpu_us": 500 / lucky, "peak_rss_mb": 60.0}
            made.append(outcome(len(made), CAPACITY, label, repeat, **measured))
    for label, better in legs[:-1] if memray else []:
        sizes = {"bytes_per_message": 50_000 / better, "allocations_per_message": 300 / better}
        memory = {"messages": 2000, "modules": {"redis": 9.0, "<string>": 1.0}, "locations": {}, **sizes}
        made.append(outcome(len(made), MEMORY, label, 0, memory=memory))
    for contribution in made:
        if spoil(contribution):
            (
                contribution.valid,
                contribution.problems,
                contribution.throughput,
                contribution.cpu_us,
                contribution.memory,
            ) = (
                False,
                ["a ledger is missing"],
                0,
                None,
                {},
            )
    return made


def outcome(number: int, kind: str, label: str, repeat: int, **measured: Any) -> Outcome:
    """One valid trial."""
    load = LoadSettings(count=2000)
    return Outcome(Plan(number, kind, label, label.removesuffix(CONTROL), load, repeat=repeat), valid=True, **measured)


def summed(trials: list[Outcome], p: Ablation | None = None) -> dict[str, Any]:
    """What run.json would hold, after a way through JSON, which takes no NaN."""
    result = plain(of_ablation(p or Ablation(), trials))
    assert result == json.loads(json.dumps(result, allow_nan=False))
    return result


def about(trials: list[Outcome], start: str = "Capacity: ") -> str:
    """The verdict on one measure."""
    (contribution,) = [text for text in summed(trials)["verdict"] if text.startswith(start)]
    return str(contribution)


def says(trials: list[Outcome], measure: str = "capacity") -> dict[str, str]:
    """Axis to what is said of it."""
    return {contribution["choice"]["axis"]: contribution["says"] for contribution in summed(trials)["steps"][measure]}


def only(axis: str, up: float, beside: float) -> Callable[[str], float]:
    """WORTH, but one axis is worth `up` on the way up and `beside` the other choices of `optimised`."""
    return lambda name: alone(WORTH | {axis: up if name.startswith("baseline") else beside})(name)


# -- choices ---------------------------------------------------------------------------------------------------------


def test_every_comparison_differs_by_one_choice() -> None:
    """Before and after, and `optimised` with and without, differ on the choice's own axis and nowhere else."""
    for choice in choices(NAMES):
        for new, old in ((choice.after, choice.before), (NAMES[-1], choice.without)):
            differing = set(parse(new).axes().items()) - set(parse(old).axes().items())
            assert {(choice.axis, choice.new)} == differing
            assert parse(old).axes()[choice.axis] == choice.old


def test_every_configuration_of_an_ablation_is_compared() -> None:
    """None is measured for nothing, and the way leads from the first to the last in the order of the axes."""
    chosen = choices(NAMES)
    assert set(NAMES) == {
        name for contribution in chosen for name in (contribution.before, contribution.after, contribution.without)
    }
    assert list(ORDER) == [contribution.axis for contribution in chosen]
    assert (NAMES[0], NAMES[-1]) == (chosen[0].before, chosen[-1].after)
    assert [contribution.after for contribution in chosen[:-1]] == [contribution.before for contribution in chosen[1:]]


def test_short_names_tell_configurations_apart() -> None:
    """A column's head is short and no other's."""
    assert len(NAMES) == len({short(name) for name in NAMES})
    assert ["baseline", "+ write", "+ point"] == [short(name).replace("\N{NO-BREAK SPACE}", " ") for name in NAMES[:3]]
    assert "optimised without decode" in map(short, NAMES)


def test_a_memory_trial_outlasts_its_warm_up() -> None:
    """Even where few messages are sent and one read takes many, some are left for memray."""
    for plan in memory_plans(Ablation(MESSAGES=1000)):
        assert plan.load.count - ConsumerSettings.read_count > warm_up(plan.load.count)


# -- contributions ---------------------------------------------------------------------------------------------------


def test_the_steps_multiply_to_the_whole_way() -> None:
    """Factors of the steps give the ratio of the ends, and their shares one, for every measure."""
    result = summed(outcomes())
    for measure in MEASURES:
        steps = result["steps"][measure.name]
        product = math.prod(step["on"]["value"] for step in steps)
        assert product == pytest.approx(result["ratios"][measure.name]["value"])
        assert sum(step["share"] for step in steps) == pytest.approx(1)


def test_independent_choices_bring_the_same_on_and_off() -> None:
    """Without interplay both ratios are the choice's own factor; for what should fall, its inverse."""
    result = summed(outcomes())
    for measure in MEASURES:
        for step in result["steps"][measure.name]:
            worth = WORTH[step["choice"]["axis"]]
            expected = worth if measure.higher else 1 / worth
            assert [expected, expected] == pytest.approx([step["on"]["value"], step["off"]["value"]])


def test_the_record_leads_back_to_the_contributions(ablation: Run) -> None:
    """What run.json holds and what the trials give are the same."""
    assert contributions(NAMES, queries.outcomes(ablation)) == by_measure_of(ablation)


# -- verdict ---------------------------------------------------------------------------------------------------------


def test_the_two_largest_are_named_first_and_what_does_nothing_is_named_too() -> None:
    """Ten times and five times lead; a factor of one does not pay; a factor of two is neither."""
    named = summed(outcomes())["verdict"][1]
    assert "The two choices that matter most to capacity are write: post-batches and receive: socket-reads." in named
    assert "Shown not to pay: decode: msgspec in capacity, CPU per message and allocated per message." in named
    assert {"write": "pays", "point": "pays", "decode": "does not pay", "receive": "pays"} == says(outcomes())


def test_every_ratio_of_the_verdict_has_its_interval_and_n() -> None:
    """The sentence on capacity gives shares, both ratios, intervals, n, and the noise."""
    sentences = about(outcomes())
    assert "optimised is better than baseline, 100× [" in sentences
    assert "(95.2 % interval of 4 unpaired rounds; A/A noise floor 1.01×)" in sentences
    assert "write: post-batches with 50 % (10.0× [9.70, 10.3] on, 10.0× [9.80, 10.2] off)" in sentences
    assert "receive: socket-reads with 35 % (5.00× [4.90, 5.10] on and off, as the last step)" in sentences
    assert "Taken off again, the same two cost most." in sentences
    assert "Does not pay: decode: msgspec (1.00× [" in sentences


def test_memory_is_compared_without_intervals() -> None:
    """One memray trial each: the ratios say so, and are held to the band alone."""
    sentences = about(outcomes(), "Allocated per message: ")
    assert "0.01× (n = 1: no interval; up to 1.05× counts as no difference)" in sentences
    assert "write: post-batches with 50 % (0.10× on, 0.10× off)" in sentences
    assert {"pays", "does not pay"} == set(says(outcomes(), "bytes_per_message").values())


def test_a_choice_that_makes_it_worse_does_not_pay() -> None:
    """Half the capacity is no gain; its part of the way is negative."""
    trials = outcomes(alone(WORTH | {"decode": 0.5}))
    assert says(trials)["decode"] == "does not pay"
    assert summed(trials)["steps"]["capacity"][2]["share"] < 0


@pytest.mark.parametrize(("again", "expected_text"), [(1.4, "unstable"), (1.05, "unresolved")])
def test_what_the_noise_hides_is_not_shown_to_pay(again: float, expected_text: str) -> None:
    """Beyond a floor that rounds within reach do not narrow it is unstable, below it unresolved: never does it pay."""
    trials = outcomes(alone(WORTH | {"point": 1.02}), again=again)
    assert says(trials)["point"] == expected_text
    assert re.search(rf" is open \({expected_text}\): [^.]*point: line-bytes \(1\.02× \[", about(trials))


def test_scattered_repeats_are_unstable() -> None:
    """An interval that reaches from loss to gain decides nothing."""
    trials = outcomes(alone(WORTH | {"point": 1.3}), spread=0.3)
    assert {"unstable"} == {says(trials)["point"], says(trials)["decode"]}
    assert "Whether it pays is open (unstable): point: line-bytes (1.30× [" in about(trials)
    assert "in capacity" not in summed(trials)["verdict"][1]


def test_half_an_answer_is_given_as_such() -> None:
    """Where one ratio is clearly better and the other open, both are said."""
    trials = outcomes(only("decode", 1.03, 4.0), spread=0.03)
    assert says(trials)["decode"] == "unresolved"
    assert "Pays beside the others; on the way up that is open (unresolved): decode: msgspec (1.03× [" in about(trials)


def test_single_trials_settle_nothing() -> None:
    """With one repeat nothing is named as mattering; the medians' order is given as what it is."""
    trials = outcomes(repeats=1)
    assert {"unresolved"} == set(says(trials).values())
    assert "Which choices matter most to capacity: unresolved." in summed(trials)["verdict"][1]
    ahead = "write: post-batches (10.0×) and receive: socket-reads (5.00×) lead"
    assert f"unresolved, since single trials have no interval; by the medians alone {ahead}." in about(trials)
    assert "95 % takes 3; A/A noise floor 1.00×; at least 2 rounds more would settle it" in about(trials)


def test_too_few_rounds_say_how_many_it_takes() -> None:
    """Both legs of `optimised` carry 95 % from three rounds on, the other steps' single ones from four."""
    trials = outcomes(repeats=3)
    assert {"write": "unresolved", "point": "unresolved", "decode": "unresolved", "receive": "pays"} == says(trials)
    assert "Some ratios have too few rounds for a 95 % interval, which takes 4." in about(trials)
    assert "too few rounds" not in about(outcomes())


def test_both_legs_of_optimised_count() -> None:
    """The second leg's values are values of `optimised`: off, and at the end of the way, they move the ratios."""
    steps = summed(outcomes(again=1.21))["steps"]["capacity"]
    assert [(10.0, 11.0), (5.5, 5.5)] == [
        pytest.approx((step["on"]["value"], step["off"]["value"]), rel=0.02) for step in (steps[0], steps[3])
    ]


def test_what_lies_beyond_a_wide_noise_floor_is_a_difference() -> None:
    """However noisy the hour: ten times and five times are beyond a floor of two, and only the rest is open."""
    for again in (2.0, 0.5):
        trials = outcomes(again=again)
        assert "optimised is better than baseline, " in about(trials)
        assert "A/A noise floor 1.81×)" in about(trials)
        assert {"write": "pays", "decode": "unstable", "receive": "pays"}.items() <= says(trials).items()
        named = summed(trials)["verdict"][1]
        assert "that matter most to capacity are write: post-batches and receive: socket-reads." in named


def test_the_noise_floor_is_the_reason_given() -> None:
    """Where no step, or not even the whole way, leaves a wide floor, the floor is named as the reason."""
    weak = about(outcomes(alone(dict.fromkeys(WORTH, 1.1)), again=1.6))
    assert "no step was shown to lie beyond the noise floor (1.59×); by the medians alone" in weak
    hidden = about(outcomes(alone(dict.fromkeys(WORTH, 1.05)), spread=0.2))
    assert "unstable, so that it is not known whether optimised differs from baseline, 1.22× [" in hidden
    assert "unstable, nothing is gained beyond the noise floor (1.36×)." in hidden


@pytest.mark.parametrize(
    ("up", "beside", "expected_text"),
    [
        (1.0, 3.0, "Pays beside the others, but not on the way up: decode: msgspec"),
        (3.0, 1.0, "Pays on the way up, but not beside the others: decode: msgspec"),
    ],
)
def test_a_choice_that_pays_in_one_company_only_depends(up: float, beside: float, expected_text: str) -> None:
    """Where both ratios disagree, the verdict says where the choice pays and where it does not."""
    trials = outcomes(only("decode", up, beside))
    assert says(trials)["decode"] == "depends"
    assert expected_text in about(trials)


def test_another_order_when_taken_off_is_said() -> None:
    """What was small on the way up but costs most to take off contradicts the waterfall's order."""
    sentences = about(outcomes(only("point", 2.0, 50.0)))
    assert "Taken off again, receive: socket-reads and point: line-bytes cost most:" in sentences
    assert "depends on the others" in sentences


def test_neighbours_whose_intervals_overlap_are_not_ranked() -> None:
    """Five times and four and a half, each give or take a fifth: nobody knows which is ahead."""
    trials = outcomes(alone(WORTH | {"point": 4.5}), spread=0.1)
    assert "unresolved whether receive: socket-reads or point: line-bytes brings more" in about(trials)
    assert "brings more" not in about(outcomes())


def test_where_nothing_is_gained_nothing_is_named() -> None:
    """Four choices that do nothing: no difference, no shares, no leaders."""
    trials = outcomes(lambda _: 1.0)
    assert "no difference between optimised and baseline beyond ± 5 %" in about(trials)
    assert "Which choices matter most: unresolved, nothing is gained beyond the noise floor (1.02×)." in about(trials)
    assert {None} == {step["share"] for step in summed(trials)["steps"]["capacity"]}


def test_the_trials_left_are_counted() -> None:
    """An invalid trial is in no median, the ratios that lack it give their own n, and the verdict names it."""
    trials = outcomes(spoil=lambda o: o.plan.number == 1)
    assert "1 of 44 trials are invalid (number 1) and are left out of all figures." in summed(trials)["verdict"][0]
    assert re.search(r"write: post-batches \(10\.\d× \[[\d., ]+\], n = 3, on", about(trials))
    assert "n = 3 to 4 trials" == trials_of(trials)


def trials_of(outcomes: list[Outcome]) -> str:
    """How many trials the capacity figures name."""
    run = Run("x")
    run.data.add(summed(outcomes))
    return trials(by_measure_of(run)[MEASURES[0]])


def test_a_step_without_valid_trials_leaves_the_rest_standing() -> None:
    """The chain is broken, so there are no shares; what was measured is still compared."""
    trials = outcomes(spoil=lambda o: o.plan.label == NAMES[1] and o.plan.kind == CAPACITY)
    result = summed(trials)
    assert "unresolved, no valid trials on both sides of write: post-batches and point: line-bytes" in about(trials)
    assert [True, True, False, False] == [step["on"]["value"] is None for step in result["steps"]["capacity"]]
    assert result["steps"]["capacity"][0]["off"]["value"] == pytest.approx(10)


# -- report ----------------------------------------------------------------------------------------------------------


def record(root: Path, trials: list[Outcome], **parameters: Any) -> Run:
    """A run as `AblationLab.close()` leaves it."""
    p = Ablation(**parameters)
    run = made(root, repeats=1)
    own = {"notebook": "ablation", "parameters": asdict(p), "trials": trials}
    run.data.add(own | {"configurations": {name: parse(name).axes() for name in p.names}} | summed(trials, p))
    return run


@pytest.fixture(scope="module")
def ablation(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole ablation; not to be changed."""
    return record(tmp_path_factory.mktemp("ablation"), outcomes())


KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "whole": ({}, {}),
    "single": ({"repeats": 1}, {"REPEATS": 1}),
    "no memray": ({"memray": False}, {"MEMRAY": False}),
    "noisy": ({"spread": 0.6, "again": 2.5}, {}),
    "no baseline": ({"spoil": lambda o: o.plan.label == "baseline"}, {}),
    "no optimised": ({"spoil": lambda o: o.plan.label == "optimised"}, {}),
    "no capacity": ({"spoil": lambda o: o.plan.kind == CAPACITY}, {}),
    "one left": ({"spoil": lambda o: o.plan.number != 5}, {}),
    "none": ({"spoil": lambda _: True}, {}),
}


@pytest.fixture(scope="module", params=KINDS)
def any_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    """Ablations that went well, and otherwise."""
    how, parameters = KINDS[request.param]
    return request.param, record(tmp_path_factory.mktemp("run"), outcomes(**how), **parameters)


def page(run: Run) -> dict[str, Reader]:
    """Every section of the notebook's report, taken apart; each must be well-formed."""
    sections = {
        name: getattr(ablation_report, name)(run) for name in ("waterfall", "switched_off", "contributions", "memory")
    }
    sections |= {"header": report.header(run, load=ablation_report.load(run))}
    sections |= {"ledgers": report.ledgers(run), "answer": report.answer(run)}
    readers = {name: Reader(html.data) for name, html in sections.items()}
    assert {name: [] for name in readers} == {name: reader.wrong for name, reader in readers.items()}
    return readers


def test_no_section_fails_whatever_the_trials_did(any_run: tuple[str, Run]) -> None:
    """Every section of every run stands, without a NaN, and the terminal's table fits."""
    _, run = any_run
    for reader in page(run).values():
        assert " nan" not in reader.text.lower()
    lines = table(run).splitlines()
    assert [] == [line for line in lines if len(line) > WIDTH]
    assert report.key_figures(run)["last"] == "optimised"


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """Words instead of figures: nothing valid, no memray."""
    nothing = page(record(tmp_path / "a", outcomes(spoil=lambda _: True)))
    assert all("No valid" in nothing[name].text for name in ("waterfall", "switched_off", "contributions", "memory"))
    without = record(tmp_path / "b", outcomes(memray=False), MEMRAY=False)
    assert "MEMRAY=False" in page(without)["memory"].text
    assert "Allocated" not in table(without)


def test_the_table_and_the_terminal_show_the_same(ablation: Run) -> None:
    """Every choice has a row for every measure, with its ratios, in both."""
    tabled, message = page(ablation)["contributions"].text, table(ablation)
    for label in LABELS:
        assert tabled.count(label) == len(MEASURES)
    for text in ("10.0× [9.80, 10.2]", "10.0× [9.70, 10.3]", "5.00× [4.90, 5.10]", "does not pay", "1,000 → 100,000"):
        assert text in tabled
        assert text in message


def test_the_load_is_counted_from_the_trials(ablation: Run) -> None:
    """The head says how many messages a stream held."""
    assert (
        "full streams of 2,000 messages, more for faster ones, drained by the consumer alone"
        in page(ablation)["header"].text
    )


def test_memray_pages_of_every_configuration_are_linked(tmp_path: Path) -> None:
    """A name that is a list of switches is quoted in the link, which leads to the page."""
    run = record(tmp_path, outcomes())
    run.profiles.mkdir(parents=True)
    (run.profiles / f"{NAMES[2]}-table.html").write_text("")
    (link,) = [attributes["href"] for tag, attributes in page(run)["memory"].tags if tag == "a"]
    assert f"../../profiles/{run.id}/baseline%2Cwrite%3Dpost-batches%2Cpoint%3Dline-bytes-table.html" == link


def test_the_sentences_are_made_of_the_data(any_run: tuple[str, Run]) -> None:
    """Those beside the data say the same, whatever the trials did; without the data they stand as they are."""
    _, run = any_run
    assert run.data.verdict == [str(contribution) for contribution in registry.answer(run)]
    assert [Phrase([text]) for text in run.data.verdict] == registry.answer(changed(run, answer=None))


def test_words_and_factors_are_set_off(ablation: Run) -> None:
    """In the sentence on capacity: the verdict's word, the whole factor, the floor, and the factors of the choices."""
    capacity = registry.answer(ablation)[2]
    strong = [part for part in capacity if isinstance(part, Strong)]
    assert ["better", "100×", "1.01×"] == strong[:3]
    assert {"10.0×", "5.00×", "1.00×"} <= set(strong)


# -- figures ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures(any_run: tuple[str, Run]) -> dict[str, Picture]:
    """Both figures, laid out; none where nothing is valid."""
    contributed = by_measure_of(any_run[1])
    drawn = {"waterfall": plots.waterfall, "taken_off": plots.taken_off}
    made = {name: draw(contributed) for name, draw in drawn.items()} if contributed else {}
    for picture in made.values():
        FigureCanvasAgg(picture.figure).draw()
    return made


def test_figures_clip_and_cover_nothing(pictures: dict[str, Picture]) -> None:
    """Every text lies within its figure, tick labels beside each other, and n is stated."""
    for name, picture in pictures.items():
        x0, y0, x1, y1 = picture.figure.bbox.padded(1).extents
        seen = texts(picture.figure)
        out = [text for text, box in seen if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1]
        assert (name, []) == (name, out)
        for axes in picture.figure.axes:
            boxes = [label.get_window_extent() for label in labels(axes.xaxis)]
            assert (name, []) == (name, [a for a, b in pairwise(boxes) if a.overlaps(b)])
        assert (name, True) == (name, "n = " in " ".join(text for text, _ in seen))


def test_alt_texts_are_made_of_numbers(pictures: dict[str, Picture]) -> None:
    """Every choice is named in words, whatever was measured."""
    for picture in pictures.values():
        assert all(label in picture.alt for label in LABELS)
        assert "nan" not in picture.alt


def test_the_waterfall_has_a_bar_a_step_end_to_end(ablation: Run) -> None:
    """Four bars a measure, each beginning where the last one ended, with every factor written at it."""
    figure = plots.waterfall(by_measure_of(ablation)).figure
    assert len(MEASURES) == len(figure.axes)
    for axes, (measure, steps) in zip(figure.axes, by_measure_of(ablation).items(), strict=True):
        bars = [sorted((p.get_x(), p.get_x() + p.get_width())) for p in axes.patches if isinstance(p, Rectangle)]
        expected = [
            sorted((contribution.medians[contribution.choice.before], contribution.medians[contribution.choice.after]))
            for contribution in steps
        ]
        assert expected == [pytest.approx(bar) for bar in bars]
        written = [text.get_text() for text in axes.texts]
        assert all(formatting.ranged(contribution.on) in written for contribution in steps), measure


def test_a_bar_within_the_noise_is_hollow(ablation: Run) -> None:
    """Colour alone does not claim a gain: what does not leave the noise is not filled."""
    axes = plots.waterfall(by_measure_of(ablation)).figure.axes[0]
    fills = [patch.get_facecolor() for patch in axes.patches]
    assert [False, False, True, False] == [fill == (1.0, 1.0, 1.0, 1.0) for fill in fills]
