"""The proof on a real machine: what is planted is what it says, and the command measures, judges and writes a page."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.executions import clean

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.statistics.rounds.decision import BETTER, UNRESOLVED, WORSE, Decision
from sentinel.lab.statistics.rounds.estimates import compare

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
PAYLOAD = msgspec.json.encode({"timestamp": 1764000000, "cpu_usage": 1.0, "mem_usage": 2.0, "send_time_unix_nano": 1})


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a module of the benchmarks' folders, which are no packages."""
    for folder in (BENCHMARKS, BENCHMARKS / "planted"):
        monkeypatch.syspath_prepend(folder)
    yield importlib.import_module
    for name in ("planted", "real_verdicts", "verdicts", "judged", "simulated"):
        sys.modules.pop(name, None)


def test_what_is_planted_is_optimised_but_for_its_decoder(modules: Any) -> None:
    """The one differs from optimised in nothing but its name, the others in their decoders alone."""
    planted = modules("planted")
    assert planted.SAME.axes() == OPTIMISED.axes()
    for configuration, decode in ((planted.COSTLIER, planted.cost), (planted.SLOWED, planted.slow)):
        assert {"decode"} == dict(configuration.axes().items() - OPTIMISED.axes().items()).keys()
        assert configuration.decode.decoder() is decode


def test_the_loop_takes_a_fifth_of_the_cpu_time(modules: Any) -> None:
    """After each read it has burnt its share of all that the process did, and decodes as optimised does."""
    planted = modules("planted")
    slowed = planted.Loop(time.process_time, time.thread_time)
    for _ in range(20):
        before = slowed.worked
        decoded = slowed([PAYLOAD] * 500)
        assert planted.SHARE * before <= slowed.burnt <= planted.SHARE * slowed.worked + 0.001
    assert slowed.burnt
    assert decoded == OPTIMISED.decode.decoder()([PAYLOAD] * 500)


def made(modules: Any, *ratios: float) -> Any:
    """Runs whose pairs all have these ratios, one a run, as sure as they can be; below 1 is worse."""
    real = modules("real_verdicts")
    runs = []
    for ratio in ratios:
        estimate = compare([ratio * n for n in range(10, 18)], list(range(10, 18)))
        word = WORSE if ratio < 1 else BETTER if ratio > 1 else UNRESOLVED
        every = {(pair, measure): Decision(word, estimate, 1.05) for pair in real.PAIRS for measure in real.MEASURES}
        runs.append(real.Run(every, [], "a stack"))
    return runs


def test_counts_say_what_was_false_and_what_was_found(modules: Any) -> None:
    """Of equal configurations better and worse are false; of a planted slowdown worse is asked for in 9 of 10."""
    lines = modules("real_verdicts").counts(made(modules, *[0.8] * 9, 1.0))
    asked = [line.rpartition("× | ")[2] for line in lines[2:]]
    assert ["no better or worse | 9 of 10 false |"] * 2 == asked[:2]
    assert ["– |  |", "worse in 9 of 10 | met |", "worse in 9 of 10 | met |", "– |  |"] == asked[2:]
    missed = modules("real_verdicts").counts(made(modules, *[0.8] * 8, 1.0, 1.0))
    assert 2 == sum(line.endswith("| worse in 9 of 10 | **missed** |") for line in missed)
    assert "| 0.80× | 1.05× |" in lines[2]


@pytest.mark.timeout(240)
def test_the_command_measures_and_judges(tmp_path: Path) -> None:
    """One run of two rounds on the embedded stack: every trial is valid, and the page has every pair and measure."""
    command = [sys.executable, str(BENCHMARKS / "real_verdicts.py"), "--runs", "1", "--rounds", "2"]
    done = subprocess.run(
        [*command, "--stack", "embedded", "--messages", "1000"],
        cwd=tmp_path,
        env=clean() | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        encoding="utf-8",
        timeout=220,
        check=False,
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    assert "drains a stream of 10,000\nmessages five times" in done.stdout
    assert "0 of 10 trials were invalid" in done.stdout
    rows = re.findall(
        r"^\| (optimised ÷ same|costlier ÷ optimised|slowed ÷ optimised) \| (.+?) \|", done.stdout, re.MULTILINE
    )
    assert [
        (pair, measure)
        for pair in ("optimised ÷ same", "costlier ÷ optimised", "slowed ÷ optimised")
        for measure in ("capacity", "CPU per message")
    ] == rows
    assert 3 == len(re.findall(r"^\| 1 \| [\d.]+× .+ \|$", done.stdout, re.MULTILINE))
    assert [] == list(tmp_path.iterdir())
