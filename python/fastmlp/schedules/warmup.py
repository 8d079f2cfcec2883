"""A rise at the start, and another schedule after it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.checks.values import Schedule, Value, check_size, check_value, needs_length, values_at, with_length
from fastmlp.schedules.length import shifted

SHARE = 10
"""Without a number of steps, the rise takes one step in this many of the fit."""


@dataclass(frozen=True)
class Warmup(Schedule):
    """Rise in a straight line to the first value of ``then`` over ``steps`` steps, then follow ``then``.

    Parameters
    ----------
    steps : int, optional
        Steps of the rise. The first value is ``1 / (steps + 1)`` of the value that it rises to. Default: a tenth of the
        steps of the fit, at least 1.
    then : float, schedule or function of the step
        Starts from its own step 0 after the rise; its values are 0 or more. A schedule without a length ends with the
        last step of the fit.

    Raises
    ------
    ValueError, TypeError
        For ``steps`` below 1, or a ``then`` that is missing or of the wrong kind.

    Notes
    -----
    Source: Goyal et al., "Accurate, large minibatch SGD", 2017.

    Examples
    --------
    >>> from fastmlp.schedules import Exponential
    >>> schedule = Warmup(4, then=Exponential(1.0, rate=0.5, every=1))
    >>> [float(schedule(step)) for step in range(7)]
    [0.2, 0.4, 0.6, 0.8, 1.0, 0.5, 0.25]
    """

    steps: int | None = None
    then: Value = field(default=None)  # type: ignore[assignment]  # required, and refused below

    def __post_init__(self) -> None:
        if self.steps is not None:
            check_size("steps", self.steps)
        check_value("then", self.then, low=0.0)

    @property
    def needs_length(self) -> bool:
        """Whether the fit decides how long the rise takes, or what follows it."""
        return self.steps is None or needs_length(self.then)

    def over(self, first_step: int, n_steps: int) -> Schedule:
        """The same schedule with the length of a fit: its last step has the last value."""
        if not self.needs_length:
            return self
        steps = max(n_steps // SHARE, 1) if self.steps is None else self.steps
        return shifted(replace(self, steps=steps, then=with_length(self.then, 0, max(n_steps - steps, 1))), first_step)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        if self.steps is None:
            raise ValueError(f"{shown(self)} takes its length from a fit; give steps to ask for values, or call over()")
        steps = np.atleast_1d(np.asarray(step))
        top = values_at(self.then, np.zeros(1, dtype=np.int64), "then")
        rising = top * ((steps + 1) / (self.steps + 1))
        is_later = steps >= self.steps
        if is_later.any():
            rising[is_later] = values_at(self.then, steps[is_later] - self.steps, "then")
        return rising.reshape(np.shape(step))
