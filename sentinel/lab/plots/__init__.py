"""The report's figures: data in, a `Picture` out; nothing is read or decided here.

The home of matplotlib, beside the `plots` of experiments that have figures of their own.

Figures are made without pyplot: nothing is shown twice, nothing stays behind. Every picture brings its alt text, made
from the same data. Units stand on every axis, n in every figure; fonts are legible at 900 px of width.
"""

from sentinel.lab.plots.canvas import Picture
from sentinel.lab.plots.costs import capacity, memory, memory_difference
from sentinel.lab.plots.limits import limits
from sentinel.lab.plots.shift import shift
from sentinel.lab.plots.spectrum import spectrum
from sentinel.lab.plots.stages import stages
from sentinel.lab.plots.timelines import over_time

__all__ = [
    "Picture",
    "capacity",
    "limits",
    "memory",
    "memory_difference",
    "over_time",
    "shift",
    "spectrum",
    "stages",
]
