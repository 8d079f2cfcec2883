"""The samples of a fit: inputs, targets, weights and validation set, all checked before anything changes."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.data.class_weights import weights_of_classes
from fastmlp.data.inputs import check_inputs
from fastmlp.data.rows import Rows, Targets, check_targets, check_weights
from fastmlp.model.model import Model

Validation: TypeAlias = tuple[Rows, Targets]


class TrainingData(NamedTuple):
    """Checked samples of a fit, and its validation set."""

    X: Rows
    targets: Targets
    weights: NDArray[np.float64] | None
    validation: Validation | None = None

    def weight(self) -> float:
        """The divisor that turns a summed loss into a mean: the sum of the weights, or the number of samples."""
        return float(len(self.X)) if self.weights is None else float(self.weights.sum())


def check_samples(
    network: Model,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    class_weight: object = None,
    place: str = "",
) -> TrainingData:
    """Check X, y and weights against the network; ``ValueError`` or ``TypeError`` if they do not fit.

    Error messages put ``place`` after the name of the argument.
    """
    rows = check_inputs(network, X, f"X{place}")
    targets = check_targets(y, len(rows), network.n_targets, network.loss, network.dtype, f"y{place}")
    weights = check_weights(sample_weight, len(rows), f"sample_weight{place}")
    return TrainingData(rows, targets, weights_of_classes(class_weight, targets, network.n_targets, weights))


def check_validation(network: Model, validation_data: tuple[ArrayLike, ArrayLike] | None) -> Validation | None:
    """Check the inputs and targets of the validation set."""
    if validation_data is None:
        return None
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
        kind = type(validation_data).__name__
        size = f" of {len(validation_data)}" if isinstance(validation_data, (tuple, list)) else ""
        raise TypeError(f"validation_data must be a pair (X, y), got {kind}{size}")
    samples = check_samples(network, *validation_data, place=" of validation_data")
    return samples.X, samples.targets


def check_that_it_learns(network: Model) -> None:
    """Raise ``ValueError`` if all layers are frozen."""
    if not network.layout.groups["learning_rate_factor"].any():
        raise ValueError("the network must have a layer that learns, got only frozen ones; unfreeze() lets them learn")


def check_training_data(
    network: Model,
    X: ArrayLike,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    class_weight: object = None,
) -> TrainingData:
    """Check all samples that `fit` gets, before anything changes."""
    if y is None:
        raise TypeError("y must be an array of numbers, got NoneType; only with Chunks may y be left out")
    check_that_it_learns(network)
    samples = check_samples(network, X, y, sample_weight, class_weight=class_weight)
    return samples._replace(validation=check_validation(network, validation_data))
