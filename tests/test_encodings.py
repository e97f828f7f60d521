"""Encodings: text files are UTF-8 whatever the locale says, and no locale ends a command."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sentinel.lab import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""An environment in which Python takes all text for ASCII."""
SMALL = {
    "STACK": "embedded",
    "DURATION": "1",
    "REPEATS": "1",
    "MESSAGES": "1000",
    "WORKERS": "4",
    "HEADLINE_RATE": "500",
    "RATE": "200",
    "CONFIGURATIONS": "optimised",
}
TEXT = {"read_text": 0, "write_text": 1}
"""Methods that read or write text, and the position of their encoding."""


def in_ascii(place: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """A command of ours, where the locale knows ASCII only and a text file of no named encoding is a warning."""
    env = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "INFLUX_URL"}}
    command = [str(BIN / "sentinel"), *words]
    return subprocess.run(command, cwd=place, env=env | ASCII, capture_output=True, timeout=100, check=False)


def unnamed(path: Path) -> Iterator[str]:
    """Calls in a file that read or write text in the locale's encoding."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or "encoding" in {keyword.arg for keyword in node.keywords}:
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        opens = name in {"open", "fdopen"} and any(set(mode) <= set("rwax+t") for mode in modes)
        text = any(keyword.arg in {"text", "universal_newlines"} for keyword in node.keywords)
        if opens or text or (name in TEXT and len(node.args) <= TEXT[name]):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"


def test_every_text_file_is_opened_as_utf_8() -> None:
    """Where text is read or written, or a child's output decoded, the encoding is named."""
    files = [*(ROOT / "sentinel").rglob("*.py"), *(ROOT / ".ci").glob("*.py")]
    assert len(files) > 50
    assert [] == [call for path in files for call in unnamed(path)]


@pytest.mark.timeout(150)
def test_a_locale_without_utf_8_costs_nothing(tmp_path: Path) -> None:
    """Under LC_ALL=C a run ends with its table, record and page, which are those of any other locale."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    done = in_ascii(tmp_path, "run", "benchmark", *(f"{name}={value}" for name, value in SMALL.items()))
    assert 0 == done.returncode, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    (run,) = runs.find(tmp_path)
    assert runs.FINISHED == run.state
    page = run.report.read_text(encoding="utf-8")
    assert "This cell failed" not in page
    assert "µs" in page
    for words in (["runs"], ["report", run.id], ["report", "bögus"], ["runs", "--help"]):
        said = in_ascii(tmp_path, *words)
        assert b"Traceback" not in said.stderr
        assert (1 if words[1:] == ["bögus"] else 0) == said.returncode
    assert page == run.report.read_text(encoding="utf-8")
    assert run.id == json.loads(in_ascii(tmp_path, "runs", "--json").stdout)[0]["id"]


def test_what_cannot_be_shown_is_replaced() -> None:
    """print and a log line survive an encoding that lacks their characters, on stdout and stderr."""
    shown = r"print('\u2265 5 \xb5s'); print('\u2248', file=sys.stderr)"
    code = f"import sys; from sentinel.terminal import tolerate; tolerate(); {shown}"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | ASCII, capture_output=True, check=False)
    assert (0, b"? 5 ?s\n", b"?\n") == (done.returncode, done.stdout, done.stderr)
