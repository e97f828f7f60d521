"""The laboratory: stacks, trials, runs, statistics, profiling, figures and reports.

It imports the pipeline, never the other way round.
"""
