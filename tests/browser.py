"""A page in headless chromium, which can reach nothing but the file."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from sentinel.settings import LabSettings

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--v=0", "--dump-dom"),
)


def browsed(path: Path, profile: Path) -> tuple[str, list[str]]:
    """The page as chromium has it, and what its console says; no name can be resolved."""
    program = shutil.which("chromium")
    if program is None:
        (pytest.fail if os.environ.get(LabSettings.STRICT) else pytest.skip)("chromium is not on PATH")
    own = [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", path.as_uri()]
    done = subprocess.run([program, *CHROMIUM, *own], capture_output=True, text=True, timeout=50, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
