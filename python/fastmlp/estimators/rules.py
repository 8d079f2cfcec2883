"""scikit-learn's update rules in the core's terms.

Its momentum keeps steps, ``v := momentum * v - rate * g``, where ours keeps gradients, ``v := momentum * v + g`` and
``w := w - rate * v``. Both are the same as long as the rate stays; where it changes from r to r', momentum * r / r' in
the place of momentum makes ours theirs. Its Adam adds epsilon to the root of the mean square before the correction for
its start at 0, ours behind it: epsilon / sqrt(1 - beta_2^t) in the place of epsilon makes ours theirs (the two forms
stand in section 2 of Kingma and Ba, ICLR 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.values import Schedule, Value, values_at
from fastmlp.optimizers import Adam, Optimizer, make_optimizer


@dataclass(frozen=True)
class StepSGD(Optimizer):
    """Gradient descent whose velocity is made of steps: ``v := momentum * v - rate * g``; ``w := w + v``, or
    ``w + momentum * v - rate * g`` (nesterov)."""

    learning_rate: Value
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    rule: ClassVar[int] = Update.SGD

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """The velocity, or nothing without momentum."""
        return None if self.momentum == 0 else np.zeros((1, n_params), dtype=dtype)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        before = np.maximum(numbers - 1, 0)
        table["momentum"] = self.momentum * values_at(self.learning_rate, before) / table["learning_rate"]
        table["look_ahead"] = self.momentum

    def is_plain(self) -> bool:
        """Without momentum."""
        return self.momentum == 0


@dataclass(frozen=True)
class EpsilonBefore(Schedule):
    """Adam's epsilon as scikit-learn adds it: before the correction of the mean square."""

    epsilon: float
    beta_2: float

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        return self.epsilon / np.sqrt(1 - self.beta_2 ** (np.asarray(step) + 1.0))


@dataclass(frozen=True)
class EpochRate(Schedule):
    """A learning rate that changes where an epoch begins: ``before`` until step ``first``, then ``now``, and with a
    ``power`` in epoch k from there ``initial / (seen + k * n_samples + 1) ** power`` (inverse scaling).

    ``seen`` are the samples trained on before, ``n_samples`` and ``n_batches`` those of an epoch.
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
        """The rate when so many samples have been trained on: the power is not None."""
        return self.initial / (seen + 1.0) ** self.power


def make_rule(estimator: Any, rate: Value) -> Any:
    """The update rule of solver or optimizer; ``rate`` is the learning rate that the policy has come to."""
    if estimator.optimizer is not None:
        return make_optimizer(estimator.optimizer)
    if estimator.solver == "sgd":
        momentum = float(estimator.momentum)
        return StepSGD(rate, momentum, bool(estimator.nesterovs_momentum and momentum > 0))
    beta_1, beta_2 = float(estimator.beta_1), float(estimator.beta_2)
    return Adam(rate, beta_1, beta_2, EpsilonBefore(float(estimator.epsilon), beta_2))


def records_epochs(estimator: Any) -> bool:
    """Whether a fit leaves a loss curve: all do but, as in scikit-learn, those of ``solver="lbfgs"``."""
    return bool(estimator.optimizer is not None or estimator.solver != "lbfgs")


def is_quasi_newton(estimator: Any) -> bool:
    """Whether the estimator trains by L-BFGS, which takes all rows at once."""
    if estimator.optimizer is None:
        return bool(estimator.solver == "lbfgs")
    return not isinstance(make_optimizer(estimator.optimizer), Optimizer)


def has_epochs(estimator: Any) -> bool:
    """Whether `partial_fit` is there: not with L-BFGS, which needs all rows at once."""
    if is_quasi_newton(estimator):
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
