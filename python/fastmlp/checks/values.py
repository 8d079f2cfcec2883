"""Checks of hyperparameters: a number, or a function of the step that returns one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.parameters import HasParams

Value: TypeAlias = "float | Schedule | Callable[[int], float]"
Described = TypeVar("Described")


class Schedule(HasParams):
    """Base of the schedules: frozen dataclasses that can be called with a step or an array of steps."""

    def __call__(self, step: Any) -> Any:
        """Value at the step, or values at an array of steps."""
        raise TypeError(f"{type(self).__name__} must define __call__")

    @property
    def needs_length(self) -> bool:
        """Whether the length is left to the fit; then only the result of `over` has values."""
        return False

    def over(self, first_step: int, n_steps: int) -> Schedule:
        """Take the length from a fit, if none was given; a schedule that has its length is returned as it is.

        Parameters
        ----------
        first_step : int
            Number of the fit's first step.
        n_steps : int
            Number of its steps; the last one gets the schedule's last value.

        Returns
        -------
        Schedule
        """
        return self


def values_at(value: Value, steps: NDArray[np.int64], argument: str = "value") -> float | NDArray[np.float64]:
    """The number itself, or the values of the schedule at an array of steps; each must be finite."""
    if isinstance(value, Schedule):
        if value.needs_length:
            raise ValueError(
                f"{argument} must have a length here, got {value!r:.200}, which takes it from the fit; give it a "
                "number of steps, as only a fit of arrays knows its own, not Chunks, partial_fit or an update"
            )
        with np.errstate(all="ignore"):  # the check below says more than a warning
            found = np.asarray(value(steps), dtype=np.float64)
        if not np.isfinite(found).all():
            check_values(argument, np.broadcast_to(found, steps.shape), steps)
        return found
    if callable(value):
        values = [value(int(step)) for step in steps]
        for step, number in zip(steps, values, strict=True):
            check_value(f"{argument} at step {step}", number, schedule=False)
        return np.array(values, dtype=np.float64)
    return float(value)


def with_length(value: Value, first_step: int, n_steps: int) -> Value:
    """The same value; a schedule without a length takes that of a fit."""
    return value.over(first_step, n_steps) if isinstance(value, Schedule) else value


def needs_length(value: object) -> bool:
    """Whether this is a schedule that leaves its length to the fit."""
    return isinstance(value, Schedule) and value.needs_length


def with_lengths(described: Described, first_step: int, n_steps: int) -> Described:
    """A copy of a dataclass in which the schedules take their length from a fit; itself if all have one."""
    changed = {name: value.over(first_step, n_steps) for name, value in vars(described).items() if needs_length(value)}
    return replace(described, **changed) if changed else described  # type: ignore[type-var]


def check_values(argument: str, values: NDArray[np.float64], steps: NDArray[np.int64], **limits: Any) -> None:
    """Check the values of a schedule at these steps, as `check_value` checks a number."""
    for index in (np.argmin(values), np.argmax(values)):  # both find NaN
        check_value(f"{argument} at step {steps[index]}", float(values[index]), schedule=False, **limits)


def check_value(
    argument: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    low_open: bool = False,
    high_open: bool = False,
    schedule: bool = True,
) -> None:
    """Check a hyperparameter: a finite number in its range, or a callable if a schedule is allowed."""
    if schedule and callable(value):
        return
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real)):  # the first is quick
        expected = "a number or a function of the step" if schedule else "a number"
        raise TypeError(f"{argument} must be {expected}, got {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    above = number > low if low_open else number >= low
    below = number < high if high_open else number <= high
    if not (math.isfinite(number) and above and below):
        left = f"{low} {'<' if low_open else '<='} " if math.isfinite(low) else ""
        right = f" {'<' if high_open else '<='} {high}" if math.isfinite(high) else ""
        limits = f" with {left}{argument}{right}" if left or right else ""
        raise ValueError(f"{argument} must be a finite number{limits}, got {shown(value)}")


def check_flag(argument: str, value: object) -> bool:
    """Check that ``value`` is True or False, and return it."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument} must be True or False, got {value!r:.60}")
    return bool(value)


def check_positive(**values: object) -> None:
    """Check that each of the named arguments is a number above 0."""
    for argument, value in values.items():
        check_value(argument, value, low=0.0, low_open=True, schedule=False)


BLAS_LIMIT = 2**31 - 1
"""Largest dimension that every BLAS can address."""


def check_size(argument: str, value: object, limit: int = BLAS_LIMIT) -> int:
    """Check that ``value`` is a whole number from 1 to ``limit``, and return it as an int."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{argument} must be a whole number, got {value!r:.60}")
    number = int(value)
    if not 1 <= number <= limit:
        raise ValueError(f"{argument} must be between 1 and {limit}, got {value}")
    return number
