"""What a platform may keep from us: a reading that fails so is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LACKING = (OSError, RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, psutil.Error)
"""What is raised where a platform, a container or a permission keeps something from us, or a file of /proc is empty,
short or padded."""


def known(read: Callable[[], T]) -> T | None:
    """The value that `read` returns; None where a platform, a container or a permission keeps it from us."""
    try:
        return read()
    except LACKING:
        return None
