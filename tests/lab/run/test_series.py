"""Series: what a trial left in its folder becomes the numbers that a person would compute from it by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sentinel.lab.run import series
from sentinel.lab.trials import accounts
from sentinel.model.histogram import RELATIVE_ERROR, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def moment(seconds: float) -> int:
    """ns since the epoch, so many seconds after the start."""
    return START + int(seconds * SECOND)


def write_record(folder: Path, lines: Iterable[dict[str, Any]]) -> None:
    """A record's intervals."""
    folder.mkdir(parents=True)
    (folder / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def consumer_line(seconds: float, received: int, written: int, rejected: int = 0) -> dict[str, Any]:
    """One interval of a consumer."""
    return {"at": moment(seconds), "received": received, "written": written, "rejected": rejected}


def load_lines(*points: tuple[float, int]) -> list[dict[str, Any]]:
    """Intervals of a load process: (seconds, sent so far)."""
    return [{"at": moment(seconds), "sent": sent} for seconds, sent in points]


# -- records ---------------------------------------------------------------------------------------------------------


def test_a_folder_without_a_record_is_empty(tmp_path: Path) -> None:
    """A program that did not come to write anything leaves nothing to read, and that is no error."""
    assert ([], {}, []) == (series.intervals(tmp_path), series.ledger(tmp_path), series.load_folders(tmp_path))


def test_a_record_is_read_in_order(tmp_path: Path) -> None:
    """Lines come as they were written, the ledger as an object."""
    write_record(tmp_path / "consumer", [{"at": 2}, {"at": 1}])
    (tmp_path / "consumer" / "ledger.json").write_text('{"ledger": {"sent": 1}}')
    assert [{"at": 2}, {"at": 1}] == series.intervals(tmp_path / "consumer")
    assert {"ledger": {"sent": 1}} == series.ledger(tmp_path / "consumer")


def test_only_the_load_processes_folders_count(tmp_path: Path) -> None:
    """Each process has a numbered folder; what else lies there is passed over."""
    for name in ("0", "1", "notes"):
        (tmp_path / "load" / name).mkdir(parents=True)
    assert ["0", "1"] == [folder.name for folder in series.load_folders(tmp_path)]


# -- progress --------------------------------------------------------------------------------------------------------


def test_progress_brings_processes_onto_the_consumers_moments(tmp_path: Path) -> None:
    """Two load processes note their counts at other moments than the consumer: between notes, sending was even."""
    write_record(tmp_path / "consumer", [consumer_line(1, 100, 80), consumer_line(2, 250, 200, 20)])
    write_record(tmp_path / "load" / "0", load_lines((0.5, 50), (1.5, 150), (2.5, 250)))
    write_record(tmp_path / "load" / "1", load_lines((0.75, 30), (1.25, 50), (1.75, 60)))
    frame = series.progress(tmp_path, START)
    assert frame.index.tolist() == [1.0, 2.0]
    assert frame.index.name == "seconds"
    assert frame["sent"].tolist() == [100 + 40, 200 + 60]
    assert frame["received"].tolist() == [100, 250]
    assert frame["written"].tolist() == [80, 200]
    assert frame["backlog"].tolist() == [140 - 80, 260 - 220]


def test_before_its_first_note_a_process_counts_up_from_nothing(tmp_path: Path) -> None:
    """Between the load's start and a process's first note, its count is taken to grow evenly from none."""
    write_record(tmp_path / "consumer", [consumer_line(1, 10, 10), consumer_line(3, 20, 20)])
    write_record(tmp_path / "load" / "0", load_lines((0, 10), (4, 50)))
    write_record(tmp_path / "load" / "1", load_lines((2, 7), (3, 9)))
    assert series.progress(tmp_path, START)["sent"].tolist() == [20 + 7 / 2, 40 + 9]


def test_the_backlog_is_never_negative(tmp_path: Path) -> None:
    """The consumer may know of a message before its sender notes it: that is no negative queue."""
    write_record(tmp_path / "consumer", [consumer_line(1, 100, 100)])
    write_record(tmp_path / "load" / "0", load_lines((1, 90)))
    assert series.progress(tmp_path, START)["backlog"].tolist() == [0.0]


def test_what_was_lost_or_written_twice_is_no_backlog(tmp_path: Path) -> None:
    """The backlog is what is still on its way; the agent's samples count from the moment that each was sent."""
    line = consumer_line(1.9, 95, 90, 2) | {"lost": 5, "duplicated": 4}
    write_record(tmp_path / "consumer", [line])
    write_record(tmp_path / "load" / "0", load_lines((1, 100), (3, 100)))
    write_record(tmp_path / "agent", load_lines((1, 1), (2, 2)))
    assert series.progress(tmp_path, START)["backlog"].tolist() == [100 + 1 - 5 - 2 - (90 - 4)]


@pytest.mark.parametrize(
    ("consumer", "loads"),
    [
        (None, []),
        ([], [load_lines((1, 1))]),
        ([consumer_line(1, 1, 1)], []),
        ([consumer_line(1, 1, 1)], [[]]),
        ([consumer_line(1, 1, 1)], [load_lines((1, 1)), []]),
    ],
)
def test_without_all_records_there_is_no_progress(tmp_path: Path, consumer: Any, loads: Any) -> None:
    """Where one record is missing or empty, the frame is empty but has its columns."""
    if consumer is not None:
        write_record(tmp_path / "consumer", consumer)
    for number, lines in enumerate(loads):
        write_record(tmp_path / "load" / str(number), lines)
    frame = series.progress(tmp_path, START)
    assert (0, ["sent", "received", "written", "backlog"]) == (len(frame), list(frame.columns))


@pytest.mark.parametrize(
    ("written", "growth"),
    [
        (lambda t: int(t) * 1000, 0.0),  # flushed once a second: up to a second of load waits, and no more
        (lambda t: int(850 * t), 600.0),  # 15 % behind, for ever
        (lambda t: int(1000 * t), 0.0),
    ],
)
def test_a_backlog_grows_from_second_to_second(tmp_path: Path, written: Callable[[float], int], growth: float) -> None:
    """A sawtooth is no growth wherever it is cut; a consumer that falls behind a little all the time is found out."""
    times = [0.3 + 0.5 * n for n in range(12)]
    write_record(tmp_path / "consumer", [consumer_line(t, 0, written(t)) for t in times])
    write_record(tmp_path / "load" / "0", load_lines((0, 0), (6, 6000)))
    assert growth == pytest.approx(series.backlog_growth(tmp_path, START, 1.0, 6.0), abs=2.0)


# -- resources -------------------------------------------------------------------------------------------------------


def write_resources(trial: Path, rows: Iterable[tuple[float, str, float, int]]) -> None:
    """A trial's resources: (seconds, process, CPU seconds, bytes)."""
    lines = [f"{moment(seconds)},{process},{cpu},{rss}" for seconds, process, cpu, rss in rows]
    (trial / "resources.csv").write_text("\n".join(["at,process,cpu_seconds,rss_bytes", *lines]) + "\n")


def test_resources_are_percent_of_one_core_and_megabytes(tmp_path: Path) -> None:
    """CPU is growth of CPU time over time, each process by itself; memory is in 10⁶ bytes."""
    rows = [
        *[(1.0, "consumer", 5.0, 50_000_000), (1.0, "store", 9.0, 10_000_000)],
        *[(1.5, "consumer", 5.25, 52_500_000), (1.5, "store", 10.0, 11_000_000)],
        *[(2.5, "consumer", 5.35, 51_000_000)],
    ]
    write_resources(tmp_path, rows)
    frame = series.resources(tmp_path, START)
    assert list(frame.columns) == ["seconds", "process", "cpu", "rss"]
    consumer = frame[frame["process"] == "consumer"]
    assert consumer["seconds"].tolist() == pytest.approx([1.5, 2.5])
    assert consumer["cpu"].tolist() == pytest.approx([50.0, 10.0], abs=1e-3)
    assert consumer["rss"].tolist() == pytest.approx([52.5, 51.0])
    assert frame[frame["process"] == "store"]["cpu"].tolist() == pytest.approx([200.0], abs=1e-3)


@pytest.mark.parametrize("rows", [None, [], [(1.0, "consumer", 5.0, 50_000_000)]])
def test_too_few_readings_are_an_empty_frame(tmp_path: Path, rows: Any) -> None:
    """Without a file, without readings, or with one alone there is no rate of CPU, but there are columns."""
    if rows is not None:
        write_resources(tmp_path, rows)
    frame = series.resources(tmp_path, START)
    assert (0, ["seconds", "process", "cpu", "rss"]) == (len(frame), list(frame.columns))


# -- histograms ------------------------------------------------------------------------------------------------------


def recorder_of(*durations: int) -> Recorder:
    """A recorder that has seen these."""
    recorder = Recorder()
    recorder.record(durations)
    return recorder


def test_a_histogram_merges_the_intervals_after_a_moment() -> None:
    """Intervals that end at or before the end of the warm-up are left out, later ones are merged."""
    lines = [{"at": at, "e2e": recorder_of(at * 1000, -1, 0).to_dict()} for at in (1, 2, 3)]
    merged = series.histogram(lines, "e2e", since=1)
    assert (6, 2, 2) == (len(merged), merged.zero, merged.negative)
    assert merged.quantile(1.0) == pytest.approx(3000, rel=RELATIVE_ERROR)
    assert (9, 0) == (len(series.histogram(lines, "e2e")), len(series.histogram(lines, "e2e", since=3)))


def test_percentiles_are_milliseconds_with_counts() -> None:
    """The keys are the report's columns, values are ms, and zero and negative durations are counted."""
    recorder = recorder_of(*(n * 1_000_000 for n in range(1, 1001)))
    percentiles = series.percentiles(recorder)
    assert ["p50", "p90", "p99", "p99.9", "max", "n", "zero", "negative"] == list(percentiles)
    exact = {"p50": 500, "p90": 900, "p99": 990, "p99.9": 999, "max": 1000}
    assert exact == pytest.approx({name: percentiles[name] for name in exact}, rel=RELATIVE_ERROR)
    assert (1000, 0, 0) == (percentiles["n"], percentiles["zero"], percentiles["negative"])
    with_odd_ones = series.percentiles(recorder_of(0, -5, -7, 1_000_000))
    assert (4, 1, 2) == (with_odd_ones["n"], with_odd_ones["zero"], with_odd_ones["negative"])


def test_percentiles_of_nothing_are_counts_alone() -> None:
    """Nothing recorded has no percentiles, not NaN ones: the record must stay JSON."""
    assert {"n": 0, "zero": 0, "negative": 0} == series.percentiles(Recorder())


def rows_of(path: Path) -> list[tuple[float, int]]:
    """(value, cumulative count) of each row of an .hgrm file, as a plotter reads it."""
    head, *lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]
    assert ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"] == head.split()
    return [(float(words[0]), int(words[2])) for words in map(str.split, lines)]


@pytest.mark.parametrize("typical", [5e3, 5e6, 5e9], ids=["µs", "ms", "s"])
def test_a_written_histogram_reads_back_within_one_percent(tmp_path: Path, typical: float) -> None:
    """Read back from the .hgrm file, every row is the exact quantile at its count within 1 %, µs as well as s."""
    values = np.sort(np.random.default_rng(1).lognormal(np.log(typical), 0.5, 5000).astype(np.int64))
    recorder = Recorder()
    recorder.record(values)
    accounts.write_hgrm(recorder, tmp_path / "e2e.hgrm")
    rows = rows_of(tmp_path / "e2e.hgrm")
    assert rows[-1][1] == len(values)
    exact = values[[count - 1 for _, count in rows]] / 1e6
    assert exact.tolist() == pytest.approx([value for value, _ in rows], rel=0.01)


def test_a_written_histogram_keeps_what_is_not_positive(tmp_path: Path) -> None:
    """Zero and negative durations stand in the file as zeros: the counts are complete."""
    accounts.write_hgrm(recorder_of(-1, -1, 0, 7_000_000), tmp_path / "e2e.hgrm")
    rows = rows_of(tmp_path / "e2e.hgrm")
    assert (0.0, 3) == rows[0]
    assert rows[-1] == (pytest.approx(7.0, rel=0.01), 4)


def test_a_histogram_of_nothing_can_be_written(tmp_path: Path) -> None:
    """A trial without messages leaves a file without rows."""
    accounts.write_hgrm(Recorder(), tmp_path / "e2e.hgrm")
    assert rows_of(tmp_path / "e2e.hgrm") == []


def test_a_duration_of_years_is_kept_as_it_is(tmp_path: Path) -> None:
    """A clock that jumped leaves a message in the file with its duration."""
    accounts.write_hgrm(recorder_of(10**18), tmp_path / "e2e.hgrm")
    assert rows_of(tmp_path / "e2e.hgrm")[-1] == (pytest.approx(1e12, rel=0.01), 1)
