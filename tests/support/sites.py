"""Packages of a user's own, as pip would install them: their code, and the entry points that they register."""

from __future__ import annotations

import shutil
from pathlib import Path

FOREIGN = Path(__file__).parents[1] / "foreign"


def installed(folder: Path, entry_points: str, name: str = "foreign") -> Path:
    """The folder, now with all packages of `tests/foreign` and a distribution that registers `entry_points`."""
    shutil.copytree(FOREIGN, folder, dirs_exist_ok=True)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry_points)
    return folder
