"""A history for Apache Otava, as Otava itself reads it, with the configuration that the documentation shows."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest
from support import consumers
from support.records import changed
from support.synthetic import made

from sentinel.errors import RunError
from sentinel.lab.exports.formats import export
from sentinel.lab.page.page import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run


@pytest.fixture
def history(tmp_path: Path) -> list[Run]:
    """A dozen runs, a day apart, the newest first; from the seventh on `optimised` takes half as much."""
    run = made(tmp_path, repeats=1)
    runs = []
    for day in range(1, 13):
        summary = {column: dict(values) for column, values in run.data.summary.items()}
        steady = 100_000 + 1_000 * (day % 3)
        summary["optimised"]["capacity"] = steady if day < 7 else steady / 2
        machine = run.data.to_dict()["machine"] | {"git": {"commit": f"c{day:02}", "dirty": False}}
        created = f"2026-01-{day:02}T00:00:00+00:00"
        runs.append(changed(run, id=f"r{day}", created=created, summary=summary, machine=machine))
    return runs[::-1]


@pytest.mark.timeout(180)
def test_otava_finds_the_change(history: list[Run], tmp_path: Path) -> None:
    """Otava takes the table as it is, and names the one run from which on the capacity is half."""
    export(history, "otava", tmp_path / "history.csv")
    documented = (CHECKOUT / "docs" / "exports.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```yaml\n(tests:.*?)```", documented, re.DOTALL)
    (tmp_path / "otava.yaml").write_text(snippet)
    output = consumers.run(
        consumers.otava(), "analyze", "--config-file", "otava.yaml", "benchmark", folder=tmp_path, HOME=tmp_path
    )
    lines = output.splitlines()
    (change,) = (number for number, line in enumerate(lines) if re.search(r"-(4[89]|5[01])\.\d%", line))
    assert "c07" in lines[change + 2]
    assert "headline.stored_p99" in output


def test_a_row_a_run_oldest_first(history: list[Run], tmp_path: Path) -> None:
    """Every cell is a number: a measure that some run lacks is left out for all."""
    del history[3].data.summary["optimised"]["cpu_us"]
    (text,) = export(history, "otava")
    rows = list(csv.DictReader(text.splitlines()))
    assert [f"c{day:02}" for day in range(1, 13)] == [row["commit"] for row in rows]
    assert "optimised.cpu_us" not in rows[0]
    assert "baseline.cpu_us" in rows[0]
    assert all(float(value) >= 0 for row in rows for name, value in row.items() if "." in name)
    other = changed(history[0], notebook="sweep")
    with pytest.raises(RunError, match="runs of benchmark and sweep have no history in common"):
        export([history[0], other], "otava")
