"""One fit by L-BFGS, with the limits that scikit-learn gives to SciPy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastmlp.data.samples import check_samples
from fastmlp.estimators.fitting import NOT_FINITE, count_threads
from fastmlp.estimators.scoring import Samples
from fastmlp.model.model import Model
from fastmlp.passes.derivatives import divisor, loss_and_flat_gradient


def fit_to_all(estimator: Any, network: Model, samples: Samples) -> tuple[float, int]:
    """Minimise mean loss + alpha / (2 n) * sum of squared weights over all samples; loss and iterations."""
    from scipy.optimize import minimize

    rows, targets, weights, _ = check_samples(network, samples.X, samples.targets, samples.weights)
    decay = float(estimator.alpha) / divisor("mean", len(rows), weights)
    n_decaying = int(network.layout.groups["length"][0])
    n_threads = count_threads(estimator.n_jobs)
    begin = network.snapshot()

    def objective(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        network.params[:] = params
        loss, gradient = loss_and_flat_gradient(network, rows, targets, weights, "mean", n_threads)
        slope = gradient.astype(np.float64)
        decaying = params[:n_decaying]
        slope[:n_decaying] += decay * decaying
        return loss + decay / 2 * float(decaying @ decaying), slope

    options = {"maxiter": estimator.max_iter, "maxfun": estimator.max_fun, "gtol": estimator.tol}
    with np.errstate(over="ignore", invalid="ignore"):
        result = minimize(objective, network.params.astype(np.float64), jac=True, method="L-BFGS-B", options=options)
    network.params[:] = result.x
    if not (network.is_finite() and np.isfinite(result.fun)):
        network.restore(begin)
        raise ValueError(NOT_FINITE)
    if estimator.verbose:
        print(f"Iteration {result.nit}, loss = {result.fun:.8f}")
    if result.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): {result.message}. "
            f"Increase max_iter={estimator.max_iter} or max_fun={estimator.max_fun}, or scale the data.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return float(result.fun), int(result.nit)
