"""What a run is given in front of its command and behind it; test_executions.py has what make gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.executions import checkout, sentinel

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
