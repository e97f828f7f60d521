"""Reading a notebook that anybody may have written; what is wrong with it is said in one line."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import nbformat

from sentinel.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path


def read(notebook: Path) -> Any:
    """Read a notebook.

    Args:
        notebook: Its path.

    Returns:
        A node of nbformat.

    Raises:
        RunError: it cannot be read, or is no notebook of nbformat 4; the message says what it is instead.
    """
    try:
        text = notebook.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"no notebook at {notebook}") from None
    except OSError as error:
        raise RunError(f"no notebook can be read from {notebook}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise RunError(f"{notebook} is no notebook: it is not text in UTF-8") from None
    if fault := _fault(text):
        raise RunError(f"{notebook} is no notebook that can be read: {fault}")
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


def _fault(text: str) -> str:
    """What keeps a text from being a notebook of nbformat 4; empty if nothing does."""
    if not text.strip():
        return "it is empty"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"it is no JSON, or only a part of it ({error})"
    if not isinstance(data, dict) or "nbformat" not in data:
        return "it is other JSON, without nbformat"
    if data["nbformat"] != 4:
        return f"it has nbformat {data['nbformat']!r}, but 4 is expected: open it in JupyterLab and save it"
    return _invalid(data)


def _invalid(data: dict[str, Any]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cells without ids do no harm
        try:
            nbformat.validate(data)
        except (nbformat.ValidationError, LookupError, TypeError, AttributeError) as error:
            return f"it does not follow nbformat 4 ({str(error).splitlines()[0][:200]})"
    return ""
