"""docs/ci.md: the workflow that a user copies is whole, and its commands are what the programs take."""

from __future__ import annotations

import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.lab.budgets import file
from sentinel.lab.commands import COMMANDS
from sentinel.lab.notebook import runner
from sentinel.lab.parameters import from_words
from sentinel.lab.run.run import new_id

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


@pytest.fixture
def steps() -> list[dict[str, Any]]:
    """The steps of the workflow's only job."""
    (snippet,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    workflow = yaml.safe_load(snippet)
    assert {"name", True, "permissions", "jobs"} == workflow.keys()  # YAML 1.1 takes `on` for a truth
    (job,) = workflow["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def commands(steps: list[dict[str, Any]]) -> list[list[str]]:
    """What the workflow runs, in words."""
    return [shlex.split(step["run"]) for step in steps if "run" in step]


def test_the_workflow_checks_out_sets_up_measures_and_keeps(steps: list[dict[str, Any]]) -> None:
    """Its actions are named with a version, and what it keeps is where a run lies."""
    used = [step["uses"] for step in steps if "uses" in step]
    expected = ["actions/checkout", "actions/setup-python", "actions/upload-artifact"]
    assert expected == [name.partition("@")[0] for name in used]
    assert all(re.fullmatch(r".+@v\d+", name) for name in used)
    upload = next(step for step in steps if step.get("uses", "").startswith("actions/upload-artifact"))
    for pattern, folder in zip(upload["with"]["path"].split(), ("runs", "profiles"), strict=True):
        assert fnmatch(f"{folder}/{new_id('benchmark')}/", pattern)


def test_the_workflow_s_commands_are_taken(steps: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """make knows its target, and `sentinel run` its notebook, parameters and options."""
    monkeypatch.chdir(ROOT)
    (make, target), (program, name, *words) = commands(steps)
    assert ("make", ".venv/bin/sentinel", "run") == (make, program, name)
    subprocess.run([make, "--dry-run", target], capture_output=True, check=True)
    given = COMMANDS[name].make_context(name, words).params
    rules = runner.parameter_rules(runner.find_notebook(given["notebook"]))
    assert {"STACK": "embedded"} == from_words(given["parameters"], rules)
    assert ("budgets.toml", "") == (str(given["budgets"]), given["summary"])


def test_every_command_of_the_page_is_taken() -> None:
    """What stands in its other blocks is parsed by the command that it names, and its example is a file of budgets."""
    lines = [line for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
    parsed = [COMMANDS[words[1]].make_context(words[1], words[2:]) for words in map(shlex.split, lines)]
    (path,) = (context.params["budgets"] for context in parsed)
    assert 4 == len(file.load(ROOT / path))
