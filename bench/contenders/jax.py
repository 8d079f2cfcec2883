"""JAX: one compiled program for the whole training, data on the device.

All epochs and batches are two nested loops inside ``jit`` (``fori_loop`` over
epochs, ``lax.scan`` over batches), so Python is left once per training and
nothing is copied to or from the device between steps. Batches in order are
scanned as slices of the reshaped data; shuffled ones are gathered inside the
loop. The program depends on the case and the shapes alone, so it is compiled
once, in the warm-up, and the number of epochs is an ordinary argument. Products
of a few numbers are written as sums: XLA then fuses a whole step into one loop,
where ``@`` would be a library call (three times as fast on 2-3-1).

XLA sizes its thread pool by the processors that the process may use: the
harness restricts them before this module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem
from . import TILE, Predict, Train

TITLE = "JAX"
COMPUTES = True
PARALLEL = True

FEW = 16  # weights of a layer, for which a sum is quicker than a product

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "identity": lambda z: z,
    "softmax": jax.nn.softmax,
}


def product(X: Any, W: Any) -> Any:
    """``X @ W``, written so that XLA makes the best of it."""
    return (X[:, :, None] * W).sum(axis=1) if W.size <= FEW else X @ W


def scores(case: Case, parameters: Parameters, X: Any) -> Any:
    """Weighted inputs of the output layer."""
    *hidden, (W, b) = zip(*parameters, strict=True)
    for W_hidden, b_hidden in hidden:
        X = ACTIVATIONS[case.activation](product(X, W_hidden) + b_hidden)
    return product(X, W) + b


def batch_loss(parameters: Parameters, case: Case, X: Any, y: Any) -> Any:
    """Mean loss over a batch."""
    z = scores(case, parameters, X)
    if case.loss == "cross_entropy":
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
    return 0.5 * ((ACTIVATIONS[case.output](z) - y) ** 2).sum() / len(X)


def step(case: Case, state: Any, X: Any, y: Any) -> Any:
    """One update; the state is (parameters, two moments, number of updates)."""
    parameters, mean, square, n_updates = state
    gradients = jax.grad(batch_loss)(parameters, case, X, y)
    if case.optimizer == "sgd":
        return jax.tree.map(lambda p, g: p - case.learning_rate * g, parameters, gradients), mean, square, n_updates
    n_updates = n_updates + 1
    mean = jax.tree.map(lambda m, g: ADAM_BETA1 * m + (1 - ADAM_BETA1) * g, mean, gradients)
    square = jax.tree.map(lambda v, g: ADAM_BETA2 * v + (1 - ADAM_BETA2) * g * g, square, gradients)
    rate = case.learning_rate / (1 - ADAM_BETA1**n_updates)
    root = jnp.sqrt(1 - ADAM_BETA2**n_updates)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + ADAM_EPSILON), parameters, mean, square
    )
    return parameters, mean, square, n_updates


@partial(jax.jit, static_argnames="case")
def run(case: Case, epochs: int, start: Parameters, X: Any, y: Any, orders: Any) -> Parameters:
    """The whole training."""

    def ordered(state: Any, batch: Any) -> Any:
        return step(case, state, *batch), None

    def shuffled(state: Any, rows: Any) -> Any:
        return step(case, state, X[rows], y[rows]), None

    def epoch(e: Any, state: Any) -> Any:
        if case.shuffle:
            return lax.scan(shuffled, state, orders[e % len(orders)].reshape(-1, case.batch_size))[0]
        return lax.scan(ordered, state, (in_batches(X), in_batches(y)))[0]

    def in_batches(rows: Any) -> Any:
        return rows.reshape(-1, case.batch_size, *rows.shape[1:])

    moments = [jax.tree.map(jnp.zeros_like, start) if case.optimizer == "adam" else None for _ in range(2)]
    return lax.fori_loop(0, epochs, epoch, (start, *moments, jnp.float32(0.0)))[0]


@partial(jax.jit, static_argnames="case")
def forward(case: Case, parameters: Parameters, X: Any) -> Any:
    """Outputs of the network, tile by tile; uint8 becomes float, divided by 255."""

    def tile(rows: Any) -> Any:
        rows = rows if rows.dtype == jnp.float32 else rows.astype(jnp.float32) * (1 / 255)
        return ACTIVATIONS[case.output](scores(case, parameters, rows))

    n_tiles = len(X) // TILE
    if n_tiles < 2:
        return tile(X)
    whole, rest = X[: n_tiles * TILE].reshape(n_tiles, TILE, -1), X[n_tiles * TILE :]
    return jnp.concatenate([lax.map(tile, whole).reshape(n_tiles * TILE, -1), tile(rest)])


def prepare(problem: Problem, n_threads: int) -> Train:
    """Put data and weights on the device."""
    X, y, start, orders = jax.device_put(
        (
            problem.X,
            problem.y.astype(np.float32 if problem.y.ndim == 2 else np.int32),
            problem.start,
            problem.orders.astype(np.int32),
        )
    )

    def train(epochs: int) -> Parameters:
        return jax.tree.map(np.asarray, run(problem.case, epochs, start, X, y, orders))

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """Put rows and weights on the device, where the outputs stay too."""
    start, rows = jax.device_put((problem.start, X))
    return lambda: forward(problem.case, start, rows).block_until_ready()
