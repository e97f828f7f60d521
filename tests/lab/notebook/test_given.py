"""What a run is given in front of its command, behind it and by make."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.executions import BIN, ROOT, SMALL, checkout, clean, sentinel

from sentinel.lab.run import run as runs

if TYPE_CHECKING:
    from pathlib import Path


def test_the_environment_sets_parameters(tmp_path: Path) -> None:
    """`WORKERS=0 sentinel run benchmark` is honoured and said, as far as no word says otherwise."""
    checkout(tmp_path)
    given = {"WORKERS": "0", "CODEC": "msgpack", "SEED": "x y", "MESSAGES": ""}
    done = sentinel(tmp_path, "run", "benchmark", "CODEC=json", "SEED=2", **given)
    assert done.returncode == 1
    heard, refused = done.stderr.splitlines()
    assert heard == "from the environment: WORKERS=0"
    assert refused.startswith("error: WORKERS='0' is not allowed: expected a whole number")


@pytest.mark.timeout(180)
def test_make_measures_what_it_was_given(tmp_path: Path) -> None:
    """A switched configuration behind `make benchmark`, and a parameter in front of it, are what the record has."""
    words = [f"{name}={value}" for name, value in SMALL.items() if name not in {"WORKERS", "REPEATS"}]
    pair = "CONFIGURATIONS=baseline,optimised;decode=json.loads"
    checkout(tmp_path)
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-o", "install", "benchmark"]
    done = subprocess.run(
        [*command, f"VENV={BIN.parent}", "REPEATS=1", "MEMRAY=False", "PYSPY=False", pair, *words],
        cwd=tmp_path,
        env=clean() | {"WORKERS": "5", "REPEATS": "7"},
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (run,) = runs.find(tmp_path)
    assert "from the environment: WORKERS=5" in done.stderr.splitlines()
    assert (5, 1) == (run.data.parameters["WORKERS"], run.data.parameters["REPEATS"])
    assert ["baseline", "optimised,decode=json.loads"] == list(run.data.configurations)
    assert "json.loads" == run.data.configurations["optimised,decode=json.loads"]["decode"]
    assert all(trial.valid for trial in run.data.trials)
    assert "This cell failed" not in run.report.read_text(encoding="utf-8")
