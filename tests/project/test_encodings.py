"""Encodings: text files are UTF-8 whatever the locale says, and no locale ends a command (see also test_executions)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.executions import ASCII

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TEXT = {"read_text": 0, "write_text": 1}
"""Methods that read or write text, and the position of their encoding."""


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


def test_what_cannot_be_shown_is_replaced() -> None:
    """print and a log line survive an encoding that lacks their characters, on stdout and stderr."""
    shown = r"print('\u2265 5 \xb5s'); print('\u2248', file=sys.stderr)"
    code = f"import sys; from sentinel.runtime.logs import tolerate; tolerate(); {shown}"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | ASCII, capture_output=True, check=False)
    assert (0, b"? 5 ?s\n", b"?\n") == (done.returncode, done.stdout, done.stderr)
