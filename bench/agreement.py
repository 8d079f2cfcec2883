"""Check that a contender computes the same training as the others.

A plain float64 trainer, which shares no code with any contender, takes the same
steps from the same weights. A contender agrees if it reaches the same loss within
``TOLERANCE`` (relative), and the same weights within ``PATH_TOLERANCE`` times the
distance travelled. The second is looser because Adam's first steps are the signs
of gradients, and single precision may get the sign of a tiny gradient wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from .cases import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON, Array, Case, Parameters, Problem

TOLERANCE = 1e-4
PATH_TOLERANCE = 1e-3

_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "identity": lambda z: z,
    "softmax": lambda z: (
        np.exp(z - z.max(1, keepdims=True)) / np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True)
    ),
}
_SLOPES: dict[str, Callable[[Array], Array]] = {  # as functions of the output
    "sigmoid": lambda a: a - a**2,
    "tanh": lambda a: 1 - a**2,
    "relu": lambda a: np.sign(a),
    "identity": np.ones_like,
}


def _layers(case: Case, parameters: Parameters, X: Array) -> list[Array]:
    names = [case.activation] * (len(case.widths) - 2) + [case.output]
    layers = [X.astype(np.float64)]
    for W, b, name in zip(*parameters, names, strict=True):
        layers.append(_ACTIVATIONS[name](layers[-1] @ W + b))
    return layers


# One thread, because the buffers of BLAS threads would count as memory of the contender.
@threadpool_limits.wrap(1, user_api="blas")
def outputs(case: Case, parameters: Parameters, X: Array) -> Array:
    """Outputs of the network for ``X``, float64."""
    doubles = Parameters(*([p.astype(np.float64) for p in ps] for ps in parameters))
    return _layers(case, doubles, X)[-1]


def loss(problem: Problem, parameters: Parameters) -> float:
    """Mean loss per row over the whole problem, in float64."""
    prediction = outputs(problem.case, parameters, problem.X)
    if problem.case.loss == "cross_entropy":
        return float(-np.log(prediction[np.arange(len(prediction)), problem.y]).mean())
    return float(0.5 * ((prediction - problem.y) ** 2).sum(axis=1).mean())


def _gradients(case: Case, parameters: Parameters, X: Array, y: Array) -> list[Array]:
    layers = _layers(case, parameters, X)
    if case.loss == "cross_entropy":
        delta = layers[-1] - np.eye(case.widths[-1])[y]
    else:
        delta = (layers[-1] - y) * _SLOPES[case.output](layers[-1])
    dW: list[Array] = []
    db: list[Array] = []
    for W, a in zip(parameters.weights[::-1], layers[-2::-1], strict=True):
        dW.insert(0, a.T @ delta / len(X))
        db.insert(0, delta.mean(axis=0))
        if len(dW) < len(parameters.weights):
            delta = delta @ W.T * _SLOPES[case.activation](a)
    return dW + db


@threadpool_limits.wrap(1, user_api="blas")
def reference(problem: Problem, epochs: int = 1) -> Parameters:
    """Parameters after ``epochs`` over the problem's batches, float64."""
    case = problem.case
    parameters = Parameters(*([p.astype(np.float64) for p in ps] for ps in problem.start))
    flat = parameters.weights + parameters.biases
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in flat]
    every_batch = (rows for epoch in range(epochs) for rows in problem.batches(epoch))
    for step, rows in enumerate(every_batch, start=1):
        for p, g, (m, v) in zip(
            flat, _gradients(case, parameters, problem.X[rows], problem.y[rows]), moments, strict=True
        ):
            if case.optimizer == "sgd":
                p -= case.learning_rate * g
                continue
            m[...] = ADAM_BETA1 * m + (1 - ADAM_BETA1) * g
            v[...] = ADAM_BETA2 * v + (1 - ADAM_BETA2) * g**2
            m_hat, v_hat = m / (1 - ADAM_BETA1**step), v / (1 - ADAM_BETA2**step)
            p -= case.learning_rate * m_hat / (np.sqrt(v_hat) + ADAM_EPSILON)
    return parameters


def disagreement(problem: Problem, got: Parameters, expected: Parameters) -> str | None:
    """None if two trainings of the problem agree, else how they differ."""
    losses = loss(problem, got), loss(problem, expected)
    if not abs(losses[0] - losses[1]) <= TOLERANCE * abs(losses[1]):
        return f"reaches loss {losses[0]:.8g}, expected {losses[1]:.8g}"
    start, end, goal = (
        np.concatenate([p.ravel() for p in ps.weights + ps.biases]) for ps in (problem.start, got, expected)
    )
    gap = float(np.linalg.norm(end - goal) / np.linalg.norm(goal - start))
    if not gap <= PATH_TOLERANCE:
        return f"takes another path: off by {gap:.2g} of the distance between start and end"
    return None
