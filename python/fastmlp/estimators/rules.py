"""scikit-learn's update rules in the core's terms.

Momentum: scikit-learn adds up steps, ``v := momentum * v - rate * g``; we add up gradients, ``v := momentum * v + g``
and ``w := w - rate * v``. Both are the same while the rate is constant. When it changes from r to r', we use
momentum * r / r' instead of momentum. In a step with the rate 0 we leave the weights alone.

Adam: scikit-learn adds epsilon to the root of the second moment before the bias correction, we add it after. With
epsilon / sqrt(1 - beta_2^t) instead of epsilon both are the same (Kingma and Ba, ICLR 2015, section 2, has both forms).
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.values import Schedule, Value, values_at
from fastmlp.optimizers import Adam, Optimizer, make_optimizer

CARRIED = {
    "learning_rate_init": "learning_rate", "momentum": "momentum", "nesterovs_momentum": "nesterov", "beta_1": "beta_1",
    "beta_2": "beta_2", "epsilon": "epsilon",
}  # fmt: skip
"""Settings of solvers that optimizers have too, and their names there."""


@dataclass(frozen=True)
class StepSGD(Optimizer):
    """Gradient descent whose velocity adds up steps: ``v := momentum * v - rate * g``; ``w := w + v``, or with
    nesterov ``w := w + momentum * v - rate * g``."""

    learning_rate: Value
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.SGD

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """The velocity (1, n_params), or None without momentum."""
        return None if self.momentum == 0 else np.zeros((1, n_params), dtype=dtype)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        before = values_at(self.learning_rate, np.maximum(numbers - 1, 0), "learning_rate")
        rate, momentum = table["learning_rate"], np.full(len(numbers), self.momentum)
        # A step with the rate 0 moves nothing, whatever the velocity.
        table["momentum"] = np.divide(self.momentum * before, rate, out=momentum, where=rate > 0)
        table["look_ahead"] = self.momentum

    def is_plain(self) -> bool:
        """Whether there is no momentum."""
        return self.momentum == 0


@dataclass(frozen=True)
class EpsilonBefore(Schedule):
    """Adam's epsilon as in scikit-learn: added before the bias correction of the second moment."""

    epsilon: float
    beta_2: float

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.epsilon / np.sqrt(1 - self.beta_2 ** (np.asarray(step) + 1.0))


@dataclass(frozen=True)
class EpochRate(Schedule):
    """A learning rate that changes between epochs: ``before`` until step ``first``, then ``now``.

    With a ``power`` (inverse scaling), epoch k >= 1 from there has ``initial / (seen + k * n_samples + 1) ** power``.
    ``seen`` is the number of rows trained on before; an epoch has ``n_samples`` rows in ``n_batches`` batches.
    """

    before: float
    now: float
    first: int
    n_batches: int
    n_samples: int
    seen: int = 0
    initial: float = 1.0
    power: float | None = None

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        epoch = (np.asarray(step) - self.first) // self.n_batches
        rates = np.where(epoch < 0, self.before, self.now)
        if self.power is None:
            return rates
        return np.where(epoch > 0, self.after(self.seen + np.maximum(epoch, 0) * self.n_samples), rates)

    def after(self, seen: Any) -> Any:
        """The rate after this many rows; only with a ``power``."""
        return self.initial / (seen + 1.0) ** self.power


def make_rule(estimator: Any, rate: Value) -> Any:
    """The update rule of ``optimizer``, or else of ``solver`` with this learning rate."""
    if estimator.optimizer is not None:
        rule = make_optimizer(estimator.optimizer)
        return rule.set_params(**{ours: getattr(estimator, name) for name, ours in carried_settings(estimator).items()})
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        return StepSGD(rate, momentum, bool(estimator.nesterovs_momentum and momentum > 0))
    beta_1, beta_2 = float(estimator.beta_1), float(estimator.beta_2)
    return Adam(rate, beta_1, beta_2, EpsilonBefore(float(estimator.epsilon), beta_2))


def carried_settings(estimator: Any) -> dict[str, str]:
    """The settings of solvers that act on an ``optimizer`` given by name, and their names there.

    These are settings with the same default in both places: nothing can tell a default from a value that was set.
    """
    if not isinstance(estimator.optimizer, str):
        return {}
    own, defaults = vars(make_optimizer(estimator.optimizer)), inspect.signature(type(estimator)).parameters
    return {name: ours for name, ours in CARRIED.items() if own.get(ours, math.nan) == defaults[name].default}


def records_epochs(estimator: Any) -> bool:
    """Whether a fit records a loss curve: always, except with ``solver="lbfgs"``, as in scikit-learn."""
    return bool(estimator.optimizer is not None or estimator.solver != "lbfgs")


def is_quasi_newton(estimator: Any) -> bool:
    """Whether the estimator trains on all rows at once, without mini-batches."""
    if estimator.optimizer is None:
        return bool(estimator.solver == "lbfgs")
    return not isinstance(make_optimizer(estimator.optimizer), Optimizer)


def has_epochs(estimator: Any) -> bool:
    """Whether `partial_fit` is available; ``AttributeError`` with L-BFGS, which needs all rows at once."""
    if is_quasi_newton(estimator):
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
