"""run.json as typed data: what is written comes back, what cannot be read is one line with the file and the key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.records import changed, kept, record
from support.synthetic import made

from sentinel.errors import RunError, RunRecordError
from sentinel.lab import readme_example
from sentinel.lab.experiments.sweep.record import Record
from sentinel.lab.limits.limit import Limit
from sentinel.lab.run.run import Run, load, load_folder
from sentinel.lab.run.run_data import DAMAGED, FORMAT, NEWER, OLDER, OLDEST, UNFINISHED, UNREADABLE, RunData
from sentinel.lab.run.trial_record import Outcome, Plan
from sentinel.lab.statistics.compare import Ratio, Spread
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.commandline import Result

EXAMPLE = Path(__file__).parents[3] / "runs" / "example" / "run.json"
TRIAL: dict[str, Any] = {"plan": {"number": 0, "kind": "latency", "label": "x", "configuration": "x", "load": {}}}
"""The least that a trial has."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A saved run."""
    run = made(tmp_path, repeats=1)
    run.save()
    return run


# -- there and back --------------------------------------------------------------------------------------------------


def test_the_example_is_written_as_it_was_read() -> None:
    """A run of format 1 that an earlier version wrote is read whole: written again, no key that it has differs."""
    written = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    written["noise"] = {"bands": {}} | written["noise"]  # of format 2
    later = {"wire": {}, "beside": {}, "message_bytes": None}  # of contenders, of duets, of wide messages
    written["trials"] = [trial | later for trial in written["trials"]]
    assert written == kept(load("example", EXAMPLE.parents[2]))


def test_keys_that_came_later_have_defaults(tmp_path: Path) -> None:
    """A run from before limits, `sustained`, jitter and profiles opens, with nothing under those keys."""
    old = {"format": 1, "id": "old", "notebook": "benchmark", "machine": {"cpu_count_logical": 2}, "trials": [TRIAL]}
    (tmp_path / "run.json").write_text(json.dumps(old), encoding="utf-8")
    data = load_folder(tmp_path).data
    assert (None, [], "finished", None) == (data.machine.jitter, data.limits, data.state, data.stack)
    assert [Outcome(Plan(0, "latency", "x", "x", LoadSettings()))] == data.trials


def test_unknown_keys_are_tolerated_and_kept(run: Run) -> None:
    """What a later version, or an experiment of somebody else, puts into a record is still there when it is written."""
    later = json.loads((run.folder / "run.json").read_text()) | {"own": {"deep": [1, None]}, "later": "x"}
    later["trials"][0]["colour"] = "red"
    (run.folder / "run.json").write_text(json.dumps(later), encoding="utf-8")
    again = load(run.id, run.root)
    assert {"answer": later["answer"], "own": {"deep": [1, None]}, "later": "x"} == again.data.own
    again.save()
    del later["trials"][0]["colour"]
    assert later == json.loads((run.folder / "run.json").read_text())


def test_a_file_is_parsed_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often trials are asked for, they are the same objects, and the file is not read again."""
    again = load(run.id, run.root)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read again"))
    assert again.data.trials[0] is again.data.trials[0]


decimals = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plans = st.builds(
    lambda number, label, rate, count: Plan(number, "latency", label, label, LoadSettings(rate=rate, count=count)),
    st.integers(0, 999),
    texts,
    st.floats(0, 1e7),
    st.integers(0, 10**9),
)
outcomes = st.builds(
    Outcome,
    plan=plans,
    valid=st.booleans(),
    problems=st.lists(texts, max_size=2),
    sender=st.dictionaries(texts, st.integers(), max_size=2),
    stored=st.none() | st.integers(0, 2**63 - 1),
    throughput=st.floats(allow_nan=False, allow_infinity=False),
    latencies=st.dictionaries(texts, st.dictionaries(texts, numbers, max_size=2), max_size=2),
    started=st.integers(0, 2**63 - 1),
)
records = st.builds(
    RunData,
    id=texts,
    notebook=texts,
    why=texts,
    parameters=st.dictionaries(texts, numbers | texts | st.booleans(), max_size=3),
    configurations=st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=2),
    warnings=st.lists(texts, max_size=2),
    planned=st.integers(0, 999),
    trials=st.lists(outcomes, max_size=2),
    limits=st.lists(st.builds(Limit, texts, texts, texts, st.tuples(st.floats(0, 1e9))), max_size=2),
    summary=st.dictionaries(texts, st.dictionaries(texts, numbers | st.none(), max_size=2), max_size=2),
    spread=st.dictionaries(texts, st.dictionaries(texts, st.builds(Spread, decimals, decimals, st.integers(0, 99)))),
    ratios=st.dictionaries(texts, st.builds(Ratio, decimals, decimals, st.none(), st.integers(0, 99)), max_size=2),
    compared=st.tuples(texts, texts),
    verdict=st.lists(texts, max_size=2),
    own=st.dictionaries(texts.map("own_{}".format), numbers | texts | st.lists(numbers), max_size=2),
)


@given(records)
def test_encoded_and_decoded_a_record_is_equal(data: RunData) -> None:
    """Whatever a record holds, it is the same after a way through JSON."""
    assert data == RunData.from_dict(json.loads(json.dumps(data.to_dict(), allow_nan=False)))


def test_one_module_knows_the_keys() -> None:
    """Everything else in the lab reads attributes of the structs: no key of run.json is spelt as a string elsewhere."""
    lab = Path(readme_example.__file__).parent
    by_key = re.compile(r"""\.data(\.own)?(\[["']|\.get\()""")
    assert [] == [str(path.relative_to(lab)) for path in sorted(lab.rglob("*.py")) if by_key.search(path.read_text())]


# -- what cannot be read ---------------------------------------------------------------------------------------------

BROKEN: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", DAMAGED, "is damaged: it is no JSON"),
    "cut off": (EXAMPLE.read_bytes()[:5000], DAMAGED, "is damaged: it is no JSON"),
    "no text": (b"\xff\xfe\x00", DAMAGED, "is damaged: it is no JSON"),
    "no number": (b'{"format": NaN}', DAMAGED, "is damaged: it is no JSON (NaN is no number)"),
    "deep": (b"[" * 100_000, DAMAGED, "is damaged: it is no JSON"),
    "a list": (b"[1]", DAMAGED, "is not the record of a run: expected an object, found [1]"),
    "of a notebook": (b'{"cells": [], "nbformat": 4}', DAMAGED, "not the record of a run: it has no key `format`"),
    "of another program": (b'{"format": "v2", "runs": []}', DAMAGED, "has format 'v2': this version reads 1 to 2"),
    "older": (b'{"format": 0}', OLDER, "has format 0: this version reads 1 to 2"),
    "newer": (b'{"format": 3}', NEWER, "has format 3: this version reads 1 to 2, so a newer one is needed"),
    "true": (b'{"format": true}', DAMAGED, "has format True: this version reads 1 to 2"),
    "without id": (b'{"format": 1, "notebook": "x"}', DAMAGED, "is damaged: it has no key `id`"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_record_is_one_line(tmp_path: Path, case: str) -> None:
    """A damaged, foreign or newer file is refused with its path, what is wrong, and one word for it; it stays as is."""
    content, fault, text = BROKEN[case]
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(RunRecordError) as caught:
        RunData.read(path)
    assert str(caught.value).startswith(f"{path} ")
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (fault, content) == (caught.value.fault, path.read_bytes())


@pytest.mark.parametrize(("name", "fault"), [("missing", UNFINISHED), (".", UNREADABLE)])
def test_what_cannot_be_opened_is_said(tmp_path: Path, name: str, fault: str) -> None:
    """No file, and a folder in its place, are told apart."""
    with pytest.raises(RunRecordError, match="no run can be read from") as caught:
        RunData.read(tmp_path / name)
    assert fault == caught.value.fault


SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "text for a number": ({"planned": "7"}, "planned: expected int, found str"),
    "null": ({"created": None}, "created: expected str, found null"),
    "no list": ({"trials": 3}, "trials: expected array, found int"),
    "no plan": ({"trials": [{}]}, "trials[0] has no key `plan`"),
    "in a trial": ({"trials": [TRIAL, TRIAL | {"lost": "1"}]}, "trials[1].lost: expected int, found str"),
    "in a load": (
        {"trials": [TRIAL | {"plan": TRIAL["plan"] | {"load": {"rate": "x"}}}]},
        "trials[0].plan.load.rate: expected float, found str",
    ),
    "in a limit": ({"limits": [{"name": "x", "words": "x", "unit": "x", "values": 1}]}, "limits[0].values: expected"),
    "in the machine": ({"machine": {"cpu_count_logical": 1.5}}, "machine.cpu_count_logical: expected int | null"),
    "in the stack": ({"stack": {"kind": "native"}}, "stack has no key `label`"),
    "in the summary": ({"summary": {"x": {"y": "z"}}}, "summary[…][…]: expected int | float | null, found str"),
    "too few": ({"compared": ["x"]}, "compared: expected array of length 2"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_wrong_value_is_named_by_its_key(run: Run, case: str, sentinel: Callable[..., Result]) -> None:
    """One line with file and key, by every way to the run; the list marks it and goes on with the others."""
    spoilt, text = SPOILT[case]
    path = run.folder.parent / "spoilt" / "run.json"
    path.parent.mkdir()
    path.write_text(json.dumps(kept(run) | spoilt), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(RunError) as caught:
        load("spoilt", run.root)
    assert f"{path} is damaged: {text}" in str(caught.value)
    shown = sentinel("report", str(path.parent))
    assert (1, f"error: {caught.value}\n") == (shown.code, shown.err)
    assert before == path.read_bytes()


def test_the_readmes_example_is_refused_likewise(tmp_path: Path) -> None:
    """`make example` of a damaged run ends with its line, and nothing is copied."""
    (tmp_path / "run.json").write_text('{"format": 1, "id": "x", "notebook": "benchmark", "planned": "7"}')
    text = CliRunner().invoke(readme_example.main, [str(tmp_path)])
    assert (1, f"Error: {tmp_path / 'run.json'} is damaged: planned: expected int, found str\n") == (
        text.exit_code,
        text.output,
    )


def test_a_wrong_value_of_one_experiment_is_named_too(run: Run) -> None:
    """What only a sweep's record holds is read when it is asked for, and as strictly."""
    sweep = changed(run, knees={"optimised": {"rate": "fast"}})
    with pytest.raises(RunRecordError) as caught:
        sweep.sections(Record)
    assert f"{run.folder / 'run.json'} is damaged: knees[…].rate: expected float | null, found str" == str(caught.value)


def test_what_does_not_fit_is_not_put_into_a_record(run: Run) -> None:
    """An experiment that sums up into something else is told so before anything is written."""
    with pytest.raises(RunError, match=r"what benchmark found cannot be kept in run.json: verdict: expected array"):
        run.data.add({"verdict": "fine", "more": 1})
    assert isinstance(run.data.verdict, list)
    assert "more" not in run.data.own


def test_numbers_of_numpy_are_numbers(run: Run) -> None:
    """Sums that NumPy made are kept as JSON's own numbers, and a wrong attribute is no record's."""
    numpy = pytest.importorskip("numpy")
    run.data.add({"summary": {"x": {"capacity": numpy.float64(1.5)}}, "seen": [numpy.float64(2)]})
    assert ({"x": {"capacity": 1.5}}, [2.0]) == (run.data.summary, run.data.own["seen"])
    assert {float} == {type(run.data.summary["x"]["capacity"]), type(run.data.own["seen"][0])}
    with pytest.raises(AttributeError):
        run.data.verdicts = []  # type: ignore[attr-defined]


def test_the_example_is_of_a_format_that_is_read() -> None:
    """The number is raised only by those who give older runs a way in; a new record has the newest."""
    assert OLDEST <= json.loads(EXAMPLE.read_text(encoding="utf-8"))["format"] <= FORMAT == record().format
