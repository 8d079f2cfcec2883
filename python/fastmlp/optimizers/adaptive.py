"""Rules that divide each gradient by the size of those before: RMSprop and Adagrad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.values import Value, check_value, values_at
from fastmlp.optimizers.base import Optimizer


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop: divide the gradient by the root of its moving mean square.

    ``s = rho * s + (1 - rho) * g^2``; ``v = momentum * v + g / (sqrt(s) + epsilon)``; ``w -= learning_rate * v``.

    Parameters
    ----------
    learning_rate : float or function of the step, default 0.001
    rho : float or function of the step, default 0.9
        Decay of the mean square, from 0 to below 1.
    momentum : float or function of the step, default 0.0
        From 0 to below 1.
    epsilon : float or function of the step, default 1e-8
        Added to the root, so that nothing is divided by 0. At least 1.2e-38 for a float32 network.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012.

    Examples
    --------
    >>> RMSprop(0.01, momentum=0.9).rho
    0.9
    """

    learning_rate: Value = 0.001
    rho: Value = 0.9
    momentum: Value = 0.0
    epsilon: Value = 1e-8
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.RMSPROP

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("rho", self.rho, low=0.0, high=1.0, high_open=True)
        check_value("momentum", self.momentum, low=0.0, high=1.0, high_open=True)
        check_value("epsilon", self.epsilon, low=0.0, low_open=True)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        table["beta_2"] = values_at(self.rho, numbers, "rho")
        table["momentum"] = values_at(self.momentum, numbers, "momentum")
        table["epsilon"] = values_at(self.epsilon, numbers, "epsilon")


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad: ``s += g^2``; ``w -= learning_rate * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    learning_rate : float or function of the step, default 0.01
    epsilon : float or function of the step, default 1e-10
        Added to the root, so that nothing is divided by 0. At least 1.2e-38 for a float32 network.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Duchi et al., JMLR 2011.

    Examples
    --------
    >>> Adagrad(0.05).learning_rate
    0.05
    """

    learning_rate: Value = 0.01
    epsilon: Value = 1e-10
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.ADAGRAD

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("epsilon", self.epsilon, low=0.0, low_open=True)

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """The sum of squares, starting at 0."""
        return np.zeros((1, n_params), dtype=dtype)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        table["epsilon"] = values_at(self.epsilon, numbers, "epsilon")
