"""Adam and its kin: the mean of the gradients, divided by the root of the mean of their squares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
        Added to the root, so that nothing is divided by 0. At least 1.2e-38 for a float32 network.
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
        now, ahead = numbers + 1, numbers + 2
        with np.errstate(divide="ignore"):  # without momentum the first moment is divided by infinity
            table["correction_1"] = (1 - momentum_products(self.beta_1, ahead)) / momenta(self.beta_1, ahead)
        table["correction_3"] = (1 - momenta(self.beta_1, now)) / (1 - momentum_products(self.beta_1, now))


N_MULTIPLIED = 2**14
"""Steps whose product of momenta is multiplied out; with the usual beta_1, those of later steps are nearly 0."""
N_TERMS = 50
"""Terms of the series for later steps; each is less than half the one before."""
NEGLIGIBLE = -746.0
"""A product with a logarithm below this is 0 in float64."""


def momenta(beta_1: float, t: NDArray[Any]) -> NDArray[np.float64]:
    """NAdam's momentum in the steps t = 1, 2, ...: ``beta_1 * (1 - q^t / 2)`` with ``q = 0.96^0.004``."""
    return beta_1 * (1 - 0.5 * 0.96 ** (t * 0.004))


def momentum_products(beta_1: float, t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Products of the momenta of the steps 1 to t, at a cost that does not depend on t.

    For late steps, by their logarithm, with ``log(1 - x / 2) = -sum_k x^k / (k 2^k)`` and geometric sums over the
    steps: ``t log beta_1 - sum_k (q^k - q^(k (t + 1))) / (1 - q^k) / (k 2^k)``.

    >>> momentum_products(0.9, np.array([1, 2])) == np.cumprod(momenta(0.9, np.array([1, 2])))
    array([ True,  True])
    """
    products = np.where(t > N_MULTIPLIED, 0.0, first_products(beta_1)[np.minimum(t, N_MULTIPLIED) - 1])
    late = (t > N_MULTIPLIED) & (t < (NEGLIGIBLE / np.log(beta_1) if beta_1 > 0 else 0.0))
    if late.any():
        steps, k = t[late].astype(np.float64), np.arange(1.0, N_TERMS + 1)[:, np.newaxis]
        log_q = 0.004 * np.log(0.96)
        sums = np.exp(k * log_q) * np.expm1(k * steps * log_q) / np.expm1(k * log_q)
        products[late] = np.exp(steps * np.log(beta_1) - (sums / (k * 2**k)).sum(axis=0))
    return products


@lru_cache(maxsize=8)
def first_products(beta_1: float) -> NDArray[np.float64]:
    """Products of the momenta of the steps 1 to t, for the first `N_MULTIPLIED` steps t."""
    products: NDArray[Any] = np.cumprod(momenta(beta_1, np.arange(1.0, N_MULTIPLIED + 1)))
    products.flags.writeable = False
    return products
