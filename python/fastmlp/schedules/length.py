"""Schedules that last as long as the fit, unless they are given a length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.checks.values import Schedule, check_positive


@dataclass(frozen=True)
class Shifted(Schedule):
    """``then``, counted from step ``first_step``; before that its first value."""

    first_step: int
    then: Schedule

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.then(np.maximum(np.asarray(step) - self.first_step, 0))


def shifted(schedule: Schedule, first_step: int) -> Schedule:
    """The schedule, counted from this step."""
    return Shifted(first_step, schedule) if first_step else schedule


class WithLength(Schedule):
    """Base of the schedules that end after ``n_steps``, or if that is None, with the last step of the fit."""

    n_steps: float | None

    def _check_length(self) -> None:
        if self.n_steps is not None:
            check_positive(n_steps=self.n_steps)

    @property
    def needs_length(self) -> bool:
        """Whether ``n_steps`` is left to the fit."""
        return self.n_steps is None

    def over(self, first_step: int, n_steps: int) -> Schedule:
        """The same schedule with the length of a fit: its last step has the last value."""
        return shifted(self._of_length(max(n_steps - 1, 1)), first_step) if self.needs_length else self

    def _of_length(self, length: int) -> Schedule:
        """The same schedule, ending at this step."""
        return replace(self, n_steps=length)  # type: ignore[type-var]

    def _length(self) -> float:
        """``n_steps``, which must be known by now."""
        if self.n_steps is None:
            raise ValueError(
                f"{shown(self)} takes its length from a fit; give n_steps to ask for values, or call over()"
            )
        return self.n_steps
