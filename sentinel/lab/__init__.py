"""The laboratory: it asks the pipeline questions, and answers with a page.

    process/  stack/  machine/            what a measurement needs: processes that end, servers, the machine's name
    run/  statistics/  limits/            what is kept, what it says, what it is held against
    profiling/  trials/  contenders/      measuring; consumers that the user brings
    events/                               what happened beside a trial, with its time
    replay/                               loads that were recorded
    resuming/                             going on with a run that ended before its time
    presentation/  plots/  report/  page/ showing
    interactive/                          charts over the figures of a page
    budgets/  exports/                    holding a run to bounds; its figures for other programs
    notebook/  registry  experiments/     asking: a folder and a notebook for each question
    index/                                what stands over all runs: key figures, comparable ones, runs/index.html
    rules  offered                        what each parameter of a notebook may be; what was sent, in words

It imports the pipeline, never the other way round.
"""

import sys

# nbformat brings jsonschema, which at its import compiles this grammar where it is installed, at every start.
# It is for addresses of a format that no notebook's schema has, and jsonschema does without it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
