"""What the benchmark trains.

A ``Case`` is a row of the table: a network, a batch size, an optimizer. A
``Problem`` is a case with data and initial weights, drawn from a seed, so that
every contender starts from the same numbers and sees the same batches in the
same order. Synthetic images are mostly zeros, like handwritten digits. The
targets come from a random teacher, so there is something to learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Array = NDArray[Any]

# Adam's constants (Kingma and Ba, 2015), the same for every contender.
ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8

N_ORDERS = 8  # different orders of the rows in a shuffled case, used in turn


class Parameters(NamedTuple):
    """Weights ``(n_in, n_out)`` and biases ``(n_out,)``, one of each per layer."""

    weights: list[Array]
    biases: list[Array]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    ``loss`` is averaged over the batch; ``squared_error`` is half the sum of squares
    over the outputs, ``cross_entropy`` needs softmax and integer labels. With
    ``shuffle`` the order of the rows changes from epoch to epoch.
    """

    name: str
    stands_for: str
    widths: tuple[int, ...]
    activation: Literal["sigmoid", "tanh", "relu"]
    output: Literal["sigmoid", "identity", "softmax"]
    loss: Literal["squared_error", "cross_entropy"]
    batch_size: int
    n_samples: int
    learning_rate: float
    optimizer: Literal["sgd", "adam"] = "sgd"
    images: bool = False
    zeros: float = 0.8  # share of zero pixels in images, as in MNIST
    shuffle: bool = False

    def __post_init__(self) -> None:
        if self.n_samples % self.batch_size:
            raise ValueError(
                f"{self.name}: n_samples must be a multiple of batch_size, got {self.n_samples} and {self.batch_size}"
            )

    @property
    def flop_per_row(self) -> int:
        """Floating-point operations of the forward products for one row."""
        return 2 * sum(n_in * n_out for n_in, n_out in zip(self.widths, self.widths[1:], strict=False))

    @property
    def flop_per_step(self) -> int:
        """Floating-point operations of the matrix products in a step.

        Each layer has three products: forward, weight gradient, and input gradient.
        The first layer does not need the last one.
        """
        return self.batch_size * (3 * self.flop_per_row - 2 * self.widths[0] * self.widths[1])


@dataclass(frozen=True)
class Problem:
    """A case with its data and its initial weights, all read-only.

    ``X`` is float32 ``(n_samples, n_in)``; ``y`` is int64 ``(n_samples,)`` for
    cross-entropy, else float32 ``(n_samples, n_out)``. ``orders`` is int64
    ``(n_orders, n_samples)``; epoch ``e`` uses order ``e % n_orders``.
    """

    case: Case
    X: Array
    y: Array
    start: Parameters
    orders: Array

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches per epoch."""
        return len(self.X) // self.case.batch_size

    @property
    def nbytes(self) -> int:
        """Bytes of the data, the orders and the initial weights."""
        arrays = (self.X, self.y, self.orders, *self.start.weights, *self.start.biases)
        return sum(array.nbytes for array in arrays)

    def head(self, n_batches: int) -> Problem:
        """The same problem with only the first ``n_batches`` batches of the data."""
        n_rows = n_batches * self.case.batch_size
        orders = np.array([order[order < n_rows] for order in self.orders])
        return Problem(self.case, self.X[:n_rows], self.y[:n_rows], self.start, orders)

    def order(self, epoch: int) -> Array:
        """Row indices in the order of this epoch, int64 ``(n_samples,)``."""
        return self.orders[epoch % len(self.orders)]

    def batches(self, epoch: int) -> Iterator[Any]:
        """The rows of each batch: a slice, or an int64 array if the case is shuffled. ``X[rows]`` works for both."""
        order = self.order(epoch)
        for low in range(0, len(self.X), self.case.batch_size):
            high = low + self.case.batch_size
            yield order[low:high] if self.case.shuffle else slice(low, high)


# One thread, because the buffers of BLAS threads would count as memory of the contender.
@threadpool_limits.wrap(1, user_api="blas")
def make_problem(case: Case, seed: int = 0) -> Problem:
    """Draw data and initial weights for a case.

    >>> problem = make_problem(CASES[0])
    >>> problem.X.shape, problem.y.shape, problem.start.weights[0].shape
    ((4000, 2), (4000, 1), (2, 3))
    """
    rng = np.random.default_rng(seed)
    n_in, n_out = case.widths[0], case.widths[-1]
    X = rng.random((case.n_samples, n_in), dtype=np.float32)
    if case.images:
        X[rng.random(X.shape, dtype=np.float32) < case.zeros] = 0.0
    teacher = rng.standard_normal((n_in, n_out), dtype=np.float32)
    scores = (X - X.mean(axis=0)) @ teacher
    if case.loss == "cross_entropy":
        y = scores.argmax(axis=1)
    elif case.images:
        y = np.eye(n_out, dtype=np.float32)[scores.argmax(axis=1)]
    else:
        y = 0.5 + 0.4 * np.sin(scores)
    weights = [
        rng.standard_normal((i, o), dtype=np.float32) / np.float32(i**0.5)
        for i, o in zip(case.widths, case.widths[1:], strict=False)
    ]
    biases = [0.1 * rng.standard_normal(o, dtype=np.float32) for o in case.widths[1:]]
    orders = [rng.permutation(case.n_samples) for _ in range(N_ORDERS)] if case.shuffle else [np.arange(case.n_samples)]
    return Problem(case, X, y, Parameters(weights, biases), np.array(orders))


CASES = (
    Case(
        "2-3-1",
        "the smallest network of the textbooks",
        (2, 3, 1),
        "sigmoid",
        "sigmoid",
        "squared_error",
        batch_size=4,
        n_samples=4_000,
        learning_rate=1.0,
    ),
    Case(
        "3-4-1",
        "one example at a time",
        (3, 4, 1),
        "relu",
        "identity",
        "squared_error",
        batch_size=1,
        n_samples=2_000,
        learning_rate=0.05,
    ),
    Case(
        "16-64-64-1",
        "regression on a small table",
        (16, 64, 64, 1),
        "tanh",
        "identity",
        "squared_error",
        batch_size=32,
        n_samples=8_192,
        learning_rate=0.05,
    ),
    Case(
        "784-30-10",
        "handwritten digits, Nielsen's first network",
        (784, 30, 10),
        "sigmoid",
        "sigmoid",
        "squared_error",
        batch_size=10,
        n_samples=10_000,
        learning_rate=3.0,
        images=True,
        shuffle=True,
    ),
    Case(
        "784-100-10",
        "handwritten digits, Nielsen's wider network",
        (784, 100, 10),
        "sigmoid",
        "sigmoid",
        "squared_error",
        batch_size=32,
        n_samples=9_984,
        learning_rate=3.0,
        images=True,
    ),
    Case(
        "784-256-128-10",
        "handwritten digits as done today",
        (784, 256, 128, 10),
        "relu",
        "softmax",
        "cross_entropy",
        batch_size=128,
        n_samples=9_984,
        learning_rate=1e-3,
        optimizer="adam",
        images=True,
    ),
    Case(
        "784-1024-1024-10",
        "as wide as one trains without a GPU",
        (784, 1024, 1024, 10),
        "relu",
        "softmax",
        "cross_entropy",
        batch_size=256,
        n_samples=5_120,
        learning_rate=0.05,
        images=True,
    ),
    Case(
        "4-32-16-4",
        "surrogate model, all rows in one batch",
        (4, 32, 16, 4),
        "tanh",
        "identity",
        "squared_error",
        batch_size=10_000,
        n_samples=10_000,
        learning_rate=1e-3,
        optimizer="adam",
    ),
)
