"""The laboratory: stacks, trials, runs, statistics, profiling, figures and reports.

It imports the pipeline, never the other way round.
"""

import sys

# nbformat brings jsonschema, which at its import compiles this grammar where it is installed: 1.2 s of each start.
# It is for addresses of a format that no notebook's schema has, and jsonschema does without it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
