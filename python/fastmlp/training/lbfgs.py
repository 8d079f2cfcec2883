"""L-BFGS by SciPy, which works on one flat vector of parameters and one flat gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import DivergedError, shown
from fastmlp.data.samples import TrainingData
from fastmlp.model.model import Model
from fastmlp.optimizers import LBFGS
from fastmlp.passes.derivatives import divisor, loss_and_flat_gradient
from fastmlp.training.advice import likely_cause
from fastmlp.training.recording import record
from fastmlp.training.settings import FitSettings

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Callback, Run


class Objective:
    """The mean loss over all samples and its penalties, as functions of the parameters (n_params,) in float64.

    A call sets the network's parameters, and returns the value to minimise and its gradient. `evaluations` counts
    how often the loss and its gradient were computed.

    Parameters
    ----------
    network : Model
    data : TrainingData
    n_threads : int or None
    alpha : float
        L2 penalty, divided by the (weighted) number of samples.
    weight_decay : float, default 0.0
        L2 penalty that is not divided.
    """

    def __init__(
        self, network: Model, data: TrainingData, n_threads: int | None, alpha: float, weight_decay: float = 0.0
    ) -> None:
        if network.loss.form.has_gradient_of_its_own:
            raise ValueError(
                f"LBFGS needs the gradient of the loss, which {shown(network.loss)} replaces by another; use "
                "beta=0 or Adam"
            )
        self.network = network
        self.data = data
        self.n_threads = n_threads
        self.penalty = alpha / divisor("mean", len(data.X), data.weights)
        self.decay = weight_decay + self.penalty
        self.decaying = np.flatnonzero(network.layout.per_parameter("decay_factor"))
        self.frozen = np.flatnonzero(network.layout.per_parameter("learning_rate_factor") == 0)
        self.evaluations = 0
        self.loss = np.nan  # at the last parameters, without penalties
        self._last: NDArray[np.float64] | None = None

    def __call__(self, params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        gradient = self._gradient(params)
        slope = gradient.astype(np.float64)
        slope[self.decaying] += self.decay * params[self.decaying]
        slope[self.frozen] = 0
        return self.loss + self.decay * self._half_squares(params), slope

    def with_penalty(self, params: NDArray[np.float64]) -> float:
        """The mean loss plus the penalty of ``alpha``; nothing is computed again for the last parameters."""
        if self._last is not None and np.array_equal(params, self._last):
            self.network.params[:] = params
        else:
            self._gradient(params)
        return self.loss + self.penalty * self._half_squares(params)

    def _gradient(self, params: NDArray[np.float64]) -> NDArray[Any]:
        network, data = self.network, self.data
        network.params[:] = params
        self.evaluations += 1
        self._last = params.copy()
        self.loss, gradient = loss_and_flat_gradient(
            network, data.X, data.targets, data.weights, "mean", self.n_threads
        )
        return gradient

    def _half_squares(self, params: NDArray[np.float64]) -> float:
        decaying = params[self.decaying]
        return float(decaying @ decaying) / 2


def minimise(
    objective: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]],
    network: Model,
    limits: Mapping[str, Any],
    after_iteration: Callable[[NDArray[np.float64]], None] | None = None,
) -> Any:
    """Minimise from the network's parameters, set them to the best, and return SciPy's ``OptimizeResult``."""
    from scipy.optimize import minimize

    result = minimize(
        objective, network.params.astype(np.float64), jac=True, method="L-BFGS-B", options=dict(limits),
        callback=after_iteration,
    )  # fmt: skip
    network.params[:] = result.x
    return result


def fit_lbfgs(run: Run, data: TrainingData, settings: FitSettings, hooks: tuple[Callback, ...]) -> None:
    """Minimise the mean loss over all samples; each of SciPy's iterations is an epoch of the history.

    ``history["loss"]`` is the loss after the iteration, with the L2 penalty of ``alpha`` (a number) and without the
    optimizer's own decay; ``history["evaluations"]`` is how often the iteration computed loss and gradient.
    """
    network: Model = run.network
    rule = settings.optimizer
    assert isinstance(rule, LBFGS)
    objective = Objective(network, data, settings.n_threads, float(cast(float, settings.alpha)), rule.weight_decay)
    best: dict[str, Any] = {"loss": np.inf}
    recorded = 0  # evaluations

    def checked(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = objective(params)
        if not np.isfinite(objective.loss):
            epoch = run.epoch + 1
            raise DivergedError(
                f"the loss stopped being finite in the iteration with index {epoch}. {likely_cause(network, data)}. "
                "The network holds the best finite weights",
                epoch,
            )
        return total, slope

    def after_iteration(params: NDArray[np.float64]) -> None:
        nonlocal recorded
        loss = objective.with_penalty(params)
        evaluations, recorded = objective.evaluations - recorded, objective.evaluations
        if loss < best["loss"]:
            best.update(loss=loss, weights=network.snapshot())
        run.epoch += 1
        record(
            run, data.validation, settings.metrics, settings.n_threads,
            loss=[loss], seconds=[run.seconds()], learning_rate=[1.0], evaluations=[float(evaluations)],
        )  # fmt: skip
        for hook in hooks:
            hook.on_epoch_end(run)
        if run.stop_reason:
            raise StopIteration

    begin = network.snapshot()
    limits = {
        "maxiter": run.n_epochs,
        "maxcor": rule.memory,
        "gtol": rule.tolerance,
        "ftol": 0.0,
        "maxfun": run.n_epochs * rule.max_evaluations,
    }
    try:
        result = minimise(checked, network, limits, after_iteration)
    except BaseException:
        network.restore(best.get("weights", begin))
        raise
    if run.stop_reason is None and run.epoch + 1 < run.n_epochs:
        run.stop(f"L-BFGS: {result.message}")
