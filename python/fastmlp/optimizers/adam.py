"""Adam and its kin: the mean of the gradients, divided by the root of the mean of their squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.values import Value, check_value, values_at
from fastmlp.optimizers.base import Optimizer


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: divide the moving mean of the gradient by the root of its moving mean square.

    ``m = beta_1 * m + (1 - beta_1) * g``; ``v = beta_2 * v + (1 - beta_2) * g^2``;
    ``w -= learning_rate * (m / c1) / (sqrt(v / c2) + epsilon)``, where ``c1`` and ``c2`` correct for the start at 0.

    Parameters
    ----------
    learning_rate : float or function of the step, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        From 0 to below 1.
    epsilon : float or function of the step, default 1e-8
        Added to the root, so that nothing is divided by 0.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Kingma and Ba, ICLR 2015.

    Examples
    --------
    >>> from fastmlp.schedules import Cosine
    >>> Adam(Cosine(0.01, n_steps=1000)).beta_2
    0.999
    """

    learning_rate: Value = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: Value = 1e-8
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.ADAM

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("beta_1", self.beta_1, low=0.0, high=1.0, high_open=True, schedule=False)
        check_value("beta_2", self.beta_2, low=0.0, high=1.0, high_open=True, schedule=False)
        check_value("epsilon", self.epsilon, low=0.0, low_open=True)

    def is_constant(self) -> bool:
        """False: the bias corrections change from step to step."""
        return False

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        table["momentum"] = self.beta_1
        table["beta_2"] = self.beta_2
        table["epsilon"] = values_at(self.epsilon, numbers, "epsilon")
        table["correction_1"] = 1 - self.beta_1 ** (numbers + 1.0)
        table["correction_2"] = 1 - self.beta_2 ** (numbers + 1.0)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: ``w *= 1 - learning_rate * weight_decay`` before each step.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, l1_decay
        As in `Adam`.
    weight_decay : float or function of the step, default 0.01

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Loshchilov and Hutter, ICLR 2019.

    Examples
    --------
    >>> AdamW(0.001, weight_decay=0.05).weight_decay
    0.05
    """

    weight_decay: Value = 0.01
    rule: ClassVar[int] = Update.ADAMW


@dataclass(frozen=True)
class NAdam(Adam):
    """Adam with Nesterov momentum, which warms up as ``beta_1 * (1 - 0.96^(t / 250) / 2)``.

    Parameters
    ----------
    learning_rate : float or function of the step, default 0.002
    beta_1, beta_2, epsilon, weight_decay, l1_decay
        As in `Adam`.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Dozat, ICLR workshop 2016.

    Examples
    --------
    >>> NAdam().learning_rate
    0.002
    """

    learning_rate: Value = 0.002
    rule: ClassVar[int] = Update.NADAM

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        super()._fill(table, numbers)
        t = np.arange(1, numbers[-1] + 3.0)
        momenta = self.beta_1 * (1 - 0.5 * 0.96 ** (t * 0.004))
        products = np.cumprod(momenta)
        now, ahead = numbers, numbers + 1
        table["correction_1"] = (1 - products[ahead]) / momenta[ahead]
        table["correction_3"] = (1 - momenta[now]) / (1 - products[now])
