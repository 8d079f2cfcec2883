"""Estimate how long a training would take in pure Python, from a timed sample of the same work.

A training consists of two kinds of work: a forward and backward pass for each
example, and an update after each batch. The pure Python contender of the benchmark
runs both for a fraction of a second, on a network of the given shape. The estimate
is the sum of the two, each times its number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from time import perf_counter

from fastmlp.checks.errors import unknown_name

from .contenders.pure_python import PlainNetwork

ACTIVATIONS = ("identity", "relu", "sigmoid", "tanh")
OUTPUTS = ("identity", "sigmoid", "softmax", "tanh")
LOSSES = ("cross_entropy", "squared_error")
OPTIMIZERS = ("adam", "sgd")


def seconds_per_call(work: Callable[[], object], seconds: float) -> float:
    """Mean time of one call, repeated for ``seconds``, at least once."""
    calls, start = 0, perf_counter()
    while True:
        work()
        calls += 1
        elapsed = perf_counter() - start
        if elapsed >= seconds:
            return elapsed / calls


def pure_python_seconds(
    widths: Sequence[int],
    activation: str,
    output: str,
    loss: str,
    batch_size: int,
    n_samples: int,
    epochs: int,
    optimizer: str = "sgd",
    seconds: float = 0.3,
) -> float:
    """Estimate how many seconds a whole training takes in pure Python.

    Parameters
    ----------
    widths : sequence of int
        Units per layer, inputs first, as in ``Network([784, 30, 10])``.
    activation : {"identity", "relu", "sigmoid", "tanh"}
        Activation of the hidden layers.
    output : {"identity", "sigmoid", "softmax", "tanh"}
        Activation of the last layer.
    loss : {"squared_error", "cross_entropy"}
        The second only with softmax.
    batch_size, n_samples, epochs : int
        Size of the training; the last batch may be short.
    optimizer : {"sgd", "adam"}, default "sgd"
    seconds : float, default 0.3
        Time to spend on the sample; more only if a single example takes longer.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For a name that the pure Python version does not cover, or a size below 1.

    Examples
    --------
    >>> estimate = pure_python_seconds([4, 8, 3], "tanh", "softmax", "cross_entropy",
    ...                                batch_size=10, n_samples=100, epochs=5, seconds=0.01)
    >>> 0 < estimate < 60
    True
    """
    for argument, got, known in (
        ("activation", activation, ACTIVATIONS),
        ("output", output, OUTPUTS),
        ("loss", loss, LOSSES),
        ("optimizer", optimizer, OPTIMIZERS),
    ):
        if got not in known:
            raise unknown_name(argument, got, known)
    if (loss == "cross_entropy") != (output == "softmax"):
        raise ValueError(f"output='softmax' and loss='cross_entropy' go together, got output={output!r}, loss={loss!r}")
    for argument, size in (("batch_size", batch_size), ("n_samples", n_samples), ("epochs", epochs)):
        if size < 1:
            raise ValueError(f"{argument} must be at least 1, got {size}")

    rng = random.Random(0)
    n_in, n_out = widths[0], widths[-1]
    weights = [[[rng.gauss(0.0, i**-0.5) for _ in range(i)] for _ in range(o)] for i, o in pairwise(widths)]
    biases = [[0.0] * o for o in widths[1:]]
    net = PlainNetwork(weights, biases, activation, output, loss, optimizer, learning_rate=1e-3)
    x = [rng.random() for _ in range(n_in)]
    target = 0 if loss == "cross_entropy" else [rng.random() for _ in range(n_out)]

    def update() -> None:
        net.update(batch_size)
        net.start_batch()

    net.start_batch()
    per_example = seconds_per_call(lambda: net.add_example(x, target), 0.8 * seconds)
    per_update = seconds_per_call(update, 0.2 * seconds)
    n_updates = -(-n_samples // batch_size)
    return epochs * (n_samples * per_example + n_updates * per_update)
