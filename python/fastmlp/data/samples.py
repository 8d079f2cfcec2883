"""The samples of a fit: inputs, targets, weights and validation set, all checked before anything changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastmlp.data.class_weights import weights_of_classes
from fastmlp.data.inputs import check_inputs, check_scaled_targets
from fastmlp.data.missing import without_missing
from fastmlp.data.rows import Rows, Targets, check_targets
from fastmlp.data.weights import Weights, check_sample_weights, total_weight
from fastmlp.model.model import Model


class Validation:
    """A checked validation set in memory.

    Parameters
    ----------
    samples : TrainingData

    Attributes
    ----------
    targets : Targets
        Of all samples, or of some of them.
    """

    def __init__(self, samples: TrainingData) -> None:
        self._samples = samples
        self.targets = samples.targets

    def pieces(self, epoch: int) -> Iterable[TrainingData]:
        """The samples, to be measured after this epoch (from 0)."""
        return (self._samples,)

    def has_weights(self) -> bool:
        """Whether the samples have weights of the user's, besides those that leave out missing targets."""
        weights, without = self._samples.weights, without_missing(None, self.targets.observed)
        return weights is not None and (without is None or not np.array_equal(weights, without))

    def parts(self) -> dict[str, Rows]:
        """Its rows, or some of them, for the fingerprint of a fit."""
        return {"validation X": self._samples.X, "validation y": self.targets.rows}


class TrainingData(NamedTuple):
    """Checked samples, and in a fit its validation set."""

    X: Rows
    targets: Targets
    weights: Weights
    validation: Validation | None = None

    def weight(self) -> float:
        """The divisor that turns a summed loss into a mean: the summed weight of the rows, or their number."""
        return total_weight(self.weights, len(self.X))


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
    check_scaled_targets(network, targets, f"y{place}")
    n_targets, loss = network.n_targets, network.loss
    weights = check_sample_weights(sample_weight, len(rows), n_targets, loss, f"sample_weight{place}")
    weights = weights_of_classes(class_weight, targets, n_targets, loss, weights)
    if targets.observed is not None:
        weights = without_missing(weights, targets.observed)
        check_sample_weights(weights, len(rows), n_targets, loss, f"sample_weight{place} of the targets that are there")
    return TrainingData(rows, targets, weights)


def check_given(y: ArrayLike | None) -> ArrayLike:
    """The targets; ``TypeError`` if there are none."""
    if y is None:
        raise TypeError("y must be an array of numbers, got NoneType; only with Chunks may y be left out")
    return y


def check_left_out(y: object, sample_weight: object) -> None:
    """Raise ``TypeError`` for targets or weights beside chunks, which bring their own."""
    for argument, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise TypeError(f"{argument} must be left out if X is Chunks, which bring their own")


def check_that_it_learns(network: Model) -> None:
    """Raise ``ValueError`` if all layers are frozen."""
    if not network.layout.learns:
        raise ValueError("the network must have a layer that learns, got only frozen ones; unfreeze() lets them learn")


def check_batch_rows(network: Model, n_rows: int, batch_size: int) -> None:
    """Raise ``ValueError`` if a layer that uses the whole batch would get batches of one row."""
    if (n_rows < 2 or batch_size < 2) and network.layout.trains_on_batch:
        least = "batch_size must be at least 2" if n_rows > 1 else "X must have at least 2 rows"
        raise ValueError(f"{least} to train a BatchNorm, got 1, which has no deviation; use LayerNorm, or freeze() it")


def check_training_data(
    network: Model,
    X: ArrayLike,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    class_weight: object = None,
) -> TrainingData:
    """Check the samples that `fit` learns from, before anything changes."""
    targets = check_given(y)
    check_that_it_learns(network)
    return check_samples(network, X, targets, sample_weight, class_weight=class_weight)
