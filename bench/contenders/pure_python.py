"""Plain Python: lists and floats, the standard library, nothing compiled.

Written as a good Python programmer would write it for speed within those
means: ``sum(map(mul, row, x))`` for dot products (the fastest plain form),
list comprehensions over ``zip`` for updates, local names in the loops. A
layer's weights are a list of rows, one per output unit, each with ``n_in``
numbers, which is the order that both the forward pass and the gradient walk.
Numbers are Python's own doubles. NumPy is imported only to hand the result back.
"""

from __future__ import annotations

from math import exp, sqrt, tanh
from operator import mul
from typing import Any

import numpy as np

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Parameters, Problem
from . import Train

TITLE = "pure Python"
COMPUTES = True
PARALLEL = False

Vector = list[float]
Matrix = list[Vector]


def activate(name: str, zs: Vector) -> Vector:
    """Apply an activation to one layer's weighted inputs."""
    if name == "sigmoid":  # by tanh, which does not overflow
        return [0.5 + 0.5 * tanh(0.5 * z) for z in zs]
    if name == "tanh":
        return [tanh(z) for z in zs]
    if name == "relu":
        return [z if z > 0.0 else 0.0 for z in zs]
    if name == "softmax":
        top = max(zs)
        exps = [exp(z - top) for z in zs]
        total = sum(exps)
        return [e / total for e in exps]
    return zs


def times_slope(name: str, deltas: Vector, outputs: Vector) -> Vector:
    """Multiply deltas by the activation's derivative, taken from its output."""
    if name == "sigmoid":
        return [d * a * (1.0 - a) for d, a in zip(deltas, outputs, strict=True)]
    if name == "tanh":
        return [d * (1.0 - a * a) for d, a in zip(deltas, outputs, strict=True)]
    if name == "relu":
        return [d if a > 0.0 else 0.0 for d, a in zip(deltas, outputs, strict=True)]
    return deltas


class PlainNetwork:
    """A network of lists: gradients one example at a time, one update per batch."""

    def __init__(
        self,
        weights: list[Matrix],
        biases: list[Vector],
        activation: str,
        output: str,
        loss: str,
        optimizer: str,
        learning_rate: float,
    ) -> None:
        self.weights, self.biases = weights, biases
        self.weight_gradients = [[[0.0] * len(row) for row in rows] for rows in weights]
        self.bias_gradients = [[0.0] * len(bias) for bias in biases]
        self.activations = [activation] * (len(weights) - 1) + [output]
        self.loss, self.optimizer, self.learning_rate = loss, optimizer, learning_rate
        # Every parameter once more as one list of rows, so that an update is one loop.
        self.rows = [row for rows in weights for row in rows] + biases
        self.gradient_rows = [row for rows in self.weight_gradients for row in rows] + self.bias_gradients
        self.n_updates = 0
        self.means = [[0.0] * len(row) for row in self.rows]  # Adam's two moments
        self.squares = [[0.0] * len(row) for row in self.rows]

    def start_batch(self) -> None:
        """Clear the gradients and turn the weights that are needed by column."""
        for row in self.gradient_rows:
            row[:] = [0.0] * len(row)
        self.columns: list[list[tuple[float, ...]]] = [[]]
        self.columns += [list(zip(*rows, strict=True)) for rows in self.weights[1:]]

    def add_example(self, x: Vector, target: Any) -> None:
        """Forward and backward for one example; its gradient is added to the batch's."""
        layers = [x]
        for rows, bias, name in zip(self.weights, self.biases, self.activations, strict=True):
            x = activate(name, [sum(map(mul, row, x)) + b for row, b in zip(rows, bias, strict=True)])
            layers.append(x)
        if self.loss == "cross_entropy":
            deltas = x.copy()
            deltas[target] -= 1.0
        else:
            errors = [a - t for a, t in zip(x, target, strict=True)]
            deltas = times_slope(self.activations[-1], errors, x)
        for layer in range(len(self.weights) - 1, -1, -1):
            inputs = layers[layer]
            for row, d in zip(self.weight_gradients[layer], deltas, strict=True):
                row[:] = [g + d * v for g, v in zip(row, inputs, strict=True)]
            gradient = self.bias_gradients[layer]
            gradient[:] = [g + d for g, d in zip(gradient, deltas, strict=True)]
            if layer:
                sums = [sum(map(mul, column, deltas)) for column in self.columns[layer]]
                deltas = times_slope(self.activations[layer - 1], sums, inputs)

    def update(self, n_examples: int) -> None:
        """One step of SGD or Adam along the mean gradient of the batch."""
        if self.optimizer == "adam":
            self._adam(1.0 / n_examples)
            return
        step = self.learning_rate / n_examples
        for row, gradient in zip(self.rows, self.gradient_rows, strict=True):
            row[:] = [w - step * g for w, g in zip(row, gradient, strict=True)]

    def _adam(self, scale: float) -> None:
        self.n_updates += 1
        b1, b2, epsilon = ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON
        c1, c2 = (1.0 - b1) * scale, (1.0 - b2) * scale * scale
        step = self.learning_rate / (1.0 - b1**self.n_updates)
        root = 1.0 / sqrt(1.0 - b2**self.n_updates)
        for row, gradient, mean, square in zip(self.rows, self.gradient_rows, self.means, self.squares, strict=True):
            mean[:] = [b1 * m + c1 * g for m, g in zip(mean, gradient, strict=True)]
            square[:] = [b2 * s + c2 * g * g for s, g in zip(square, gradient, strict=True)]
            row[:] = [w - step * m / (sqrt(s) * root + epsilon) for w, m, s in zip(row, mean, square, strict=True)]


def prepare(problem: Problem, n_threads: int) -> Train:
    """Turn data and weights into lists."""
    case = problem.case
    pairs = list(zip(problem.X.tolist(), problem.y.tolist(), strict=True))

    def train(epochs: int) -> Parameters:
        net = PlainNetwork(
            [W.T.tolist() for W in problem.start.weights],
            [b.tolist() for b in problem.start.biases],
            case.activation,
            case.output,
            case.loss,
            case.optimizer,
            case.learning_rate,
        )
        for epoch in range(epochs):
            ordered = [pairs[i] for i in problem.order(epoch)] if case.shuffle else pairs
            for low in range(0, len(ordered), case.batch_size):
                net.start_batch()
                for x, target in ordered[low : low + case.batch_size]:
                    net.add_example(x, target)
                net.update(case.batch_size)
        return Parameters([np.array(rows).T for rows in net.weights], [np.array(b) for b in net.biases])

    return train
