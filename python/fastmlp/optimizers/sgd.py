"""Stochastic gradient descent, plain or with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.errors import shown
from fastmlp.checks.values import Value, check_value, values_at
from fastmlp.optimizers.base import Optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with optional momentum: ``v = momentum * v + g``; ``w -= learning_rate * v``.

    Parameters
    ----------
    learning_rate : float or function of the step, default 0.01
    momentum : float or function of the step, default 0.0
        From 0 to below 1.
    nesterov : bool, default False
        True: ``w -= learning_rate * (g + momentum * v)``; needs a momentum above 0.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Sources: Polyak 1964; Sutskever et al., ICML 2013.

    Examples
    --------
    >>> SGD(0.1, momentum=0.9, nesterov=True).momentum
    0.9
    """

    learning_rate: Value = 0.01
    momentum: Value = 0.0
    nesterov: bool = False
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.SGD

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("momentum", self.momentum, low=0.0, high=1.0, high_open=True)
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise TypeError(f"nesterov must be True or False, got {shown(self.nesterov)}")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs a momentum above 0")

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """The velocity; None without momentum."""
        return None if self.momentum == 0 else np.zeros((1, n_params), dtype=dtype)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        if self.momentum != 0:
            table["momentum"] = table["look_ahead"] = values_at(self.momentum, numbers, "momentum")

    def is_plain(self) -> bool:
        """True without momentum and L1 decay."""
        return self.momentum == 0 and self.l1_decay == 0
