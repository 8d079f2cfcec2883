"""A rise at the start, and another schedule after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.checks.values import Schedule, Value, check_size, check_value, values_at


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
