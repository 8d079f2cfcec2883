"""One fit by L-BFGS, with scikit-learn's limits and messages."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastmlp.data.samples import TrainingData, check_samples
from fastmlp.estimators.fitting import NOT_FINITE, count_threads
from fastmlp.estimators.scoring import Samples
from fastmlp.model.model import Model
from fastmlp.training.lbfgs import Objective, minimise
from fastmlp.training.target_scaling import settling
from fastmlp.training.whole_set import check_one_function


def fit_to_all(estimator: Any, network: Model, samples: Samples) -> tuple[float, int]:
    """Minimise mean loss + alpha / (2 n) * sum of squared weights over all n samples; return loss and iterations."""
    check_one_function(network, "solver='lbfgs'")
    data = check_samples(network, samples.X, samples.targets, samples.weights)
    with settling(network, data.targets):
        return _minimise(estimator, network, data)


def _minimise(estimator: Any, network: Model, data: TrainingData) -> tuple[float, int]:
    objective = Objective(network, data, count_threads(estimator.n_jobs), float(estimator.alpha))
    begin = network.snapshot()
    limits = {"maxiter": estimator.max_iter, "maxfun": estimator.max_fun, "gtol": estimator.tol}
    with np.errstate(over="ignore", invalid="ignore"):
        result = minimise(objective, network, limits)
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
