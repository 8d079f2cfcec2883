"""Methods that see all samples at once and make steps of their own: L-BFGS and Levenberg-Marquardt."""

from __future__ import annotations

from dataclasses import dataclass

from fastmlp.checks.values import check_size, check_value
from fastmlp.optimizers.base import WholeSetMethod


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
    ``history["evaluations"]`` is how often each iteration computed the loss and its gradient, one pass over all samples
    each.

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
    stores them. The history also has ``damping``, and ``evaluations``, the number of steps tried, each one pass over
    all samples.

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
