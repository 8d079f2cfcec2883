"""Convert scikit-learn's fitted estimators to ours and back; both predict the same.

Weights, loss curve, scores and iteration counts are copied, the optimizer state is not.
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from fastmlp.estimators.building import build_network, put_weights
from fastmlp.estimators.labels import Labels, Numbers
from fastmlp.estimators.settings import ACTIVATION_NAMES, hidden_activations
from fastmlp.estimators.watching import Record

THEIRS = {theirs: ours for ours, theirs in ACTIVATION_NAMES.items()}
"""From our names to scikit-learn's."""
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
"""The activations of scikit-learn."""
CARRIED = ("feature_names_in_", "n_iter_", "loss_")
"""Attributes that are copied without a change, both ways."""
CURVES = ("loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")


def shared_arguments(estimator: Any, other: type) -> dict[str, Any]:
    """The constructor's arguments that the other class also has."""
    known = inspect.signature(other).parameters
    return {name: value for name, value in estimator.get_params(deep=False).items() if name in known}


def from_sklearn(kind: type[Any], fitted: Any) -> Any:
    """Our estimator with the arguments, weights and history of scikit-learn's; see `BaseMLP.from_sklearn`."""
    from sklearn import neural_network

    theirs = getattr(neural_network, kind.__name__)
    if not isinstance(fitted, theirs):
        raise TypeError(f"fitted must be a fitted {kind.__name__} of scikit-learn, got {type(fitted).__name__}")
    check_is_fitted(fitted)
    estimator: Any = kind(**shared_arguments(fitted, kind))
    coding = _coding_of(fitted)
    loss = estimator._find_loss(coding)
    dtype, n_features = fitted.coefs_[0].dtype, fitted.coefs_[0].shape[0]
    network = build_network(
        estimator, n_features, coding.n_outputs, coding.output, loss, dtype, np.random.RandomState(0)
    )
    put_weights(network, fitted.coefs_, fitted.intercepts_)
    score = getattr(fitted, "best_validation_score_", None)
    best = getattr(fitted, "best_loss_", None)
    record = Record(
        loss_curve=list(getattr(fitted, "loss_curve_", [])),
        best_loss=math.inf if best is None else best,
        validation_scores=list(getattr(fitted, "validation_scores_", None) or []),
        best_score=-math.inf if score is None else score,
        still=getattr(fitted, "_no_improvement_count", 0),
        t=int(fitted.t_),
    )
    estimator._finish(network, coding, record, hasattr(fitted, "loss_curve_"))
    estimator.n_features_in_ = n_features
    _carry(fitted, estimator, CARRIED)
    return estimator


def to_sklearn(estimator: Any) -> Any:
    """scikit-learn's estimator with our arguments, weights and history; see `BaseMLP.to_sklearn`."""
    from sklearn import neural_network

    check_is_fitted(estimator)
    estimator._take_over_weights()
    names = sorted({THEIRS.get(name, name) for name in hidden_activations(estimator)})
    if len(names) > 1 or not set(names) <= set(ACTIVATIONS):
        raise ValueError(f"to_sklearn needs the same activation in all layers, one of {ACTIVATIONS}, got {names}")
    if estimator.network_.n_outputs != estimator.network_.n_targets:
        raise ValueError(f"scikit-learn has no loss with several outputs for each target, got {estimator.loss!r}")
    if estimator.network_.layout.uses_batch:
        raise ValueError("scikit-learn has no batch_norm")
    if estimator.network_.target_scale is not None:
        raise ValueError("scikit-learn has no target_scale; its TransformedTargetRegressor does the same")
    kind = getattr(neural_network, type(estimator).__name__)
    arguments = shared_arguments(estimator, kind) | {"activation": names[0] if names else "identity"}
    if "loss" in arguments:
        arguments["loss"] = "poisson" if estimator.out_activation_ == "exp" else "squared_error"
    elif estimator.out_activation_ == "exp":
        raise ValueError("to_sklearn with loss='poisson' needs scikit-learn 1.7 or later")
    fitted = kind(**arguments)
    attributes = {
        "coefs_": [array.copy() for array in estimator.coefs_],
        "intercepts_": [array.copy() for array in estimator.intercepts_],
        "n_layers_": estimator.n_layers_,
        "n_features_in_": estimator.n_features_in_,
        "t_": estimator.t_,
        "_no_improvement_count": estimator._no_improvement_count,
        "_random_state": np.random.RandomState(0),
        **estimator._coding.attributes,
    }
    if is_classifier(estimator):
        attributes["_label_binarizer"] = _binarizer_of(estimator._coding)
    fitted.__dict__.update(attributes)
    _carry(estimator, fitted, CARRIED + CURVES)
    fitted._best_coefs = [array.copy() for array in fitted.coefs_]
    fitted._best_intercepts = [array.copy() for array in fitted.intercepts_]
    return fitted


def _coding_of(fitted: Any) -> Any:
    """Our coding of the targets of scikit-learn's estimator."""
    if is_classifier(fitted):
        binarizer = fitted._label_binarizer
        return Labels(np.asarray(fitted.classes_), binarizer.y_type_, bool(binarizer.sparse_input_))
    return Numbers(fitted.n_outputs_, fitted.out_activation_)


def _binarizer_of(labels: Labels) -> LabelBinarizer:
    """scikit-learn's coding of the same classes."""
    binarizer = LabelBinarizer()
    if labels.kind == "multilabel-indicator":
        targets: NDArray[Any] = np.eye(len(labels.classes), dtype=int)
        binarizer.fit(targets)
        binarizer.classes_ = labels.classes
        binarizer.sparse_input_ = labels.is_sparse
        return binarizer
    return binarizer.fit(labels.classes)


def _carry(origin: Any, to: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if hasattr(origin, name):
            setattr(to, name, getattr(origin, name))
