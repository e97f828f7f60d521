"""`sentinel run` with budgets and a summary: exit codes, what is written, what is refused before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.executions import checkout
from support.synthetic import made

from sentinel import cli
from sentinel.lab.notebook import runner
from sentinel.lab.page import page
from sentinel.lab.run.run import Run, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUDGETS = '[[budgets]]\nmeasure = "lost"\nconfiguration = "{label}"\nat_most = "0 messages"\n'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A made-up benchmark in a checkout of its own."""
    run = made(checkout(tmp_path), repeats=1)
    run.save()
    return run


@pytest.fixture
def command(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`sentinel run benchmark` in the checkout, with that run in place of a measured one, and without its page."""
    monkeypatch.chdir(run.root)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setattr(page, "write", lambda run: run.report)
    monkeypatch.setattr(runner, "execute", lambda _, parameters: load(run.id, run.root))

    def invoke(*words: str, **env: str) -> Result:
        return CliRunner().invoke(cli.cli, ["run", "benchmark", *words], env=env)

    return invoke


def test_a_broken_budget_exits_1_with_the_table(run: Run, command: Callable[..., Result]) -> None:
    """The table says what was asked and measured; record and summary have it, and the summary is appended to."""
    (run.root / "met.toml").write_text(BUDGETS.format(label="optimised"))
    met = command("--budgets", "met.toml", "--summary", GITHUB_STEP_SUMMARY=str(run.root / "summary.md"))
    assert (0, None) == (met.exit_code, met.exception)
    assert "✓ holds" in met.output
    (run.root / "broken.toml").write_text(BUDGETS.format(label="optimised").replace("lost", "throughput"))
    wrong = command("--budgets", "broken.toml")
    assert "at_most = '0 messages': expected its unit to be msg/s, found messages" in str(wrong.exception)
    (run.root / "broken.toml").write_text(
        BUDGETS.format(label="optimised").replace("lost", "throughput").replace("messages", "msg/s")
    )
    broken = command("--budgets", "broken.toml", "--summary=summary.md")
    assert 1 == broken.exit_code
    assert "✗ broken" in broken.output
    assert "Broken: Throughput, optimised is 198 msg/s (n = 1), where ≤ 0 msg/s is asked for." in broken.output
    text = (run.root / "summary.md").read_text(encoding="utf-8")
    assert text.index("| ✓ | Lost, optimised |") < text.index("| ✗ | Throughput, optimised |")
    assert 2 == text.count("| capacity, msg/s |")
    kept = load(run.id, run.root).data.budgets
    assert kept is not None
    assert not kept.passes


def test_without_budgets_nothing_is_judged(run: Run, command: Callable[..., Result]) -> None:
    """A run that is held to none has no such table, and ends as ever."""
    done = command("--summary=summary.md")
    assert (0, None) == (done.exit_code, done.exception)
    assert "within it" not in done.output
    assert load(run.id, run.root).data.budgets is None
    assert "✓" not in (run.root / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "expected_text"),
    [
        (["--budgets", "nowhere.toml"], "no budgets can be read from nowhere.toml: No such file"),
        (["--budgets", "other.toml"], "other.toml: budget 1 (lost of best): best is not measured: expected one of"),
        (["--budgets", "small.toml", "CONFIGURATIONS=baseline"], "small.toml: budget 1 (lost of optimised): optimised"),
        (["--summary"], "--summary: GITHUB_STEP_SUMMARY is not set here: name a file, --summary=summary.md"),
        (["--summary", "WORKERS=3"], "--summary took 'WORKERS=3' for its file: put --summary last"),
        (["--summary=missing/summary.md"], "expected a file in a folder that is there"),
        (["--summary=notebooks"], "--summary=notebooks cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_starts(
    run: Run, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, words: list[str], expected_text: str
) -> None:
    """Bad budgets and a summary that has no place are one line each."""
    monkeypatch.setattr(page, "write", lambda run: run.report)
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("it was started"))
    (run.root / "other.toml").write_text(BUDGETS.format(label="best"))
    (run.root / "small.toml").write_text(BUDGETS.format(label="optimised"))
    done = command(*words)
    assert 1 == done.exit_code
    assert expected_text in str(done.exception)
    assert "\n" not in str(done.exception)
