"""What stands over all runs: their key figures, which of them are comparable, and runs/index.html.

figures             a run's key figures and verdict words, as data
alike               which runs are comparable: machine, stack, load
trend               a series of runs as a small SVG
page rows charts    runs/index.html; refresh writes it when a run ends
command             `sentinel runs`, `sentinel index`
"""
