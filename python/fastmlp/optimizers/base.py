"""What every optimizer is: an update rule with a table of steps, or a method that sees all samples at once."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import STRUCTS
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import Value, check_value, values_at

STEP_DTYPE = np.asarray(STRUCTS["Step"]).dtype
_UNBOUNDED = np.zeros(1, dtype=STEP_DTYPE)
for _bound in ("clip_norm", "clip_value", "max_norm"):
    _UNBOUNDED[_bound] = np.inf
_SMALLEST = {np.dtype(name): float(np.finfo(name).tiny) for name in ("float32", "float64")}


def set_column(table: NDArray[Any], name: str, value: Value, numbers: NDArray[np.int64]) -> None:
    """Write the values of a setting in the steps ``numbers`` into its column, which still holds 0, the usual value."""
    if value != 0:
        table[name] = values_at(value, numbers, name)


class Optimizer(HasParams):
    """Base of the update rules; a subclass adds its own columns to the table of steps."""

    rule: ClassVar[int]
    nesterov: bool = False
    learning_rate: Value
    weight_decay: Value
    l1_decay: Value

    def _check_shared(self) -> None:
        check_value("learning_rate", self.learning_rate, low=0.0)
        check_value("weight_decay", self.weight_decay, low=0.0)
        check_value("l1_decay", self.l1_decay, low=0.0)

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """State of the rule before the first step, (n_slots, n_params); None for a rule without state."""
        return np.zeros((2, n_params), dtype=dtype)

    def steps(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Hyperparameters of the steps ``numbers``, one row per step."""
        table = _UNBOUNDED.repeat(len(numbers))
        for name in ("learning_rate", "weight_decay", "l1_decay"):
            set_column(table, name, getattr(self, name), numbers)
        self._fill(table, numbers)
        return table

    def steps_in(self, dtype: np.dtype[Any], numbers: NDArray[np.int64]) -> NDArray[Any]:
        """As `steps`; ``ValueError`` for an epsilon that is 0 in the network's dtype, so that 0 would divide 0."""
        table = self.steps(numbers)
        least, epsilon = _SMALLEST[dtype], getattr(self, "epsilon", 0.0)
        if isinstance(epsilon, float) and (epsilon == 0 or epsilon >= least):  # the usual case, in no time
            return table
        lost = (table["epsilon"] > 0) & (table["epsilon"] < least)
        if lost.any():
            first = int(lost.argmax())
            remedy = "a larger one" if dtype == np.float64 else "a larger one, or dtype='float64'"
            raise ValueError(
                f"epsilon at step {numbers[first]} must be at least {least:.3g}, the smallest normal "
                f"number of {dtype}, got {table['epsilon'][first]:g}; use {remedy}"
            )
        return table

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        """Add the rule's own columns."""

    def is_constant(self) -> bool:
        """Whether every step has the same row: no schedules, and no bias corrections like those of Adam."""
        return not any(map(callable, vars(self).values()))

    def is_plain(self) -> bool:
        """Whether a step is just ``w - learning_rate * g`` and a decay in proportion to w."""
        return False

    def uses_signs(self) -> bool:
        """Whether a step depends on the signs of the gradient only, so that clipping changes nothing."""
        return False

    def needs_all_samples(self) -> bool:
        """Whether a batch must hold all samples, because the rule compares losses."""
        return False


class WholeSetMethod(HasParams):
    """Base of methods that use all samples at once and choose their own steps: no batches, no learning rate."""
