"""Tables of runs for other programs, the command, and what cannot be exported."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support import consumers
from support.synthetic import made

from sentinel import cli
from sentinel.errors import RunError
from sentinel.lab.exports import parquet
from sentinel.lab.exports.formats import FORMATS, export
from sentinel.lab.exports.tidy import Row, split
from sentinel.lab.page.page import CHECKOUT
from sentinel.lab.statistics.measures import measures

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A made-up benchmark of two rounds, with its record on disk."""
    run = made(tmp_path)
    run.save()
    return run


def test_csv_has_a_row_a_trial_and_measure(run: Run) -> None:
    """Every value of run.json's trials once, with unit, round and leg; a trial that does not count says so."""
    run.data.trials[0].valid = False
    (text,) = export([run], "csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert list(Row._fields) == list(rows[0])
    kept = [row for row in rows if row["valid"] == "True"]
    expected = [(str(o.plan.number), name) for o in run.data.trials for name in measures([o])]
    assert expected == [(row["trial"], row["measure"]) for row in kept]
    assert {"0"} == {row["trial"] for row in rows if row["valid"] == "False"}
    assert {"first", "again"} == {row["leg"] for row in rows}
    assert {"baseline", "client-batching", "optimised"} == {row["configuration"] for row in rows}
    assert all(row["unit"] for row in rows)
    capacity = next(row for row in kept if row["measure"] == "capacity")
    assert ("msg/s", "", "0123456789abcdef") == (capacity["unit"], capacity["rate"], capacity["commit"])
    assert run.data.trials[int(capacity["trial"])].throughput == float(capacity["value"])


def test_legs_are_told_from_configurations() -> None:
    """The ends of labels become a column of their own."""
    assert ("optimised", "again") == split("optimised (again)")
    assert ("optimised", "no tap") == split("optimised (no tap)")
    assert ("client-batching", "first") == split("client-batching")


READ = """import json, sys
import pandas as pd
from sentinel.lab.exports.formats import export
from sentinel.lab.run.lookup import resolve
export([resolve(sys.argv[1])], "parquet", sys.argv[2])
frame = pd.read_parquet(sys.argv[2])
print(json.dumps([{name: str(kind) for name, kind in frame.dtypes.items()}, frame["value"].sum(), len(frame)]))
"""


@pytest.mark.timeout(240)
def test_pandas_reads_parquet_back_with_its_types(run: Run, tmp_path: Path) -> None:
    """The same rows as csv, numbers as numbers."""
    where = {"PYTHONPATH": consumers.pyarrow()}
    kinds, total, n = json.loads(
        consumers.run(sys.executable, "-c", READ, run.folder, tmp_path / "out.parquet", folder=tmp_path, **where)
    )
    rows = list(csv.DictReader(export([run], "csv")[0].splitlines()))
    assert (len(rows), pytest.approx(sum(float(row["value"]) for row in rows))) == (n, total)
    assert ("float64", "int64", "bool") == (kinds["value"], kinds["round"], kinds["valid"])


def test_parquet_without_pyarrow_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install, and which format has the same."""
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    with pytest.raises(RunError, match=r"pip install pyarrow, or `.\[lab,parquet\]` in a checkout; csv has the same"):
        export([run], "parquet")


def test_github_action_benchmark_gets_its_documented_keys(run: Run, tmp_path: Path) -> None:
    """A list a direction of name, unit and value, with range and extra as texts; names are unique."""
    paths = export([run], "github-action-benchmark", tmp_path / "out")
    assert ["bigger-is-better.json", "smaller-is-better.json"] == sorted(path.rpartition("/")[2] for path in paths)
    for path in paths:
        entries = json.loads((tmp_path / path).read_text(encoding="utf-8"))
        assert all({"name", "unit", "value", "extra"} <= entry.keys() <= {*entry, "range"} for entry in entries)
        assert all(isinstance(entry["value"], float) for entry in entries)
        assert len(entries) == len({entry["name"] for entry in entries})
    bigger = json.loads((tmp_path / "out" / "bigger-is-better.json").read_text(encoding="utf-8"))
    assert {"capacity", "throughput"} == {entry["name"].partition(": ")[2] for entry in bigger}
    with pytest.raises(RunError, match="export one run, not 2"):
        export([run, run], "github-action-benchmark", tmp_path / "two")


def test_markdown_is_a_verdict_and_a_table(run: Run) -> None:
    """Sentences, then a table whose rows have as many cells as its head; nothing in it is taken for markup."""
    (text,) = export([run], "markdown")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert "| measure | baseline | client-batching | optimised | headline | optimised ÷ baseline |" == lines[0]
    assert {lines[0].count("|")} == {line.count("|") for line in lines}
    assert "- Capacity of optimised: **unresolved**" in text
    assert "send delay" not in text
    run.data.configurations["<b>|*x*"] = run.data.configurations.pop("baseline")
    run.data.summary["<b>|*x*"] = run.data.summary.pop("baseline")
    assert "\\<b\\>\\|\\*x\\*" in export([run], "markdown")[0]


def test_a_run_that_measured_nothing_is_one_line(run: Run, tmp_path: Path) -> None:
    """Of a run without a trial no format makes an empty file."""
    run.data.trials, run.data.summary = [], {}
    for name in set(FORMATS) - {"markdown", "parquet"}:
        with pytest.raises(RunError, match=f"run {run.id} has no"):
            export([run], name, tmp_path / name)
        assert not (tmp_path / name).exists()
    assert "No results." in export([run], "markdown")[0]


def test_the_command_prints_or_writes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is printed, or goes to a file that is not there yet; a run is named as everywhere."""
    monkeypatch.chdir(tmp_path)
    invoke = CliRunner().invoke
    printed = invoke(cli.cli, ["export", run.id, "--as", "csv"])
    assert (0, export([run], "csv")) == (printed.exit_code, [printed.output])
    for expected_code in (0, 1):
        done = invoke(cli.cli, ["export", str(run.folder), run.id, "--as", "csv", "--output", "both.csv"])
        assert expected_code == done.exit_code
    assert "both.csv exists already" in str(done.exception)
    assert 2 * (printed.output.count("\n") - 1) == (tmp_path / "both.csv").read_text().count("\n") - 1
    unknown = invoke(cli.cli, ["export", "nowhere", "--as", "csv"])
    assert "no run 'nowhere'" in str(unknown.exception)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"parquet", "speedscope", "folded"}))
def test_the_example_can_be_exported(name: str, tmp_path: Path) -> None:
    """Every format that asks for nothing more takes the run that the repository shows."""
    done = CliRunner().invoke(
        cli.cli, ["export", str(CHECKOUT / "runs" / "example"), "--as", name, "--output", str(tmp_path / "out")]
    )
    assert (0, None) == (done.exit_code, done.exception)
    assert (tmp_path / "out").exists()
