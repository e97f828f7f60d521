"""Go's benchmark format, as benchstat itself reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import consumers
from support.records import changed
from support.synthetic import made

from sentinel.lab.exports.formats import export

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run


def quicker(run: Run, times: float) -> Run:
    """The same run, its capacity so many times as high."""
    trials = [o.to_dict() for o in run.data.trials]
    for trial in trials:
        if trial["plan"]["kind"] == "capacity":
            trial["throughput"] *= times
    return changed(run, trials=trials)


@pytest.mark.timeout(180)
def test_benchstat_compares_two_runs(tmp_path: Path) -> None:
    """Two runs meet in one table a unit; benchstat takes every line, and sees which of them is quicker."""
    run = made(tmp_path, repeats=6)
    export([run], "benchstat", tmp_path / "old.txt")
    export([quicker(run, 2.0)], "benchstat", tmp_path / "new.txt")
    program = consumers.benchstat()
    output = consumers.run(program, "-row", ".fullname", "old.txt", "new.txt", folder=tmp_path)
    heads = [[line for line in table.splitlines() if "│" in line] for table in output.split("\n\n")]
    tables = dict(zip((lines[1].split("│")[1].strip() for lines in heads if lines), output.split("\n\n"), strict=False))
    assert {"sec/op", "msg/s", "cpu-sec/op", "B/op", "allocs/op", "peak-rss-B", "stored-p50-sec"} <= tables.keys()
    line = next(line for line in tables["msg/s"].splitlines() if line.startswith("Capacity/configuration=optimised "))
    assert "+100.00% (p=0.002 n=6)" in line
    assert "-50.00%" in next(t for t in tables["sec/op"].splitlines() if "Capacity/configuration=baseline " in t)
    assert "Capacity/configuration=optimised/leg=again" in output
    assert "Latency/configuration=optimised/rate=200" in output


def test_only_valid_trials_have_a_line(tmp_path: Path) -> None:
    """What does not count is not compared; a name never holds white space or a further slash."""
    run = made(tmp_path, repeats=1)
    run.data.trials[0].valid = False
    run.data.trials[1].plan.__dict__["label"] = "my/odd name"
    (text,) = export([run], "benchstat")
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("Benchmark")]
    assert len(run.data.trials) - 1 == len(lines)
    assert "BenchmarkCapacity/configuration=my_odd_name" in lines
    assert "# run 20260101T000000Z-benchmark-0000, commit 0123456789abcdef" == text.splitlines()[0]
