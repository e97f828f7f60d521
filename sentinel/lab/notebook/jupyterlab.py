"""JupyterLab as this checkout is worked on: rooted in the current folder, opened in notebooks/, saving no results.

`python -m sentinel.lab.notebook.jupyterlab` takes all options of `jupyter lab`. What a run found is in its folder: a
notebook in notebooks/ is saved as it is committed, without what its execution left, and only edits change it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

FOLDER = "notebooks"
LEFT = ("collapsed", "execution", "scrolled", "trusted")
"""Metadata that cells get by being executed or looked at."""
SETTINGS = Path(__file__).with_name("settings")
"""Defaults that differ from JupyterLab's own (`overrides.json`); what a user chose goes before them."""
OPTIONS = (
    f"--LabApp.default_url=/lab/tree/{FOLDER}",
    # Whoever measures asks no network, least of all unasked.
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    f"--LabApp.app_settings_dir={SETTINGS}",
    "--ContentsManager.pre_save_hook=sentinel.lab.notebook.jupyterlab.before_saving",
)


def before_saving(model: dict[str, Any], path: str, **_: object) -> None:
    """Strip a notebook in notebooks/ that is about to be saved; a notebook elsewhere, as in a run, keeps all.

    Args:
        model: Jupyter's contents model, which is changed in place.
        path: Where it is saved, from Jupyter's root.
        **_: Whatever else Jupyter gives its hook.
    """
    if model["type"] == "notebook" and path.strip("/").startswith(f"{FOLDER}/"):
        strip(model["content"])


def strip(notebook: dict[str, Any]) -> None:
    """Take away what execution left: outputs, counts, widgets' state, and what the kernel told of its language.

    Args:
        notebook: A notebook as JSON (nbformat 4), which is changed in place.
    """
    for cell in notebook["cells"]:
        for name in LEFT:
            cell["metadata"].pop(name, None)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    notebook["metadata"].pop("widgets", None)
    notebook["metadata"]["language_info"] = {"name": "python"}


def main() -> None:
    """Start it, and stay until it ends."""
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance([*OPTIONS, *sys.argv[1:]])


if __name__ == "__main__":
    main()
