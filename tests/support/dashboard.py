"""The dashboard's template, read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

TEMPLATE = yaml.safe_load((Path(__file__).parents[2] / "docker" / "influxdb" / "dashboard.yml").read_text())


CHARTS: list[dict[str, Any]] = TEMPLATE["spec"]["charts"]


DRAWN = [chart for chart in CHARTS if chart["kind"] != "Markdown"]


QUERIES = [query["query"] for chart in DRAWN for query in chart["queries"]]
