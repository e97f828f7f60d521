"""The report's figures: data in, a `Picture` out (a `Drawing` of the live view); nothing is read or decided here.

The only home of matplotlib.

Figures are made without pyplot: nothing is shown twice, nothing stays behind. Every picture brings its alt text, made
from the same data. Units stand on every axis, n in every figure; fonts are legible at 900 px of width.
"""

from sentinel.lab.experiments.ablation.plots import taken_off, waterfall
from sentinel.lab.experiments.live.plots import SIZE, Drawing, live
from sentinel.lab.experiments.sweep.plots import climb
from sentinel.lab.plots.canvas import Picture
from sentinel.lab.plots.costs import capacity, memory, memory_difference
from sentinel.lab.plots.limits import limits
from sentinel.lab.plots.spectrum import spectrum
from sentinel.lab.plots.stages import stages
from sentinel.lab.plots.timelines import over_time

__all__ = [
    "SIZE",
    "Drawing",
    "Picture",
    "capacity",
    "climb",
    "limits",
    "live",
    "memory",
    "memory_difference",
    "over_time",
    "spectrum",
    "stages",
    "taken_off",
    "waterfall",
]
