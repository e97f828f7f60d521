"""The tidy table as Parquet, which keeps types: through pandas, where pyarrow is installed."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.exports.tidy import Row, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run

MISSING = "parquet needs pyarrow, which is not installed: pip install pyarrow, or `.[lab,parquet]` in a checkout"


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`.

    Raises:
        RunError: pyarrow is not installed, or a run has nothing to export.
    """
    if find_spec("pyarrow") is None:
        raise RunError(f"{MISSING}; csv has the same table")
    import pandas as pd

    buffer = io.BytesIO()
    pd.DataFrame(rows(runs), columns=list(Row._fields)).to_parquet(buffer, engine="pyarrow", index=False)
    return {f"{runs[0].id}.parquet": buffer.getvalue()}
