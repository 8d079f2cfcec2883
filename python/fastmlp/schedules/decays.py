"""Schedules without an end: a constant, steps, exponential decay and inverse scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.checks.values import Schedule, check_positive, check_value


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
        check_positive(initial=self.initial, factor=self.factor, every=self.every)

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
        check_positive(initial=self.initial, rate=self.rate, every=self.every)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.initial * self.rate ** (np.asarray(step) / float(self.every))


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
        check_positive(initial=self.initial, power=self.power, every=self.every)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.initial / (1 + np.asarray(step) / float(self.every)) ** self.power
