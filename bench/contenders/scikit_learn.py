"""scikit-learn: MLPRegressor and MLPClassifier, one warm-started ``fit`` call per training.

The estimators draw their own weights. A first ``partial_fit`` on a single row
makes them, then the initial weights are written over them, and ``fit`` goes on
from there because of ``warm_start``. Everything that is not training is off:
penalty, momentum, early stopping, tolerance. scikit-learn shuffles by itself.

MLPRegressor has no activation on its outputs. Where a case asks for sigmoids with
the squared error, the same network with plain outputs stands in: the same matrix
products, one activation less. Its step size is smaller, lest it diverge. Adam's
epsilon is added here to a root that is not yet corrected for its bias; it is scaled
so that the first step is that of the others.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem
from . import TILE, Predict, Train

TITLE = "scikit-learn"
COMPUTES = True
PARALLEL = True

ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}


def stand_in(case: Case) -> Case:
    """Plain outputs instead of sigmoids."""
    if case.output == "sigmoid":
        return replace(case, output="identity", learning_rate=0.01 * case.learning_rate)
    return case


def build(problem: Problem) -> tuple[Any, Array]:
    """The estimator with the initial weights, and the targets in the shape that it expects."""
    case = problem.case
    classifies = case.loss == "cross_entropy"
    estimator = (MLPClassifier if classifies else MLPRegressor)(
        hidden_layer_sizes=case.widths[1:-1],
        activation=ACTIVATIONS[case.activation],
        solver=case.optimizer,
        learning_rate_init=case.learning_rate,
        batch_size=case.batch_size,
        shuffle=case.shuffle,
        alpha=0.0,
        momentum=0.0,
        nesterovs_momentum=False,
        beta_1=ADAM_BETA1,
        beta_2=ADAM_BETA2,
        epsilon=ADAM_EPSILON * (1 - ADAM_BETA2) ** 0.5,
        tol=0.0,
        n_iter_no_change=math.inf,
        random_state=0,
    )
    y = problem.y.ravel() if case.widths[-1] == 1 else problem.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a batch larger than the one row
        if classifies:
            estimator.partial_fit(problem.X[:1], y[:1], classes=np.arange(case.widths[-1]))
        else:
            estimator.partial_fit(problem.X[:1], y[:1])
    write(estimator, problem.start)
    return estimator.set_params(warm_start=True), y


def write(estimator: Any, start: Parameters) -> None:
    """Put the initial weights into the estimator."""
    estimator.coefs_ = [W.copy() for W in start.weights]
    estimator.intercepts_ = [b.copy() for b in start.biases]


def prepare(problem: Problem, n_threads: int) -> Train:
    """Make the estimator; every class must occur in the data."""
    estimator, y = build(problem)

    def train(epochs: int) -> Parameters:
        write(estimator, problem.start)
        estimator.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it stops where it was told to
            estimator.fit(problem.X, y)
        return Parameters(estimator.coefs_, estimator.intercepts_)

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """Tile by tile; uint8 rows become float32 first, for scikit-learn would make float64 of them."""
    estimator, _ = build(problem)
    answer = estimator.predict_proba if problem.case.loss == "cross_entropy" else estimator.predict
    tiles = [X[low : low + TILE] for low in range(0, len(X), TILE)]

    def predict() -> Array:
        if X.dtype == np.float32:
            parts = [answer(tile) for tile in tiles]
        else:
            parts = [answer(np.multiply(tile, np.float32(1 / 255), dtype=np.float32)) for tile in tiles]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return predict
