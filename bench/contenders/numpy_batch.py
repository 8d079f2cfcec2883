"""NumPy, one mini-batch at a time: matrices, float32, every result written into memory allocated once.

What a NumPy expert does for speed is all here. Parameters, gradients and Adam's
moments are flat vectors with matrix views, so an update is a few calls however
many layers there are. The step size is multiplied into the output's delta, so
that plain SGD is one subtraction. Bias gradients are a product with a row of
ones, which is quicker than a sum over an axis; the sigmoid goes through tanh,
which is vectorised and cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Parameters, Problem
from . import TILE, Predict, Train

TITLE = "NumPy batch"
COMPUTES = True
PARALLEL = True

ONE, HALF, ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)


def views(flat: Array, start: Parameters) -> Parameters:
    """Matrix and bias views into a flat vector: all weights first, then all biases."""
    shaped, low = [], 0
    for like in start.weights + start.biases:
        shaped.append(flat[low : low + like.size].reshape(like.shape))
        low += like.size
    return Parameters(shaped[: len(start.weights)], shaped[len(start.weights) :])


def activate(name: str, z: Array) -> None:
    """Overwrite weighted inputs ``(n_batch, n_out)`` by the layer's output."""
    if name == "sigmoid":
        np.multiply(z, HALF, out=z)
        np.tanh(z, out=z)
        np.multiply(z, HALF, out=z)
        np.add(z, HALF, out=z)
    elif name == "tanh":
        np.tanh(z, out=z)
    elif name == "relu":
        np.maximum(z, ZERO, out=z)
    elif name == "softmax":
        np.subtract(z, z.max(axis=1, keepdims=True), out=z)
        np.exp(z, out=z)
        np.divide(z, z.sum(axis=1, keepdims=True), out=z)


def times_slope(name: str, delta: Array, a: Array, scratch: Array, positive: Array) -> None:
    """Multiply ``delta`` by the activation's derivative, taken from its output ``a``."""
    if name == "sigmoid":
        np.subtract(ONE, a, out=scratch)
        np.multiply(scratch, a, out=scratch)
        np.multiply(delta, scratch, out=delta)
    elif name == "tanh":
        np.multiply(a, a, out=scratch)
        np.subtract(ONE, scratch, out=scratch)
        np.multiply(delta, scratch, out=delta)
    elif name == "relu":
        np.greater(a, ZERO, out=positive)
        np.multiply(delta, positive, out=delta)


def adam(parameters: Array, gradient: Array, learning_rate: float) -> Callable[[], None]:
    """Adam's step on flat vectors, ten calls, nothing allocated.

    The moments are kept without their factors (1 - beta), and the bias corrections are moved
    into two scalars; the result is the same.
    """
    mean, square, scratch = (np.zeros_like(parameters) for _ in range(3))
    beta1, beta2 = np.float32(ADAM_BETA1), np.float32(ADAM_BETA2)
    n_updates = 0

    def update() -> None:
        nonlocal n_updates
        n_updates += 1
        root = ((1 - ADAM_BETA2) / (1 - ADAM_BETA2**n_updates)) ** 0.5
        step = learning_rate * (1 - ADAM_BETA1) / (1 - ADAM_BETA1**n_updates) / root
        np.multiply(mean, beta1, out=mean)
        np.add(mean, gradient, out=mean)
        np.multiply(square, beta2, out=square)
        np.multiply(gradient, gradient, out=scratch)
        np.add(square, scratch, out=square)
        np.sqrt(square, out=scratch)
        np.add(scratch, np.float32(ADAM_EPSILON / root), out=scratch)
        np.divide(mean, scratch, out=scratch)
        np.multiply(scratch, np.float32(step), out=scratch)
        np.subtract(parameters, scratch, out=parameters)

    return update


def prepare(problem: Problem, n_threads: int) -> Train:
    """Allocate everything that a step writes."""
    case, start, X, y = problem.case, problem.start, problem.X, problem.y
    n_batch = case.batch_size
    parameters = np.concatenate([p.ravel() for p in start.weights + start.biases])
    gradient = np.empty_like(parameters)
    (weights, biases), (dW, db) = views(parameters, start), views(gradient, start)
    activations = [case.activation] * (len(weights) - 1) + [case.output]
    outputs, deltas, scratches = ([np.empty((n_batch, W.shape[1]), np.float32) for W in weights] for _ in range(3))
    masks = [np.empty(a.shape, bool) for a in outputs]
    ones, rows = np.ones(n_batch, np.float32), np.arange(n_batch)
    factor = np.float32((case.learning_rate if case.optimizer == "sgd" else 1.0) / n_batch)
    layers = list(zip(weights, biases, activations, outputs, strict=True))
    last = len(weights) - 1

    def backward(x: Array, target: Array) -> None:
        """Fill the gradient, times ``factor``: output delta first, then down through the layers."""
        a, delta = outputs[last], deltas[last]
        if case.loss == "cross_entropy":
            a[rows, target] -= ONE
            np.multiply(a, factor, out=delta)
        else:
            np.subtract(a, target, out=delta)
            np.multiply(delta, factor, out=delta)
            times_slope(case.output, delta, a, scratches[last], masks[last])
        for i in range(last, 0, -1):
            np.dot(outputs[i - 1].T, deltas[i], out=dW[i])
            np.dot(ones, deltas[i], out=db[i])
            np.dot(deltas[i], weights[i].T, out=deltas[i - 1])
            times_slope(case.activation, deltas[i - 1], outputs[i - 1], scratches[i - 1], masks[i - 1])
        np.dot(x.T, deltas[0], out=dW[0])
        np.dot(ones, deltas[0], out=db[0])

    def train(epochs: int) -> Parameters:
        np.concatenate([p.ravel() for p in start.weights + start.biases], out=parameters)
        adam_step = adam(parameters, gradient, case.learning_rate) if case.optimizer == "adam" else None
        for epoch in range(epochs):
            for rows_taken in problem.batches(epoch):
                x = a = X[rows_taken]
                for W, b, name, z in layers:
                    np.dot(a, W, out=z)
                    np.add(z, b, out=z)
                    activate(name, z)
                    a = z
                backward(x, y[rows_taken])
                if adam_step is None:
                    np.subtract(parameters, gradient, out=parameters)
                else:
                    adam_step()
        return Parameters([W.copy() for W in weights], [b.copy() for b in biases])

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """Allocate one tile of every layer."""
    case, (weights, biases) = problem.case, problem.start
    activations = [case.activation] * (len(weights) - 1) + [case.output]
    tile = min(TILE, len(X))
    inputs = np.empty((tile, X.shape[1]), np.float32)
    hidden = [np.empty((tile, W.shape[1]), np.float32) for W in weights[:-1]]

    def predict() -> Array:
        outputs = np.empty((len(X), case.widths[-1]), np.float32)
        for low in range(0, len(X), tile):
            a, n_rows = X[low : low + tile], min(tile, len(X) - low)
            if a.dtype != np.float32:
                a = np.multiply(a, np.float32(1 / 255), out=inputs[:n_rows], dtype=np.float32)
            places = [z[:n_rows] for z in hidden] + [outputs[low : low + n_rows]]
            for W, b, name, z in zip(weights, biases, activations, places, strict=True):
                np.dot(a, W, out=z)
                np.add(z, b, out=z)
                activate(name, z)
                a = z
        return outputs

    return predict
