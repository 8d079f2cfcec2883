"""Optimizers as frozen descriptions: the update rule in the core, its hyperparameters and its state.

A hyperparameter is a number or a function of the step (`fastmlp.schedules`). In all rules but AdamW, ``weight_decay``
and ``l1_decay`` are added to the gradient: ``g + weight_decay * w + l1_decay * sign(w)``. Biases and the parameters of
normalisation layers do not decay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from cnn_core.types import STRUCTS
from fastmlp.checks.errors import unknown_name
from fastmlp.checks.values import Value, check_size, check_value, values_at

STEP_DTYPE = np.asarray(STRUCTS["Step"]).dtype
_UNBOUNDED = np.zeros(1, dtype=STEP_DTYPE)
for _bound in ("clip_norm", "clip_value", "max_norm"):
    _UNBOUNDED[_bound] = np.inf


class Optimizer:
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
        table = np.repeat(_UNBOUNDED, len(numbers))
        for name in ("learning_rate", "weight_decay", "l1_decay"):
            table[name] = values_at(getattr(self, name), numbers, name)
        self._fill(table, numbers)
        return table

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        """Add the rule's own columns."""

    def is_constant(self) -> bool:
        """Whether every step has the same row: no schedules, and no bias corrections like those of Adam."""
        return not any(map(callable, vars(self).values()))

    def is_plain(self) -> bool:
        """Whether a step is just ``w - learning_rate * g`` and a decay in proportion to w."""
        return False

    def needs_all_samples(self) -> bool:
        """Whether a batch must hold all samples, because the rule compares losses."""
        return False


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
            raise TypeError(f"nesterov must be True or False, got {self.nesterov!r}")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs a momentum above 0")

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """The velocity; None without momentum."""
        return None if self.momentum == 0 else np.zeros((1, n_params), dtype=dtype)

    def _fill(self, table: NDArray[Any], numbers: NDArray[np.int64]) -> None:
        table["momentum"] = table["look_ahead"] = values_at(self.momentum, numbers, "momentum")

    def is_plain(self) -> bool:
        """True without momentum and L1 decay."""
        return self.momentum == 0 and self.l1_decay == 0


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
        Added to the root, so that nothing is divided by 0.
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
        Added to the root, so that nothing is divided by 0.
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


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Rprop: a step size for each weight, which depends only on the sign of its gradient; for full batches.

    While the gradient of a weight keeps its sign, its step size is multiplied by 1.2, up to 50. When the sign changes,
    the weight has passed a minimum: its step size is halved, down to 1e-6, and it skips a step.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Initial step size of every weight, above 0.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.
    backtrack : bool, default False
        True: if the loss has risen too, the last step of the weight is undone. A batch must then hold all samples. The
        loss compared is that of ``history``: with the penalty of ``alpha``, without the two decays above.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Sources: Riedmiller and Braun 1993. The variants are iRprop- and, with ``backtrack``, iRprop+ of Igel and Huesken
    2000.

    Examples
    --------
    >>> Rprop(backtrack=True).backtrack
    True
    """

    learning_rate: float = 0.01
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    backtrack: bool = False
    rule: ClassVar[int] = Update.RPROP

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("learning_rate", self.learning_rate, low=0.0, low_open=True, schedule=False)
        if not isinstance(self.backtrack, (bool, np.bool_)):
            raise TypeError(f"backtrack must be True or False, got {self.backtrack!r}")
        if self.backtrack:
            object.__setattr__(self, "rule", Update.RPROP_PLUS)

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Last gradient (0) and step sizes; with ``backtrack`` a third row, which starts with the last loss."""
        state = np.zeros((3 if self.backtrack else 2, n_params), dtype=dtype)
        state[1] = self.learning_rate
        return state

    def needs_all_samples(self) -> bool:
        """True with ``backtrack``."""
        return self.backtrack


class WholeSetMethod:
    """Base of methods that use all samples at once and choose their own steps: no batches, no learning rate."""


@dataclass(frozen=True)
class LBFGS(WholeSetMethod):
    """SciPy's limited-memory BFGS over the whole data set; an epoch is one iteration.

    Parameters
    ----------
    tolerance : float, default 1e-6
        The fit stops when no element of the projected gradient exceeds this.
    memory : int, default 10
        Number of corrections kept.
    max_evaluations : int, default 20
        Limit on function evaluations per iteration, on average.
    weight_decay : float, default 0.0
        Adds ``weight_decay / 2 * sum w^2`` over the weights to the objective.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Liu and Nocedal, Mathematical Programming 1989.

    Examples
    --------
    >>> import fastmlp as fm
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> net = fm.Network([1, 1], dtype="float64", seed=0)
    >>> history = net.fit(X, 3 * X + 1, epochs=100, optimizer=fm.LBFGS())
    >>> bool(history["loss"][-1] < 1e-8)
    True
    """

    tolerance: float = 1e-6
    memory: int = 10
    max_evaluations: int = 20
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_value("tolerance", self.tolerance, low=0.0, schedule=False)
        check_size("memory", self.memory)
        check_size("max_evaluations", self.max_evaluations)
        check_value("weight_decay", self.weight_decay, low=0.0, schedule=False)


@dataclass(frozen=True)
class LevenbergMarquardt(WholeSetMethod):
    """Damped Gauss-Newton steps over the whole data set; an epoch is a step that lowers the loss.

    For the losses squared_error and mse, and networks of up to a few thousand parameters. There it gets far closer to
    a minimum than any other optimizer here.

    Parameters
    ----------
    damping : float, default 1e-3
        Initial damping, above 0, relative to the largest element on the diagonal of the curvature matrix. Adapted
        automatically after that.
    tolerance : float, default 1e-8
        The fit stops when no element of the gradient exceeds this.
    max_params : int, default 4000
        ``fit`` raises ``ValueError`` for a network with more parameters. Each step solves that many equations in one
        LAPACK call, which Ctrl-C cannot interrupt: about a second for 4000.
    weight_decay : float, default 0.0
        Adds ``weight_decay / 2 * sum w^2`` over the weights to the objective.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    With p parameters, a step takes about ``n_samples * n_outputs * p^2`` operations, and the fit ``16 p^2`` bytes.
    Arithmetic is float64 whatever the dtype of the network, but each step is judged with the weights as the network
    stores them. ``history["damping"]`` is recorded next to the loss.

    Sources: Levenberg 1944; Marquardt 1963; for networks Hagan and Menhaj 1994; the damping rule Nielsen 1999, in
    Madsen, Nielsen and Tingleff, "Methods for non-linear least squares problems", 2004.

    Examples
    --------
    >>> import fastmlp as fm
    >>> X = np.linspace(-3, 3, 200).reshape(-1, 1)
    >>> net = fm.Network([1, 10, 1], activation="tanh", loss="mse", dtype="float64", seed=0)
    >>> history = net.fit(X, np.sin(X), epochs=100, optimizer=fm.LevenbergMarquardt())
    >>> bool(history["loss"][-1] < 1e-4)
    True
    """

    damping: float = 1e-3
    tolerance: float = 1e-8
    max_params: int = 4000
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_value("damping", self.damping, low=0.0, low_open=True, schedule=False)
        check_value("tolerance", self.tolerance, low=0.0, schedule=False)
        check_size("max_params", self.max_params)
        check_value("weight_decay", self.weight_decay, low=0.0, schedule=False)


OPTIMIZERS: dict[str, type[Optimizer] | type[WholeSetMethod]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "rprop": Rprop,
    "lbfgs": LBFGS,
    "levenberg_marquardt": LevenbergMarquardt,
}


def make_optimizer(optimizer: object) -> Optimizer | WholeSetMethod:
    """An optimizer from an optimizer, a name (with its defaults) or None (Adam)."""
    if optimizer is None:
        return Adam()
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise unknown_name("optimizer", optimizer, OPTIMIZERS)
        return OPTIMIZERS[optimizer]()
    if not isinstance(optimizer, (Optimizer, WholeSetMethod)):
        raise TypeError(f"optimizer must be a name or an optimizer such as fm.SGD(0.1), got {optimizer!r}")
    return optimizer
