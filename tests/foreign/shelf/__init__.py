"""A study that is no part of the lab: which runs are there? It needs no server."""

from __future__ import annotations

from pathlib import Path

from sentinel.lab.registry import Experiment
from shelf.study import Shelf, ShelfStudy

EXPERIMENT = Experiment("shelf", Shelf, lambda: ShelfStudy, notebook=Path(__file__).with_name("shelf.ipynb"))
