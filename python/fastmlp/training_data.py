"""The samples of a fit: inputs, targets, weights and validation, checked together before anything changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.class_weights import weights_of_classes
from fastmlp.data import Rows, Targets, check_targets
from fastmlp.inputs import check_inputs

if TYPE_CHECKING:
    from fastmlp.network import Network


class TrainingData(NamedTuple):
    """Checked samples of a fit, and of its validation."""

    X: Rows
    targets: Targets
    weights: NDArray[np.float64] | None
    validation: tuple[Rows, Targets] | None


def check_training_data(
    network: Network,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    class_weight: object = None,
) -> TrainingData:
    """Everything that `fit` is given, checked before anything changes."""
    if not network.layout.groups["learning_rate_factor"].any():
        raise ValueError("the network has no layer that learns: all are frozen (trainable=False)")
    rows, targets, weights = network.check_samples(X, y, sample_weight)
    weights = weights_of_classes(class_weight, targets, network.n_outputs, weights)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
            kind = type(validation_data).__name__
            size = f" of {len(validation_data)}" if isinstance(validation_data, (tuple, list)) else ""
            raise TypeError(f"validation_data must be a pair (X, y), got {kind}{size}")
        X_val = check_inputs(network, validation_data[0], "X of validation_data")
        y_val = check_targets(
            validation_data[1], len(X_val), network.n_outputs, network.loss, network.dtype, "y of validation_data"
        )
        validation = X_val, y_val
    return TrainingData(rows, targets, weights, validation)
