"""The hyperparameters of each step of a fit, in a table that the core reads row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.values import Value, check_values, needs_length, values_at, with_lengths
from fastmlp.model.layers import Layer
from fastmlp.optimizers.base import set_column

if TYPE_CHECKING:
    from fastmlp.model.losses import Loss
    from fastmlp.optimizers import Optimizer
    from fastmlp.training.settings import FitSettings

BOUNDS = ("clip_norm", "clip_value", "max_norm")
"""Settings that limit the gradient or the weights of a step: above 0, or None."""


@dataclass(frozen=True)
class Hyperparameters:
    """All that may change from step to step: settings of the fit, the optimizer, the loss and the layers."""

    settings: FitSettings
    optimizer: Optimizer
    loss: Loss
    stages: tuple[Layer, ...]
    dtype: np.dtype[Any]

    def over(self, first_step: int, n_steps: int) -> Hyperparameters:
        """With schedules that take their length from this fit; the user's own objects stay as they are."""
        return Hyperparameters(
            with_lengths(self.settings, first_step, n_steps),
            with_lengths(self.optimizer, first_step, n_steps),
            with_lengths(self.loss, first_step, n_steps),
            tuple(with_lengths(stage, first_step, n_steps) for stage in self.stages),
            self.dtype,
        )

    def table(self, numbers: NDArray[np.int64], n_averaged: int) -> NDArray[Any]:
        """The rows of the steps with these numbers; ``n_averaged`` steps before them are in the average.

        Raises ``ValueError`` or ``TypeError`` if a schedule does not return a number, or one out of range.
        """
        settings, table = self.settings, self.optimizer.steps_in(self.dtype, numbers)
        set_column(table, "label_smoothing", self.loss.label_smoothing, numbers)
        set_column(table, "alpha", settings.alpha, numbers)
        for name in BOUNDS:
            value: Value | None = getattr(settings, name)
            if value is not None:
                table[name] = values_at(value, numbers, name)
                check_values(name, table[name], numbers, low=0.0, low_open=True)
        if settings.average is not None:
            table["average_share"] = average_shares(settings.average, n_averaged + 1 + np.arange(len(numbers)))
        return table

    def _values(self) -> list[Any]:
        """The settings that may be schedules, but those of the optimizer."""
        values = [self.loss.label_smoothing, self.settings.alpha, *[getattr(self.settings, name) for name in BOUNDS]]
        return values + [stage.dropout_rate for stage in self.stages]

    def change(self) -> bool:
        """Whether steps have different hyperparameters; if not, one row of the table is enough."""
        changing = self.settings.average is not None or not self.optimizer.is_constant()
        return changing or any(map(callable, self._values()))

    def need_length(self) -> bool:
        """Whether a schedule takes its length from the fit."""
        return any(map(needs_length, filter(callable, (*self._values(), *vars(self.optimizer).values()))))


def average_shares(decay: float, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of the newest parameters in their average, in step t = 1, 2, ...: (1 - decay) / (1 - decay^t).

    Examples
    --------
    >>> average_shares(0.5, np.array([1, 2, 3])).round(3).tolist()
    [1.0, 0.667, 0.571]
    >>> average_shares(1.0, np.array([1, 2, 4])).tolist()
    [1.0, 0.5, 0.25]
    """
    if decay == 1:
        return 1.0 / t
    if decay == 0:
        return np.ones(len(t))
    shares: NDArray[np.float64] = (1 - decay) / -np.expm1(t * np.log(decay))
    return shares


def dropout_rates(stages: tuple[Layer, ...], numbers: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """The dropout rates of these steps, (n_steps, n_stages), or None if all are constant."""
    if not any(callable(stage.dropout_rate) for stage in stages):
        return None
    return np.stack([stage.rates(numbers) for stage in stages], axis=1)
