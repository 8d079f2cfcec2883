"""Learning curve: training and validation error over the number of training rows.

For each size, a new network is trained on that many random rows. A validation error well above the training error means
high variance, which more rows reduce. Two errors that are high and close together mean high bias, which they do not.

Within a repeat, each size contains the rows of all smaller ones, and all networks start from the same weights. So
neighbouring points of the curve differ by the added rows and little else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.data.samples import check_training_data
from fastmlp.data.validation import check_validation
from fastmlp.network import Network


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Errors over the number of training rows, as returned by `learning_curve`; `fm.plots.learning_curve` draws it.

    Attributes
    ----------
    train_sizes : ndarray (n,) of int64
        Numbers of training rows, increasing.
    train_error, validation_error : ndarray (n,) of float64
        Error on those rows and on the validation data, each the mean over the repeats.
    train_error_std, validation_error_std : ndarray (n,) of float64
        Standard deviation over the repeats; 0 with a single repeat.
    metric : str
        What the errors are: ``"error rate"`` (1 - accuracy) for classification, else the name of the loss.

    Examples
    --------
    >>> sizes, ones = np.array([10, 100]), np.ones(2)
    >>> LearningCurve(sizes, 0.1 * ones, np.array([0.4, 0.2]), 0 * ones, 0 * ones, "error rate")
    LearningCurve(10 to 100 rows: validation error rate 0.4 -> 0.2, training 0.1)
    """

    train_sizes: NDArray[np.int64]
    train_error: NDArray[np.float64]
    validation_error: NDArray[np.float64]
    train_error_std: NDArray[np.float64]
    validation_error_std: NDArray[np.float64]
    metric: str

    def __repr__(self) -> str:
        sizes, error = self.train_sizes, self.validation_error
        return (
            f"LearningCurve({sizes[0]} to {sizes[-1]} rows: validation {self.metric} "
            f"{error[0]:.4g} -> {error[-1]:.4g}, training {self.train_error[-1]:.4g})"
        )


def learning_curve(
    make_network: Callable[[int], Network],
    X: ArrayLike,
    y: ArrayLike,
    validation_data: tuple[ArrayLike, ArrayLike],
    train_sizes: Sequence[int] | NDArray[np.integer[Any]],
    *,
    repeats: int = 1,
    seed: int = 0,
    **fit_options: Any,
) -> LearningCurve:
    """Train a new network on each number of rows, and measure its errors.

    Parameters
    ----------
    make_network : function of an int
        Returns a new, untrained network for a seed.
    X : array_like (n_samples, n_features)
        Rows to choose from.
    y : array_like
        Their targets, as for `Network.fit`.
    validation_data : pair (X, y)
        Other rows, the same for every size.
    train_sizes : sequence of int
        Numbers of rows, increasing, from 1 to n_samples.
    repeats : int, default 1
        Networks per size, each with its own seed and its own choice of rows.
    seed : int, default 0
        0 or more; repeat ``r`` uses ``make_network(seed + r)``. The same seed gives the same curve.
    **fit_options
        Passed to `Network.fit`: ``epochs``, ``batch_size``, ``optimizer`` and so on, except ``validation_data`` and
        ``sample_weight``.

    Returns
    -------
    LearningCurve

    Raises
    ------
    ValueError, TypeError
        For wrong arguments, before any training.
    DivergedError
        A loss stopped being finite during training.

    Examples
    --------
    >>> import fastmlp as fm
    >>> digits = fm.load_digits()
    >>> curve = fm.learning_curve(
    ...     lambda seed: fm.Network([fm.Input(64, scale=1 / 16), 20, 10], loss="cross_entropy", seed=seed),
    ...     digits.X_train, digits.y_train, (digits.X_test, digits.y_test), [50, 500], epochs=20,
    ... )
    >>> bool(curve.validation_error[0] > curve.validation_error[1])
    True
    """
    if not callable(make_network):
        raise TypeError(f"make_network must be a function of a seed, got {type(make_network).__name__}")
    repeats = check_size("repeats", repeats)
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be a whole number, got {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, got {seed}")
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
        raise TypeError(f"validation_data must be a pair (X, y), got {type(validation_data).__name__}")
    for name in ("validation_data", "sample_weight"):
        if name in fit_options:
            raise TypeError(f"{name} cannot be used with learning_curve")
    network = _new_network(make_network, int(seed), None)
    if network.awaits_targets():
        raise ValueError(
            "make_network must give target_scale=(shift, scale), so that losses of all sizes have the same unit, got "
            "'standard'"
        )
    check_training_data(network, X, y, None)
    check_validation(network, validation_data)
    rows, targets = np.asarray(X), np.asarray(y)
    sizes = _check_sizes(train_sizes, len(rows))

    errors = np.empty((2, repeats, len(sizes)))
    metric = network.loss.name
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(len(rows))
        for i, size in enumerate(sizes):
            network = _new_network(make_network, int(seed) + repeat, network)
            chosen = rows[order[:size]], targets[order[:size]]
            network.fit(*chosen, **fit_options)
            for j, data in enumerate((chosen, validation_data)):
                measured = network.evaluate(*data, n_threads=fit_options.get("n_threads"))
                if "accuracy" in measured:
                    metric, errors[j, repeat, i] = "error rate", 1 - measured["accuracy"]
                else:
                    errors[j, repeat, i] = measured["loss"]
    mean, std = errors.mean(axis=1), errors.std(axis=1)
    return LearningCurve(sizes, mean[0], mean[1], std[0], std[1], metric)


def _new_network(make_network: Callable[[int], Network], seed: int, last: Network | None) -> Network:
    network = make_network(seed)
    if not isinstance(network, Network):
        raise TypeError(f"make_network must return a Network, got {type(network).__name__}")
    if network is last:
        raise ValueError("make_network must return a new network at each call, got the same one again")
    return network


def _check_sizes(train_sizes: object, n_rows: int) -> NDArray[np.int64]:
    """Check that sizes are increasing whole numbers from 1 to ``n_rows``."""
    sizes = np.asarray(train_sizes)
    if sizes.ndim != 1 or sizes.size == 0:
        raise ValueError(f"train_sizes must be a sequence of numbers of rows, got {shown(train_sizes)}")
    if sizes.dtype.kind not in "iu":
        raise TypeError(f"train_sizes must be whole numbers of rows, got {shown(train_sizes)}")
    if sizes[0] < 1 or sizes[-1] > n_rows or (np.diff(sizes.astype(np.int64)) <= 0).any():
        raise ValueError(
            f"train_sizes must increase and lie between 1 and {n_rows}, the rows of X, got {shown(train_sizes)}"
        )
    return sizes.astype(np.int64)
