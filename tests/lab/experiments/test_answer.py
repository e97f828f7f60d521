"""Answers: sentences, emphasis and tables are made of the data in run.json; older records say what they said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.records import changed, kept
from support.synthetic import made

from sentinel.errors import RunRecordError
from sentinel.lab import formatting, registry
from sentinel.lab.experiments.benchmark.answer import phrases
from sentinel.lab.experiments.benchmark.record import Answer, CommonLoad, Headline, Record
from sentinel.lab.presentation.phrase import Strong
from sentinel.lab.report import sections
from sentinel.lab.report.results import rows
from sentinel.lab.report.terminal import terminal_table
from sentinel.lab.run.run import load
from sentinel.lab.run.run_data import FORMAT
from sentinel.lab.statistics import published
from sentinel.lab.statistics.compare import BOOTSTRAP, UNKNOWN, Ratio, Verdict, Word, plain
from sentinel.lab.statistics.published import Figure
from sentinel.lab.statistics.reliability import Validity

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


OLDER = Path(__file__).parents[2] / "records"
"""Holds `runs/`, as a project does: a real benchmark's record of format 1, whose sentences are all that it has."""
RATIO = Ratio(2.0, 1.8, 2.2, 5, 0.978, "unpaired", 0.01, 0.05, 4)
BEFORE = Ratio(2.0, 1.8, 2.2, 5, 0.95, BOOTSTRAP)
"""Of a run that was made before rounds were compared."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A whole benchmark; not to be changed."""
    return made(tmp_path_factory.mktemp("run"), ("baseline", "optimised"), repeats=3)


def answered(word: Word, *, new: str = "new", old: str = "old", ratio: Ratio = RATIO) -> Answer:
    """An answer in which every measure has the same verdict."""
    names = ("capacity", "capacity_cpu_us", "stored_p99")
    verdicts = {name: Verdict(name, word, ratio, 0.1, control=True) for name in names}
    load, headline = CommonLoad(100.0, "p99", True, []), Headline(1.0, 0, 0, 0, "p99", {})
    return Answer(Validity(3), new, old, verdicts, list(names), load, None, headline)


def marked(answer: Answer) -> list[list[str]]:
    """What is set off in each sentence."""
    return [[part for part in item if isinstance(part, Strong)] for item in phrases(answer)]


@pytest.mark.parametrize("ratio", [RATIO, BEFORE])
@pytest.mark.parametrize("word", Word)
def test_the_sentence_and_its_emphasis_follow_from_the_word(word: Word, ratio: Ratio) -> None:
    """Each verdict's sentence sets off its word, its factor and the floor, whichever word it is, and however old."""
    answer = answered(word, ratio=ratio)
    for sentence, strong in zip(phrases(answer)[1:4], marked(answer)[1:4], strict=True):
        assert {word, "2.00×", "1.10×"} == set(strong)
        assert "2.00× [1.80, 2.20]" in str(sentence)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (Word.BETTER, "Capacity of new is better than old's: {ratio}."),
        (Word.WORSE, "Capacity of new is worse than old's: {ratio}."),
        (Word.NO_DIFFERENCE, "Capacity of new: no difference from old's beyond ± 5 % {ratio}."),
        (Word.UNSTABLE, "Capacity of new: unstable, so that it is not known whether it differs from old's {ratio}."),
        (Word.UNRESOLVED, "Capacity of new: unresolved whether it differs from old's {ratio}."),
    ],
)
def test_each_of_the_five_words_is_a_plain_sentence(word: Word, text: str) -> None:
    """What a verdict rests on stands behind it: interval, coverage, rounds, floor; and what disturbs."""
    why = "97.8 % interval of 5 unpaired rounds; A/A noise floor 1.10×"
    why += "; what disturbs: not known" if word == Word.UNSTABLE else ""
    settled = word in {Word.BETTER, Word.WORSE}
    ratio = f"2.00× [1.80, 2.20] ({why})" if settled else f"(2.00× [1.80, 2.20]; {why})"
    assert text.format(ratio=ratio) == str(phrases(answered(word))[1])


def test_a_run_made_before_says_what_it_said() -> None:
    """Its trials a side, its noise floor and its `cannot tell` stand as they did."""
    actual = {word: str(phrases(answered(word, ratio=BEFORE))[1]) for word in (Word.BETTER, Word.CANNOT_TELL)}
    assert actual == {
        Word.BETTER: "Capacity of new is better than old's: 2.00× [1.80, 2.20], n = 5 each (A/A noise floor 1.10×).",
        Word.CANNOT_TELL: "Capacity of new: cannot tell whether it differs from old's (2.00× [1.80, 2.20]; A/A noise"
        " floor 1.10×).",
    }


def test_a_name_is_not_taken_for_a_verdict() -> None:
    """A configuration called `better 5×` is a name: nothing of it is set off."""
    odd = answered(Word.WORSE, new="better 5×", old="cannot tell")
    assert marked(answered(Word.WORSE)) == marked(odd)
    assert "Capacity of better 5× is worse than cannot tell's: 2.00×" in str(phrases(odd)[1])


def test_other_data_is_another_sentence(run: Run) -> None:
    """Page, terminal and list follow the record's data, not the sentences beside it."""
    answer = run.sections(Record).answer
    assert answer is not None
    verdicts = answer.verdicts | {"capacity": Verdict("capacity", Word.WORSE, RATIO, 0.1, control=True)}
    other = changed(run, answer=plain(msgspec.structs.replace(answer, verdicts=verdicts)))
    text = (
        "Capacity of optimised is worse than baseline's: 2.00× [1.80, 2.20] (97.8 % interval of 5 unpaired rounds; A/A"
        " noise floor 1.10×)."
    )
    assert text in map(str, registry.answer(other))
    assert text in " ".join(terminal_table(other).split())
    assert "Capacity of optimised is <strong>worse</strong> than" in sections.answer(other).data


def test_the_sentences_beside_the_data_are_made_of_it(run: Run) -> None:
    """Who reads run.json by eye reads what the page says."""
    assert run.data.verdict == [str(item) for item in registry.answer(run)]


def test_the_data_survives_the_record(run: Run) -> None:
    """What is read is what was written; what has no value is null, never a NaN."""
    answer = run.sections(Record).answer
    assert answer is not None
    assert plain(answer) == kept(run)["answer"]
    bare = plain(answered(Word.CANNOT_TELL, ratio=Ratio(float("nan"), float("inf"), None, 0)))
    assert plain(UNKNOWN) == bare["verdicts"]["capacity"]["ratio"] == {"value": None, "low": None, "high": None, "n": 0}


def test_every_measure_of_the_table_has_its_ratio_as_data(run: Run) -> None:
    """Cells are made of ratios: with the interval, and without where there is little room."""
    row = next(row for row in rows(run) if row.name == "Capacity")
    assert row.factor == run.sections(Record).ratios["capacity"]
    assert (formatting.ranged(row.factor), formatting.times(row.factor.value if row.factor else None)) == (
        row.ratio,
        row.bare_ratio,
    )
    assert (row.ratio, True) == (f"{row.bare_ratio} {row.ratio.partition(' ')[2]}", "[" in row.ratio)


def test_a_word_that_nobody_knows_is_named(run: Run) -> None:
    """A damaged verdict is one error that says where."""
    answer: dict[str, Any] = kept(run)["answer"]
    answer["verdicts"]["capacity"]["word"] = "splendid"
    with pytest.raises(RunRecordError, match=r"is damaged: answer\.verdicts\[…\]\.word: .*'splendid'"):
        changed(run, answer=answer).sections(Record)


def test_a_record_of_format_1_says_what_it_said() -> None:
    """Its sentences stand on page and terminal as they are; none of their words is taken for a verdict."""
    old = load("format-1", OLDER)
    assert (1, 2) == (old.data.format, FORMAT)
    assert old.data.verdict == [str(item) for item in registry.answer(old)]
    page = sections.answer(old).data
    assert "<strong>" not in page
    assert all(" ".join(text.split()) in " ".join(terminal_table(old).split()) for text in old.data.verdict)
    assert "332× [268, 416]" == next(row.ratio for row in rows(old) if row.name == "Capacity")


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure(1000, None), "1,000+"),
        (Figure(None, 1.5), "< 1.5"),
        (Figure(6, 9), "6–9"),
        (Figure(58.0, 58.0), "58"),
    ],
)
def test_a_published_figure_is_worded_by_its_ends(figure: Figure, text: str) -> None:
    """Open above, open below, a range, or one number."""
    assert text == str(figure)


@pytest.mark.parametrize(
    ("figure", "better", "not_better"),
    [
        (published.RATE, 25_001.0, 25_000.0),
        (published.REDUCTION, 58.1, 58.0),
        (published.LATENCIES["e2e_p99"], 8.9, 9.0),
        (published.LATENCIES["internal_p99"], 0.9, 1.0),
    ],
)
def test_a_published_figure_knows_which_way_is_better(figure: Figure, better: float, not_better: float) -> None:
    """It is met by less or by more, never by the same."""
    assert (True, False) == (figure.met_by(better), figure.met_by(not_better))
