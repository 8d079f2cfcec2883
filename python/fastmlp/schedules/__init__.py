"""Hyperparameters that change with the step: plain callables ``step -> value``.

A step is one update (one batch), counted from 0 over the whole fit. A hyperparameter may be a number, one of these
schedules or any function of the step number. These schedules also take arrays of steps, so that many steps cost one
call.

A schedule that is given no number of steps takes it from the fit: `Cosine(0.01)` starts with the first step of each fit
and has its last value in the last one, for any number of rows, epochs and batches. A fit of `Chunks`, ``partial_fit``
and single updates don't know how many steps will follow, so there the number must be given.
"""

from fastmlp.schedules.decays import Constant, Exponential, InverseScaling, StepDecay
from fastmlp.schedules.restarts import CosineRestarts
from fastmlp.schedules.warmup import Warmup
from fastmlp.schedules.waves import Cosine, CosLog4, OneCycle

__all__ = [
    "Constant", "CosLog4", "Cosine", "CosineRestarts", "Exponential", "InverseScaling", "OneCycle", "StepDecay",
    "Warmup",
]  # fmt: skip
