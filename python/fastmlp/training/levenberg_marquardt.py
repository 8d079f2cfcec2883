"""Levenberg-Marquardt: between Gauss-Newton and gradient descent, for squared losses and a few thousand parameters.

With the residuals r = y - t of all samples and outputs and their Jacobian J, the loss is c r.T r plus a decay, its
gradient g = 2 c J.T r + decay w, and its curvature about A = 2 c J.T J + decay. A step solves (A + damping I) h = -g:
a Gauss-Newton step for small damping, a short step down the gradient for large damping.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

from cnn_core.doors.inference import evaluate
from cnn_core.doors.jacobian import normal_equations
from fastmlp.checks.errors import DivergedError, shown
from fastmlp.checks.saved import saved_number
from fastmlp.data.inputs import input_source, target_source
from fastmlp.data.weights import for_core, width_of
from fastmlp.machine.memory import aligned_empty
from fastmlp.machine.threads import choose_threads, single_threaded_blas_for
from fastmlp.model.loss_kinds import LOSSES
from fastmlp.model.model import Model
from fastmlp.optimizers import LevenbergMarquardt
from fastmlp.passes.derivatives import divisor
from fastmlp.passes.running import Running
from fastmlp.passes.workspace import make_workspace
from fastmlp.training.advice import likely_cause
from fastmlp.training.checkpoint import check_alike
from fastmlp.training.recording import record

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Callback, Run
    from fastmlp.data.samples import TrainingData
    from fastmlp.training.checkpoint import Checkpoint
    from fastmlp.training.settings import FitSettings

BLOCK_ROWS = 256
"""Rows of J that all threads multiply together."""
MAX_DAMPING = 1e12
"""Relative to the largest curvature; with more damping, steps are lost in rounding."""


def check_least_squares(network: Model, data: TrainingData, rule: LevenbergMarquardt) -> None:
    """Raise ``ValueError`` for what the method cannot train."""
    if network.loss.spec.share_of_squares is None:
        names = " or ".join(repr(name) for name, spec in LOSSES.items() if spec.share_of_squares is not None)
        raise ValueError(f"LevenbergMarquardt needs the loss {names}, a sum of squares; got {shown(network.loss.name)}")
    if data.X.starts is not None:
        raise ValueError("LevenbergMarquardt needs a dense X, got a sparse matrix; pass X.toarray()")
    p = network.n_params
    if p > rule.max_params:
        raise ValueError(
            f"LevenbergMarquardt stores two n_params x n_params matrices; this network has {p} parameters and needs "
            f"{16 * p**2 / 1e9:.2g} GB, and max_params={rule.max_params} is the limit: raise it, or use LBFGS"
        )


class LeastSquares:
    """The loss of a network as a sum of squares, and its gradient and curvature, in float64 for any network dtype.

    Attributes
    ----------
    curvature : ndarray (p, p)
        A, upper triangle only.
    gradient : ndarray (p,)
        g. For frozen parameters, A, g and the step are 0.
    loss : float
        The value to minimise: mean loss plus decay.
    evaluations : int
        How often `loss_at` computed the loss.
    """

    def __init__(
        self, network: Model, data: TrainingData, weight_decay: float, n_threads: int | None, alpha: float = 0.0
    ) -> None:
        self.network, self.data = network, data
        self.twin = network.astype("float64")
        layout, n, p = network.layout, len(data.X), network.n_params
        self.total = total = divisor("mean", n, data.weights)
        decaying = layout.per_parameter("decay_factor")
        self.frozen = np.flatnonzero(layout.per_parameter("learning_rate_factor") == 0)
        self.penalties = alpha / total * decaying
        self.decays = weight_decay * decaying + self.penalties
        flops = 2 * layout.flops_per_row + network.n_outputs * p**2
        threads = choose_threads(n_threads, flops, n)
        tile_rows = min(max(BLOCK_ROWS // threads, 16), -(-n // threads))
        workspace = make_workspace(
            layout, network.loss, self.twin.dtype, n, threads, training=False, tile_rows=tile_rows,
            n_weight=width_of(data.weights),
        )  # fmt: skip
        self.run = Running(self.twin, workspace, n)
        self.rows = aligned_empty(threads * tile_rows * (p + 1), self.twin.dtype).reshape(-1, p + 1)
        self.effort = layout.effort(tile_rows) + float(network.n_outputs * tile_rows * p**2)
        self.products = aligned_empty((p + 1) ** 2, self.twin.dtype).reshape(p + 1, p + 1)
        self.damped = aligned_empty(p**2, self.twin.dtype).reshape(p, p)
        self.curvature, self.gradient = self.products[:-1, :-1], self.products[:-1, -1]
        self.diagonal = self.products.reshape(-1)[:: p + 2][:-1]
        share = network.loss.spec.share_of_squares
        assert share is not None
        self.factor = 2 * share(network.n_outputs) / total
        self.loss, self.evaluations = np.nan, 0
        self.sources = input_source(self.twin, data.X), target_source(self.twin, data.targets)

    def linearize(self) -> None:
        """Compute loss, gradient and curvature at the network's parameters."""
        twin = self.twin
        moved = np.isnan(self.loss) or not np.array_equal(twin.params, self.network.params)
        twin.params[:] = self.network.params
        self.products.fill(0)
        self.run.call(
            normal_equations, self.effort, *self.sources, for_core(self.data.weights), self.rows, self.products
        )
        self.products *= self.factor
        if moved:  # else it is known, and to the bit, as steps are compared with it
            self.loss = float(self.products[-1, -1]) / 2 + half_squares(self.decays, twin.params)
        self.diagonal += self.decays
        self.gradient += self.decays * twin.params
        self.gradient[self.frozen] = 0
        self.curvature[self.frozen] = self.curvature[:, self.frozen] = 0

    def step(self, damping: float) -> NDArray[np.float64] | None:
        """h (p,) with (A + damping I) h = -g; None if that matrix is not positive definite up to rounding."""
        np.copyto(self.damped, self.curvature)
        self.damped.reshape(-1)[:: len(self.gradient) + 1] += damping
        factor, failed = dpotrf(self.damped.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            return None
        h: NDArray[np.float64] = dpotrs(factor, -self.gradient, lower=1)[0]
        return h

    def loss_at(self, params: NDArray[np.float64]) -> tuple[float, float]:
        """Value to minimise, and mean loss plus penalty, at ``params`` rounded to the network's dtype."""
        with np.errstate(over="ignore"):  # an overflow gives a loss that is not finite
            self.twin.params[:] = params.astype(self.network.dtype)
        self.evaluations += 1
        workspace = self.run.workspace
        workspace.partials.fill(0)
        effort = self.twin.layout.effort(workspace.tile_rows, backward=False)
        self.run.call(evaluate, effort, *self.sources, for_core(self.data.weights))
        loss = float(workspace.losses.sum()) / self.total
        squares = self.decays, self.penalties
        decay, penalty = (half_squares(factors, self.twin.params) for factors in squares)
        return loss + decay, loss + penalty


def half_squares(factors: NDArray[np.float64], params: NDArray[np.float64]) -> float:
    """Sum of factors / 2 times the squared parameters."""
    return float(factors @ params**2) / 2


class Damping:
    """The number added to the curvature's diagonal: smaller after a step as good as predicted, larger after a bad one.

    Source: Nielsen's rule, in Madsen, Nielsen and Tingleff, "Methods for non-linear least squares problems", 2004.
    """

    def __init__(self, value: float, growth: float = 2.0) -> None:
        self.value, self.growth = value, growth

    def accepted(self, gain: float) -> None:
        """A step lowered the loss by ``gain`` times the predicted amount."""
        self.value = max(self.value * max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3), 1e-20)
        self.growth = 2.0

    def refused(self) -> None:
        """A step raised the loss."""
        self.value *= self.growth
        self.growth *= 2


@np.errstate(over="ignore", invalid="ignore")  # such a step lowers no loss
def find_step(problem: LeastSquares, damping: Damping) -> float | None:
    """Try steps until one lowers the loss; leave it in the twin and return the loss to record, or None if none does.

    The damping more than doubles each time, so that there are at most a few dozen.
    """
    origin = problem.twin.params.copy()
    limit = min(MAX_DAMPING * float(problem.diagonal.max()), sys.float_info.max)
    while True:
        h = problem.step(damping.value)
        if h is not None:
            promised = float(h @ (damping.value * h - problem.gradient)) / 2
            value, loss = problem.loss_at(origin + h)
            if value < problem.loss and promised > 0:  # false for NaN
                damping.accepted((problem.loss - value) / promised)
                problem.loss = value
                return loss
        damping.refused()
        if not 0 < damping.value <= limit:  # beyond the limit, or neither ever: 0 or NaN, after numbers out of range
            return None


class Descent:
    """The state of the method between two steps."""

    def __init__(self, network: Model, problem: LeastSquares) -> None:
        self.problem = problem
        self.damping: Damping | None = None
        self._arrays = {"params": network.params, "twin_params": problem.twin.params}

    def state_dict(self) -> dict[str, Any]:
        """The state for a checkpoint."""
        damping = None if self.damping is None else vars(self.damping)
        return {"arrays": self._arrays, "loss": self.problem.loss, "damping": damping}

    def load_state_dict(self, state: dict[str, Any], n_done: int) -> None:
        """Continue from a state after ``n_done`` epochs; ``ValueError`` or ``TypeError`` if it is impossible."""
        check_alike(state["arrays"], self._arrays)
        if not all(np.isfinite(array).all() for array in state["arrays"].values()):
            raise ValueError("its parameters are not finite")
        damping, loss = state["damping"], state["loss"] if n_done == 0 else saved_number(state, "loss")
        if damping is not None:
            value, growth = saved_number(damping, "value", 1e-300), saved_number(damping, "growth", 2.0)
            self.damping = Damping(value, growth)
        self.problem.loss = float(loss)
        for name, array in self._arrays.items():
            array[:] = state["arrays"][name]


def fit_levenberg_marquardt(
    run: Run, data: TrainingData, settings: FitSettings, hooks: tuple[Callback, ...], checkpoint: Checkpoint | None
) -> None:
    """Minimise the mean loss over all samples; each step that lowers it is an epoch of the history.

    As with LBFGS, ``history["loss"]`` is the loss after the step, with the L2 penalty of ``alpha`` (a number) and
    without the optimizer's own decay; ``history["damping"]`` is the damping at the start of the next step, and
    ``history["evaluations"]`` the number of steps tried.
    """
    network, rule, n_threads = run.network, settings.optimizer, settings.n_threads
    assert isinstance(rule, LevenbergMarquardt)
    problem = LeastSquares(network, data, rule.weight_decay, n_threads, cast(float, settings.alpha))
    descent = Descent(network, problem)
    if checkpoint is not None:
        checkpoint.begin(run, settings.callbacks, descent.state_dict, descent.load_state_dict)
    with single_threaded_blas_for(network.n_params**2 * len(data.X)):
        while run.epoch + 1 < run.n_epochs and not run.stop_reason:
            problem.linearize()
            # With a finite diagonal, all of J.T J is finite.
            if not all(np.isfinite(x).all() for x in (problem.loss, problem.gradient, problem.diagonal)):
                epoch = run.epoch + 1
                raise DivergedError(
                    f"the loss, its gradient or its curvature is not finite before the step with index {epoch}. "
                    f"{likely_cause(network, data)}. The network holds the weights of the last step",
                    epoch,
                )
            if np.abs(problem.gradient).max() <= rule.tolerance:
                run.stop(f"Levenberg-Marquardt: no element of the gradient exceeds {rule.tolerance:g}")
                break
            damping = descent.damping = descent.damping or Damping(rule.damping * float(problem.diagonal.max()))
            before = problem.evaluations
            loss = find_step(problem, damping)
            if loss is None:
                run.stop("Levenberg-Marquardt: no step lowers the loss")
                break
            network.params[:] = problem.twin.params
            run.epoch += 1
            record(
                run, data.validation, settings.metrics, n_threads, loss=[loss], seconds=[run.seconds()],
                learning_rate=[1.0], damping=[damping.value], evaluations=[float(problem.evaluations - before)],
            )  # fmt: skip
            for hook in hooks:
                hook.on_epoch_end(run)
            if checkpoint is not None:
                checkpoint.write_if_due()
        if checkpoint is not None:
            checkpoint.write()
