"""A network from the settings of an estimator, its weights drawn as scikit-learn draws them.

With ``init=None`` the same ``random_state`` gives the weights that scikit-learn's estimator begins with, number for
number: evenly from +-sqrt(6 / (n_in + n_out)), biases too, or from +-sqrt(2 / ...) where the layers are logistic
(Glorot and Bengio, AISTATS 2010).
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
from fastmlp.network import Network

SEEDS = 2**31 - 1
"""Seeds are drawn below this number."""
FEW_ROWS = 2000
"""Up to so many rows, float64 data are trained in float64."""


def choose_dtype(dtype: Any, X: Any, by_batches: bool) -> np.dtype[Any]:
    """The user's own choice; else float32 for float32 and uint8, and for many rows of float64 taken in batches.

    A batch's gradient is a guess from some of the rows, whose noise is some thousand times float32's rounding. Few rows
    cost little in float64, and give the numbers that scikit-learn gives. L-BFGS compares losses to the last digits.
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
    )
    if estimator.init is None:
        draw_weights(network, hidden_activations(estimator), random)
    return network


def hidden_layers(estimator: Any) -> list[Layer]:
    """Dense, or Dense, BatchNorm and the activation by itself; then Dropout."""
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
    """Fill weights and biases, layer by layer, from a stream of scikit-learn's kind.

    The last layer is drawn as the hidden one before it, whose activation scikit-learn has for all.
    """
    activations = [*hidden, *(hidden[-1:] or ["relu"])]
    with network._access.changing:
        for weight, bias, activation in zip(network.weights, network.biases, activations, strict=True):
            bound = math.sqrt((2.0 if activation == "sigmoid" else 6.0) / sum(weight.shape))
            weight[:] = random.uniform(-bound, bound, weight.shape)
            if bias is not None:
                bias[:] = random.uniform(-bound, bound, bias.shape)


def put_weights(network: Model, coefs: Sequence[Any], intercepts: Sequence[Any]) -> None:
    """Write arrays into the network that aren't views of it already; ``ValueError`` for other shapes."""
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
