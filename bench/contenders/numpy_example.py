"""NumPy, one example at a time: the way of Nielsen's book (Neural Networks and Deep Learning, chapters 1-2).

Examples are column vectors. Each mini-batch loops over its examples, propagates
each forward and backward, adds its gradient to new sums, and takes one step.
As in the book, the weighted inputs are kept and the derivatives are evaluated
from them. Single precision, as for every contender (the book's own is double,
and slower). This is how most people first write it; adding the sums in place and
taking derivatives from the outputs would save about a quarter.
"""

from __future__ import annotations

import numpy as np

from ..cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem
from . import Train

TITLE = "NumPy example"
COMPUTES = True
PARALLEL = True


def activate(name: str, z: Array) -> Array:
    """Apply an activation to a column of weighted inputs."""
    out = z
    if name == "sigmoid":
        out = 1.0 / (1.0 + np.exp(-z))
    elif name == "tanh":
        out = np.tanh(z)
    elif name == "relu":
        out = np.maximum(z, 0.0)
    elif name == "softmax":
        e = np.exp(z - z.max())
        out = e / e.sum()
    return out


def slope(name: str, z: Array) -> Array:
    """The activation's derivative at the weighted inputs."""
    out = np.ones_like(z)
    if name == "sigmoid":
        out = activate(name, z) * (1.0 - activate(name, z))
    elif name == "tanh":
        out = 1.0 - np.tanh(z) ** 2
    elif name == "relu":
        out = (z > 0.0).astype(z.dtype)
    return out


class ExampleNetwork:
    """Weights ``(n_out, n_in)``, biases ``(n_out, 1)``, examples as columns."""

    def __init__(self, case: Case, start: Parameters) -> None:
        self.case = case
        self.weights = [W.T.copy() for W in start.weights]
        self.biases = [b[:, np.newaxis].copy() for b in start.biases]
        self.activations = [case.activation] * (len(self.weights) - 1) + [case.output]
        self.n_updates = 0
        self.means = [np.zeros_like(p) for p in self.weights + self.biases]  # Adam's two moments
        self.squares = [np.zeros_like(p) for p in self.weights + self.biases]

    def backprop(self, x: Array, target: Array) -> list[Array]:
        """The gradient of one example's loss: arrays shaped as the weights, then the biases."""
        outputs, weighted_inputs = [x], []
        for W, b, name in zip(self.weights, self.biases, self.activations, strict=True):
            weighted_inputs.append(np.dot(W, outputs[-1]) + b)
            outputs.append(activate(name, weighted_inputs[-1]))
        delta = outputs[-1] - target
        if self.case.loss == "squared_error":
            delta = delta * slope(self.activations[-1], weighted_inputs[-1])
        by_weight, by_bias = [np.dot(delta, outputs[-2].T)], [delta]
        for layer in range(len(self.weights) - 1, 0, -1):
            arriving = np.dot(self.weights[layer].T, delta)
            delta = arriving * slope(self.activations[layer - 1], weighted_inputs[layer - 1])
            by_weight.insert(0, np.dot(delta, outputs[layer - 1].T))
            by_bias.insert(0, delta)
        return by_weight + by_bias

    def update_mini_batch(self, batch: list[tuple[Array, Array]]) -> None:
        """Sum the gradients of the batch's examples and take one step."""
        sums = [np.zeros_like(p) for p in self.weights + self.biases]
        for x, target in batch:
            sums = [total + g for total, g in zip(sums, self.backprop(x, target), strict=True)]
        if self.case.optimizer == "adam":
            steps = self.adam_steps([total / len(batch) for total in sums])
        else:
            steps = [self.case.learning_rate / len(batch) * total for total in sums]
        n_layers = len(self.weights)
        self.weights = [W - s for W, s in zip(self.weights, steps[:n_layers], strict=True)]
        self.biases = [b - s for b, s in zip(self.biases, steps[n_layers:], strict=True)]

    def adam_steps(self, gradients: list[Array]) -> list[Array]:
        """Adam's steps for a batch's mean gradients; its moments move on."""
        self.n_updates += 1
        c1, c2 = 1.0 - ADAM_BETA1**self.n_updates, 1.0 - ADAM_BETA2**self.n_updates
        self.means = [ADAM_BETA1 * m + (1.0 - ADAM_BETA1) * g for m, g in zip(self.means, gradients, strict=True)]
        self.squares = [
            ADAM_BETA2 * s + (1.0 - ADAM_BETA2) * g**2 for s, g in zip(self.squares, gradients, strict=True)
        ]
        return [
            self.case.learning_rate * (m / c1) / (np.sqrt(s / c2) + ADAM_EPSILON)
            for m, s in zip(self.means, self.squares, strict=True)
        ]


def prepare(problem: Problem, n_threads: int) -> Train:
    """Cut the data into pairs of columns."""
    case = problem.case
    targets = problem.y
    if case.loss == "cross_entropy":
        targets = np.eye(case.widths[-1], dtype=np.float32)[targets]
    pairs = [(x[:, np.newaxis], t[:, np.newaxis]) for x, t in zip(problem.X, targets, strict=True)]

    def train(epochs: int) -> Parameters:
        net = ExampleNetwork(case, problem.start)
        for epoch in range(epochs):
            ordered = [pairs[i] for i in problem.order(epoch)] if case.shuffle else pairs
            for low in range(0, len(ordered), case.batch_size):
                net.update_mini_batch(ordered[low : low + case.batch_size])
        return Parameters([W.T for W in net.weights], [b[:, 0] for b in net.biases])

    return train
