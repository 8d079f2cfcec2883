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

from fastmlp.checks.values import Schedule, Value, check_size, check_value, values_at


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
        return self.initial * float(self.factor) ** (np.asarray(step) // float(self.every))


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
        return self.initial * self.rate ** (np.asarray(step) / float(self.every))


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


@dataclass(frozen=True)
class Constant(Schedule):
    """The same ``value`` at every step: a number in the clothes of a schedule, to stand behind a `Warmup`.

    Examples
    --------
    >>> float(Constant(0.1)(1000))
    0.1
    """

    value: float

    def __post_init__(self) -> None:
        check_value("value", self.value, low=0.0, schedule=False)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return np.full(np.shape(step), float(self.value))


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Half a cosine from ``initial`` to ``final`` over ``n_steps``, then from ``initial`` again over ``factor`` times
    as many, and so on (SGDR: Loshchilov and Hutter, ICLR 2017).

    Examples
    --------
    >>> schedule = CosineRestarts(0.1, n_steps=100, factor=2)
    >>> [round(float(schedule(step)), 6) for step in (0, 50, 100, 200, 299, 300)]
    [0.1, 0.05, 0.1, 0.05, 6e-06, 0.1]
    """

    initial: float
    n_steps: int
    factor: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        _check_positive(initial=self.initial, n_steps=self.n_steps)
        check_value("factor", self.factor, low=1.0, schedule=False)
        check_value("final", self.final, low=0.0, schedule=False)

    def _start(self, cycle: Any) -> Any:
        """Step at which the cycle of that number begins: the sum of the lengths of those before it."""
        return self.n_steps * (np.power(float(self.factor), cycle) - 1) / (self.factor - 1)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        step = np.asarray(step, dtype=np.float64)
        if self.factor == 1:
            done = step / self.n_steps % 1.0
        else:
            cycle = np.floor(np.log1p(step / self.n_steps * (self.factor - 1)) / np.log(float(self.factor)))
            cycle = cycle + (step >= self._start(cycle + 1))  # the logarithm may be one rounding short
            length = self.n_steps * np.power(float(self.factor), cycle)
            done = np.clip((step - self._start(cycle)) / length, 0.0, 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class Warmup(Schedule):
    """Up in a straight line over the first ``steps`` steps to where ``then`` begins, then ``then`` from its step 0 on.

    ``then`` is a number, a schedule or any function of the step. The first value is one part in ``steps + 1`` of
    what it rises to. Source: Goyal et al., "Accurate, large minibatch SGD", 2017.

    Examples
    --------
    >>> schedule = Warmup(4, then=Exponential(1.0, rate=0.5, every=1))
    >>> [float(schedule(step)) for step in range(7)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.25]
    """

    steps: int
    then: Value

    def __post_init__(self) -> None:
        check_size("steps", self.steps)
        check_value("then", self.then, low=0.0)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        steps = np.atleast_1d(np.asarray(step))
        top = values_at(self.then, np.zeros(1, dtype=np.int64), "then")
        rising = top * ((steps + 1) / (self.steps + 1))
        is_later = steps >= self.steps
        if is_later.any():
            rising[is_later] = values_at(self.then, steps[is_later] - self.steps, "then")
        return rising.reshape(np.shape(step))


@dataclass(frozen=True)
class CosLog4(Schedule):
    """Four waves between 0 and ``peak`` over ``n_steps``, each about twice as long as the one before, then 0.

    ``peak / 2 * (1 - cos(2 pi log2(1 + 15 step / n_steps)))``: short waves where training begins, a long one to end
    with. Source: coslog4 of RealMLP, Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024.

    Examples
    --------
    >>> schedule = CosLog4(0.04, n_steps=150)
    >>> [round(float(schedule(step)), 3) for step in (0, 4, 10, 30, 70, 103, 150, 999)]
    [0.0, 0.04, 0.0, 0.0, 0.0, 0.04, 0.0, 0.0]
    """

    peak: float
    n_steps: int

    def __post_init__(self) -> None:
        _check_positive(peak=self.peak, n_steps=self.n_steps)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self.n_steps, 1.0)
        return self.peak * (1 - np.cos(2 * math.pi * np.log2(1 + 15 * done))) / 2


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """``initial / (1 + step / every) ** power``: falls ever more slowly (Robbins and Monro 1951).

    Examples
    --------
    >>> schedule = InverseScaling(0.1, power=0.5)
    >>> float(schedule(0)), float(schedule(3)), float(schedule(99))
    (0.1, 0.05, 0.01)
    """

    initial: float
    power: float = 0.5
    every: int = 1

    def __post_init__(self) -> None:
        _check_positive(initial=self.initial, power=self.power, every=self.every)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.initial / (1 + np.asarray(step) / float(self.every)) ** self.power


def _check_positive(**values: float) -> None:
    for argument, value in values.items():
        check_value(argument, value, low=0.0, low_open=True, schedule=False)
