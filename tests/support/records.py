"""Records of runs made by hand, changed copies of them, and what a file would hold."""

from __future__ import annotations

import json
from typing import Any

from sentinel.lab.run.run import Run
from sentinel.lab.run.run_data import RunData


def record(**sections: Any) -> RunData:
    """A record with these sections, as run.json would hold them."""
    return RunData.from_dict({"id": "", "notebook": "", **json.loads(json.dumps(sections, allow_nan=False))})


def changed(run: Run, **sections: Any) -> Run:
    """A run like this one, with these sections in place of its own; nothing is shared with it."""
    return Run(run.id, run.root, record(**run.data.to_dict() | sections))


def kept(run: Run) -> dict[str, Any]:
    """What run.json would hold of this run."""
    return dict(json.loads(json.dumps(run.data.to_dict(), allow_nan=False)))
