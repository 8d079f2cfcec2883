"""A network from the settings of an estimator, its weights drawn as scikit-learn draws them.

With ``init=None`` the same ``random_state`` gives the weights that scikit-learn's estimator starts with, number for
number: weights and biases are uniform in +-sqrt(6 / (n_in + n_out)), or in +-sqrt(2 / (n_in + n_out)) for logistic
layers (Glorot and Bengio, AISTATS 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.estimators.settings import ACTIVATION_NAMES, dropout_rates, hidden_activations, hidden_sizes
from fastmlp.model.layers import Activation, BatchNorm, Dense, Dropout, Layer
from fastmlp.model.losses import Loss
from fastmlp.model.model import Model
from fastmlp.model.target_scale import TargetScale, check_target_scale
from fastmlp.network import Network

SEEDS = 2**31 - 1
"""Seeds are drawn below this number."""
FEW_ROWS = 2000
"""Up to this many rows, float64 data are trained in float64."""


def choose_dtype(dtype: Any, X: Any, by_batches: bool) -> np.dtype[Any]:
    """The user's choice; or else float32 for float32 and uint8, and for many rows of float64 in mini-batches.

    The gradient of a mini-batch is an estimate whose noise is some thousand times larger than float32's rounding. With
    few rows float64 is cheap and gives scikit-learn's numbers. L-BFGS compares losses to the last digits.
    """
    in_full = X.dtype == np.float64 and (X.shape[0] <= FEW_ROWS or not by_batches)
    chosen: np.dtype[Any] = np.dtype(dtype if dtype is not None else np.float64 if in_full else np.float32)
    return chosen


def build_network(
    estimator: Any, n_features: int, n_outputs: int, output: str, loss: Loss, dtype: Any, random: np.random.RandomState
) -> Network:
    """The network that an estimator's arguments describe, with new weights."""
    network = Network(
        [n_features, *hidden_layers(estimator), Dense(n_outputs)],
        output=ACTIVATION_NAMES.get(output, output),
        loss=loss,
        init="glorot_uniform" if estimator.init is None else estimator.init,
        dtype=dtype,
        seed=0 if estimator.init is None else int(random.randint(SEEDS)),
        target_scale=estimator.target_scale,
    )
    if estimator.init is None:
        draw_weights(network, hidden_activations(estimator), random)
    return network


def check_unchanged(estimator: Any, network: Model) -> None:
    """Raise ``ValueError`` if the arguments ask for another network than the fitted one."""
    if [layer.with_trainable(True) for layer in network.layers[:-1]] != hidden_layers(estimator):
        raise ValueError(
            "warm_start and partial_fit must keep the layers of the fitted network; hidden_layer_sizes, "
            f"activation, dropout or batch_norm have changed since: {network!r}"
        )
    if not same_target_scale(estimator, network):
        raise ValueError("warm_start and partial_fit must keep the target_scale of the fitted network")


def same_target_scale(estimator: Any, network: Model) -> bool:
    """Whether the estimator's argument is what the network was built with, so that a fit can go on from there."""
    given = check_target_scale(estimator.target_scale, network.loss, network.n_outputs, network.dtype)
    if not isinstance(given, TargetScale) or network.target_scale is None:
        return (given is None) == (network.target_scale is None)
    return all(map(np.array_equal, given, network.target_scale))


def hidden_layers(estimator: Any) -> list[Layer]:
    """For each hidden layer Dense, or with batch norm Dense, BatchNorm and Activation; then Dropout if asked for."""
    layers: list[Layer] = []
    of_each = hidden_sizes(estimator), hidden_activations(estimator), dropout_rates(estimator)
    for units, activation, rate in zip(*of_each, strict=True):
        if estimator.batch_norm:
            layers += [Dense(units), BatchNorm(), Activation(activation)]
        else:
            layers.append(Dense(units, activation))
        if callable(rate) or rate > 0:
            layers.append(Dropout(rate))
    return layers


def draw_weights(network: Model, hidden: Sequence[str], random: np.random.RandomState) -> None:
    """Draw weights and biases layer by layer from a RandomState, in the same order as scikit-learn.

    The output layer is drawn like the last hidden layer: scikit-learn uses the hidden activation for all layers here.
    """
    activations = [*hidden, *(hidden[-1:] or ["relu"])]
    with network._access.changing:
        for weight, bias, activation in zip(network.weights, network.biases, activations, strict=True):
            bound = math.sqrt((2.0 if activation == "sigmoid" else 6.0) / sum(weight.shape))
            weight[:] = random.uniform(-bound, bound, weight.shape)
            if bias is not None:
                bias[:] = random.uniform(-bound, bound, bias.shape)


def put_weights(network: Model, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
    """Copy weights and biases into the network; ``ValueError`` if the shapes do not fit."""
    with network._access.changing:
        for name, given, views in (("coefs_", coefs, network.weights), ("intercepts_", intercepts, network.biases)):
            if len(given) != len(views):
                raise ValueError(f"{name} must have {len(views)} arrays, one for each layer, got {len(given)}")
            for i, (array, view) in enumerate(zip(given, views, strict=True)):
                numbers: NDArray[Any] = np.asarray(array)
                expected = None if view is None else view.shape
                if view is None or numbers.shape != expected:
                    raise ValueError(f"{name}[{i}] must have shape {expected}, got {numbers.shape}")
                view[:] = numbers


def views_of(network: Model) -> dict[str, Any]:
    """coefs_ and intercepts_ as views of the network's parameters."""
    coefs, intercepts = network.weights, network.biases
    return {"coefs_": coefs, "intercepts_": intercepts, "_shown": (*coefs, *intercepts)}
