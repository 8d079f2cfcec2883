"""L-BFGS through SciPy: it sees one flat vector of parameters and one flat gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import DivergedError
from fastmlp.optimizers import LBFGS
from fastmlp.passes.derivatives import divisor, loss_and_flat_gradient
from fastmlp.training.advice import likely_cause
from fastmlp.training.recording import record

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Callback, Run
    from fastmlp.data.samples import TrainingData
    from fastmlp.training.settings import FitSettings


def fit_lbfgs(run: Run, data: TrainingData, settings: FitSettings, hooks: tuple[Callback, ...]) -> None:
    """Minimise the mean loss over all samples; each of SciPy's iterations is an epoch of the history.

    Here ``history["loss"]`` is the loss after the iteration, with the L2 penalty of ``alpha`` (a number) and without
    the optimizer's own decay. Dropout stays off: the method needs the same function at every evaluation.
    """
    from scipy.optimize import minimize

    network, rule, n_threads = run.network, settings.optimizer, settings.n_threads
    assert isinstance(rule, LBFGS)
    if run.network.layout.uses_batch:
        raise ValueError("LBFGS can't train a network with BatchNorm: its running statistics need mini-batches")
    decaying = network.layout.per_parameter("decay_factor")
    frozen = np.flatnonzero(network.layout.per_parameter("learning_rate_factor") == 0)
    penalty = float(cast(float, settings.alpha)) / divisor("mean", len(data.X), data.weights)
    decay = rule.weight_decay + penalty
    best: dict[str, Any] = {"loss": np.inf}

    def objective(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        network.params[:] = params
        loss, gradient = loss_and_flat_gradient(network, data.X, data.targets, data.weights, "mean", n_threads)
        if not np.isfinite(loss):
            epoch = run.epoch + 1
            raise DivergedError(
                f"the loss stopped being finite in the iteration with index {epoch}. {likely_cause(network, data)}. "
                "The network holds the best finite weights",
                epoch,
            )
        slope = gradient.astype(np.float64)
        total = loss
        if decay:
            total += decay / 2 * float(decaying @ params**2)
            slope += decay * decaying * params
        slope[frozen] = 0
        return total, slope

    def after_iteration(params: NDArray[np.float64]) -> None:
        network.params[:] = params
        loss = loss_and_flat_gradient(network, data.X, data.targets, data.weights, "mean", n_threads)[0]
        loss += penalty / 2 * float(decaying @ params**2)
        if loss < best["loss"]:
            best.update(loss=loss, weights=network.snapshot())
        run.epoch += 1
        record(
            run, data.validation, settings.metrics, n_threads,
            loss=[loss], seconds=[run.seconds()], learning_rate=[1.0],
        )  # fmt: skip
        for hook in hooks:
            hook.on_epoch_end(run)
        if run.stop_reason:
            raise StopIteration

    begin = network.snapshot()
    options = {
        "maxiter": run.n_epochs,
        "maxcor": rule.memory,
        "gtol": rule.tolerance,
        "ftol": 0.0,
        "maxfun": run.n_epochs * rule.max_evaluations,
    }
    try:
        result = minimize(
            objective, network.params.astype(np.float64), jac=True, method="L-BFGS-B", options=options,
            callback=after_iteration,
        )  # fmt: skip
    except BaseException:
        network.restore(best.get("weights", begin))
        raise
    network.params[:] = result.x
    if run.stop_reason is None and run.epoch + 1 < run.n_epochs:
        run.stop(f"L-BFGS: {result.message}")
