"""Hyper-values that change with the step: plain callables ``step -> value``.

A step is one update (one batch), counted from 0 over the whole fit. Wherever a hyper-value is asked for, a number, one
of the schedules here or any function of the step number will do. The schedules here take arrays of steps too, so that
a whole chunk of training costs one call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.values import Schedule, check_value


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``initial * factor ** (step // every)``.

    Examples
    --------
    >>> schedule = StepDecay(0.1, factor=0.5, every=100)
    >>> float(schedule(0)), float(schedule(250))
    (0.1, 0.025)
    """

    initial: float
    factor: float = 0.5
    every: int = 1000

    def __post_init__(self) -> None:
        _check_positive(initial=self.initial, factor=self.factor, every=self.every)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.initial * self.factor ** (np.asarray(step) // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """``initial * rate ** (step / every)``: falls by ``rate`` smoothly over every ``every`` steps.

    Examples
    --------
    >>> float(Exponential(0.1, rate=0.5, every=100)(200))
    0.025
    """

    initial: float
    rate: float = 0.96
    every: int = 1000

    def __post_init__(self) -> None:
        _check_positive(initial=self.initial, rate=self.rate, every=self.every)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.initial * self.rate ** (np.asarray(step) / self.every)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from ``initial`` to ``final`` over ``n_steps``, then ``final`` (Loshchilov and Hutter 2017).

    Examples
    --------
    >>> schedule = Cosine(0.1, n_steps=100)
    >>> float(schedule(0)), round(float(schedule(50)), 6), float(schedule(1000))
    (0.1, 0.05, 0.0)
    """

    initial: float
    n_steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(initial=self.initial, n_steps=self.n_steps)
        check_value("final", self.final, low=0.0, schedule=False)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self.n_steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up from ``peak / 25`` to ``peak`` in the first ``warmup`` share of ``n_steps``, down to 0 by a cosine
    (Smith and Topin 2018).

    Examples
    --------
    >>> schedule = OneCycle(1.0, n_steps=100, warmup=0.3)
    >>> float(schedule(0)), float(schedule(30)), round(float(schedule(100)), 6)
    (0.04, 1.0, 0.0)
    """

    peak: float
    n_steps: int
    warmup: float = 0.3

    def __post_init__(self) -> None:
        _check_positive(peak=self.peak, n_steps=self.n_steps)
        check_value("warmup", self.warmup, low=0.0, high=1.0, low_open=True, high_open=True, schedule=False)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self.n_steps, 1.0)
        rising = self.peak * (0.04 + 0.96 * done / self.warmup)
        falling = self.peak * (1 + np.cos(math.pi * (done - self.warmup) / (1 - self.warmup))) / 2
        return np.where(done <= self.warmup, np.minimum(rising, self.peak), falling)


def _check_positive(**values: float) -> None:
    for argument, value in values.items():
        check_value(argument, value, low=0.0, low_open=True, schedule=False)
