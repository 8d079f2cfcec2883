"""Hyperparameters that change with the step: plain callables ``step -> value``.

A step is one update (one batch), counted from 0 over the whole fit. A hyperparameter may be a number, one of these
schedules or any function of the step number. These schedules also take arrays of steps, so that many steps cost one
call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.checks.values import Schedule, Value, check_size, check_value, values_at


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Multiply the value by ``factor`` after every ``every`` steps: ``initial * factor ** (step // every)``.

    Parameters
    ----------
    initial : float
        Value at step 0.
    factor : float, default 0.5
    every : int, default 1000
        Steps between two changes.

    Raises
    ------
    ValueError, TypeError
        For an argument that is not a number above 0.

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
    """Exponential decay: ``initial * rate ** (step / every)``.

    Parameters
    ----------
    initial : float
        Value at step 0.
    rate : float, default 0.96
        What the value is multiplied by over ``every`` steps.
    every : int, default 1000

    Raises
    ------
    ValueError, TypeError
        For an argument that is not a number above 0.

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
    """Cosine annealing: half a cosine from ``initial`` to ``final`` over ``n_steps`` steps, then ``final``.

    Parameters
    ----------
    initial : float
        Value at step 0, above 0.
    n_steps : int
    final : float, default 0.0
        0 or more.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Loshchilov and Hutter, "SGDR", ICLR 2017.

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
    """Rise in a straight line from ``peak / 25`` to ``peak``, then fall to 0 along a cosine.

    Parameters
    ----------
    peak : float
        Highest value, above 0.
    n_steps : int
        Steps until 0 is reached.
    warmup : float, default 0.3
        Share of ``n_steps`` spent rising, between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Smith and Topin, "Super-convergence", 2018.

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
    """The same value at every step, as a schedule.

    Parameters
    ----------
    value : float
        0 or more.

    Raises
    ------
    ValueError, TypeError
        For a value that is not such a number.

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
    """Cosine annealing with warm restarts (SGDR).

    Each cycle is half a cosine from ``initial`` to ``final``. The first lasts ``n_steps`` steps, every later one
    ``factor`` times as long as the one before.

    Parameters
    ----------
    initial : float
        Value at the start of each cycle, above 0.
    n_steps : int
        Steps of the first cycle.
    factor : float, default 1.0
        1 or more.
    final : float, default 0.0
        0 or more.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Loshchilov and Hutter, "SGDR", ICLR 2017.

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
        """First step of a cycle: the sum of the lengths of all cycles before it."""
        return self.n_steps * (np.power(float(self.factor), cycle) - 1) / (self.factor - 1)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        step = np.asarray(step, dtype=np.float64)
        if self.factor == 1:
            done = step / self.n_steps % 1.0
        else:
            cycle = np.floor(np.log1p(step / self.n_steps * (self.factor - 1)) / np.log(float(self.factor)))
            cycle = cycle + (step >= self._start(cycle + 1))  # rounding may leave the logarithm just short
            length = self.n_steps * np.power(float(self.factor), cycle)
            done = np.clip((step - self._start(cycle)) / length, 0.0, 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class Warmup(Schedule):
    """Rise in a straight line to the first value of ``then`` over ``steps`` steps, then follow ``then``.

    Parameters
    ----------
    steps : int
        Steps of the rise. The first value is ``1 / (steps + 1)`` of the value that it rises to.
    then : float, schedule or function of the step
        Starts from its own step 0 after the rise; its values are 0 or more.

    Raises
    ------
    ValueError, TypeError
        For ``steps`` below 1 or a ``then`` of the wrong kind.

    Notes
    -----
    Source: Goyal et al., "Accurate, large minibatch SGD", 2017.

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
    """Four waves between 0 and ``peak``, each about twice as long as the one before, then 0.

    The value is ``peak / 2 * (1 - cos(2 pi log2(1 + 15 step / n_steps)))``: short waves at the start of training, a
    long one at the end.

    Parameters
    ----------
    peak : float
        Highest value, above 0.
    n_steps : int
        Steps of the four waves together.

    Raises
    ------
    ValueError, TypeError
        For an argument that is not a number above 0.

    Notes
    -----
    Source: coslog4 of RealMLP, Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024.

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
    """Fall more and more slowly: ``initial / (1 + step / every) ** power``.

    Parameters
    ----------
    initial : float
        Value at step 0.
    power : float, default 0.5
    every : int, default 1

    Raises
    ------
    ValueError, TypeError
        For an argument that is not a number above 0.

    Notes
    -----
    Source: Robbins and Monro, Annals of Mathematical Statistics 1951.

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
