"""The validation score during training: larger is better.

The core measures loss and accuracy of the validation set in one pass and stores no predictions. R^2 and scikit-learn's
scorers need the predictions.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring

from fastmlp.data.samples import check_samples
from fastmlp.estimators.building import views_of
from fastmlp.model.model import Model
from fastmlp.passes.inference import measure, predict

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Run


class Samples(NamedTuple):
    """Checked rows, encoded targets, sample weights, and the user's own targets."""

    X: Any
    targets: Any
    weights: Any
    y: Any


class Score:
    """Loss and score of the validation set, measured after every epoch.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Its ``scoring`` chooses the score.
    network : Model
        Rows and targets are checked against it.
    coding : Coding
        Of the targets.
    samples : Samples
        Validation set.
    n_threads : int, optional
    """

    def __init__(self, estimator: Any, network: Model, coding: Any, samples: Samples, n_threads: int | None) -> None:
        checked = check_samples(network, samples.X, samples.targets, samples.weights)
        self.rows, self.encoded, self.weights, _ = checked
        self.samples = samples
        self.n_threads = n_threads
        self.scoring = estimator.scoring
        self.is_class = is_classifier(estimator)
        self.twin = None
        if estimator.scoring not in (None, "loss"):
            self.scorer = check_scoring(estimator, estimator.scoring)
            if self.weights is not None and not takes_weights(self.scorer):
                raise ValueError(
                    f"scoring={estimator.scoring!r:.60} must take sample_weight, as the validation set has weights, "
                    "from sample_weight_val, sample_weight or class_weight"
                )
            self.twin = twin_of(estimator, network, coding)

    def __call__(self, run: Run) -> dict[str, float]:
        """Return ``{"loss": ..., "score": ...}``."""
        measured = measure(run.network, self.rows, self.encoded, self.weights, self.n_threads)
        return {"loss": measured["loss"], "score": self._score(run.network, measured)}

    def _score(self, network: Model, measured: dict[str, float]) -> float:
        targets, weights = self.samples.targets, self.weights
        if self.scoring == "loss":
            return -measured["loss"]
        if self.twin is not None:
            given = {} if self.samples.weights is None else {"sample_weight": self.samples.weights}
            return float(self.scorer(self.twin, self.samples.X, self.samples.y, **given))
        if self.is_class and targets.ndim == 1:
            return measured["accuracy"]
        outputs = network.loss.form.estimates(predict(network, self.rows, self.n_threads))
        if self.is_class:
            return float(np.average(((outputs > 0.5) == targets).all(axis=1), weights=weights))
        return mean_r2_of_observed(targets.reshape(outputs.shape), outputs, self.samples.weights)


def takes_weights(scorer: Any) -> bool:
    """Whether a scorer has an argument ``sample_weight``."""
    arguments = inspect.signature(scorer).parameters
    return "sample_weight" in arguments or any(each.kind is each.VAR_KEYWORD for each in arguments.values())


def twin_of(estimator: Any, network: Model, coding: Any) -> Any:
    """A copy of the estimator for a scorer to use during the fit: it predicts with the network in training."""
    twin: Any = object.__new__(type(estimator))
    vars(twin).update(vars(estimator), network_=network, _coding=coding, **coding.attributes)
    vars(twin).update(views_of(network))
    vars(twin).pop("feature_names_in_", None)  # the checked validation rows have no column names
    return twin


def mean_r2_of_observed(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[np.float64] | None) -> float:
    """`mean_r2`; where targets are missing, each column over the rows that have it. NaN if a column has none."""
    missing = np.isnan(true) if true.dtype.kind == "f" else np.zeros(true.shape, dtype=bool)
    if not missing.any():
        return mean_r2(true, predicted, weights)
    if missing.all(axis=0).any():
        return float("nan")
    scores = []
    for k, there in enumerate(~missing.T):
        of_rows = None if weights is None else weights[there]
        scores.append(mean_r2(true[there][:, [k]], predicted[there][:, [k]], of_rows))
    return float(np.mean(scores))


def mean_r2(true: NDArray[Any], predicted: NDArray[Any], weights: NDArray[np.float64] | None) -> float:
    """1 - (sum of squared errors) / (sum of squares around the mean), averaged over the columns of (n, n_outputs).

    A constant column counts as 1 if it is predicted exactly and as 0 if not, as in scikit-learn. NaN if a prediction is
    not finite.
    """
    true, predicted = true.astype(np.float64), predicted.astype(np.float64)
    if not np.isfinite(predicted).all():
        return float("nan")
    each = np.ones(len(true)) if weights is None else weights
    with np.errstate(over="ignore"):
        errors = each @ (true - predicted) ** 2
    around = each @ (true - np.average(true, axis=0, weights=each)) ** 2
    of_constant = np.where(errors == 0, 1.0, 0.0)
    shares = np.where(around > 0, 1 - errors / np.where(around > 0, around, 1.0), of_constant)
    return float(shares.mean())
