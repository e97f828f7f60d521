"""Machine: a run says where it was measured, and which reliability warnings follow, in sentences with numbers."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from sentinel import __version__
from sentinel.lab.machine.provenance import PACKAGES, provenance, python_optimised, reliability_warnings

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {"cpu_count_logical": 8, "load_average": [0.1, 0.1, 0.1], "git": {"commit": "c", "dirty": False}}
STEADY: dict[str, float] = {
    "others": 0.5,
    "late_p50": 0.06,
    "late_p99": 0.2,
    "late_max": 0.9,
    "mean": 1.02,
    "slow": 0.1,
    "slowest": 3.5,
    "turns": 2400,
}


def git(folder: Path, *words: str) -> str:
    """Git in a folder, with an identity of its own."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, encoding="utf-8", errors="replace", check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, as the current folder."""
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_provenance_says_all_that_a_reader_needs() -> None:
    """Machine, Python, package versions and commit are all there, and go into JSON."""
    where = provenance()
    assert {"cpu_model", "cpu_count_logical", "memory_bytes", "os", "kernel", "python", "load_average"} <= where.keys()
    assert __version__ == where["sentinel"]
    assert set(PACKAGES) == where["packages"].keys()
    assert all(where["packages"].values())
    assert where == json.loads(json.dumps(where, allow_nan=False))


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        ({}, []),
        (
            {"cpu_count_logical": 2},
            [
                "Only 2 cores: load generator, bus, consumer and store share them, so latencies include waiting for"
                " a core, and the sustained rate is that of all four together."
            ],
        ),
        ({"cpu_count_logical": 4}, []),
        (
            {"load_average": [4.26, 0.0, 0.0]},
            ["The machine was busy when this run began: load average 4.26 on 8 cores."],
        ),
        ({"load_average": [4.0, 9.0, 9.0]}, []),
        (
            {"git": {"commit": "c", "dirty": True}},
            ["Code differed from the commit: nobody else can check out exactly this code."],
        ),
        (
            {"python": "CPython 3.11.7", "python_optimised": False},
            [
                "CPython 3.11.7 was compiled without profile-guided optimisation, as pyenv does unless told otherwise:"
                " all that is Python here is slower than with a distribution's own, such as /usr/bin/python3"
                " (make install PYTHON=… in a fresh checkout)."
            ],
        ),
        ({"python": "CPython 3.11.2", "python_optimised": True}, []),
        ({"git": {}}, []),
        ({"load_average": None}, []),
        ({"jitter": {**STEADY, "late_p99": 1.0, "slow": 0.5}}, []),
        (
            {"jitter": {**STEADY, "late_p99": 4.84, "late_max": 31.4}},
            [
                "The machine by itself, with nothing else running: a timer due every millisecond was late by 0.06 ms at"
                " p50, 4.84 ms at p99 and 31.4 ms at most. Latencies here hold such moments, too."
            ],
        ),
        (
            {"jitter": {**STEADY, "mean": 1.25, "slow": 2.25, "slowest": 15.2}},
            [
                "The machine by itself, with nothing else running: a fixed piece of work took 1.25 times its median on"
                " average, over 3 times in 2.2 % of 2,400 turns, 15 times at most. Latencies and CPU times here hold"
                " such moments, too."
            ],
        ),
        (
            {"jitter": {**STEADY, "late_p99": 1.5, "slow": 2.25}},
            [
                "The machine by itself, with nothing else running: a timer due every millisecond was late by 0.06 ms at"
                " p50, 1.50 ms at p99 and 0.9 ms at most; a fixed piece of work took 1.02 times its median on average,"
                " over 3 times in 2.2 % of 2,400 turns, 4 times at most. Latencies and CPU times here hold such"
                " moments, too."
            ],
        ),
    ],
)
def test_reliability_warnings_follow_from_the_machine(change: dict[str, Any], sentences: list[str]) -> None:
    """Few cores, a busy machine, jitter and differing files are each named with their numbers; else none is."""
    assert sentences == reliability_warnings({**QUIET, **change})


@pytest.mark.parametrize(
    ("build", "prefix", "optimised"),
    [
        pytest.param({"CONFIG_ARGS": "'--a'", "PY_CFLAGS_NODIST": "-std=c11"}, "/opt/py", False, id="plain"),
        pytest.param({"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'"}, "/opt/py", True, id="optimised"),
        pytest.param({"CONFIG_ARGS": "", "PY_CFLAGS_NODIST": "-fprofile-use"}, "/opt/py", True, id="gcc's profile"),
        pytest.param({"CONFIG_ARGS": "", "PY_CFLAGS_NODIST": "-fprofile-instr-use=code"}, "/o", True, id="clang's"),
        pytest.param({"CONFIG_ARGS": "'--enable-shared'"}, "/usr", True, id="a distribution's"),
        pytest.param({"CONFIG_ARGS": "'--enable-shared'"}, "/usr/local", False, id="compiled by hand"),
        pytest.param({}, "/opt/py", True, id="no record"),
    ],
)
def test_how_python_was_compiled_is_read_from_its_own_record(
    build: dict[str, Any], prefix: str, optimised: bool
) -> None:
    """A warning is raised only where the record of the build shows that no profile was used."""
    assert optimised is python_optimised(build, prefix)


def test_every_reliability_warning_is_raised() -> None:
    """Warnings add up, and what is not known of a machine counts against its cores, not as an error."""
    assert len(reliability_warnings({"cpu_count_logical": 1, "load_average": [3.0], "git": {"dirty": True}})) == 3
    assert [text.split(":")[0] for text in reliability_warnings({})] == ["Only 1 cores"]
