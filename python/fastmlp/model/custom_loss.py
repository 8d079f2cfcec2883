"""Losses written in Python: the core calls them, and their results are checked at every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.losses import Loss as LossCode
from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.machine.calls import Door
from fastmlp.model.activations import activation_name
from fastmlp.model.loss_kinds import VALUES, VALUES_OR_CLASSES, LossSpec
from fastmlp.model.losses import Loss


@dataclass(frozen=True, init=False)
class CustomLoss(Loss):
    """A loss given as a Python function, for ``Network(..., loss=fm.CustomLoss(function))``.

    Parameters
    ----------
    function : callable
        ``function(y_true, scores) -> (losses, gradient)``. Both arguments have the network's dtype. ``y_true`` holds
        the targets (n, target_width); class numbers become one-hot rows. ``scores`` (n, n_outputs) holds the outputs of
        the last layer before its activation. The function returns the loss of each row, shape (n,), without sample
        weights, and the gradient of that loss with respect to the scores, shape (n, n_outputs). Both must be finite.
    output : str, default "identity"
        Activation that `predict` applies to the scores. The loss does not use it.
    target_width : int, optional
        Columns of y, which are then numbers and never class numbers: a value and whether it is censored, for instance.
        Default: as many as the network has outputs.

    Raises
    ------
    TypeError
        If ``function`` is not callable, ``output`` is not a string, or ``target_width`` is not an int.
    ValueError
        If ``output`` is unknown, or ``target_width`` is below 1.

    Notes
    -----
    Training calls the function once per batch, `Network.evaluate` once per block of rows. So the loss of a row must
    not depend on the other rows, or the two give different losses. Every call comes from the thread that called
    fastmlp, in the order of the rows; passes other than training use that thread alone, whatever ``n_threads`` is.

    The function may predict with, differentiate and train other networks, such as a teacher or a critic: they give the
    same bits as outside.

    An error in the function reaches the caller; an ``IndexError`` as a ``ValueError`` that gives the shapes. So does a
    ``TypeError`` or ``ValueError`` for results of a wrong type or shape, NaN or infinity. After such a fit the network
    is in the state after the last successful batch.

    A custom loss works wherever a built-in one does. `fastmlp.check_gradients` shows whether the losses and the
    gradient match. A network with a custom loss cannot be saved; see `Network.save`.

    Examples
    --------
    >>> import fastmlp as fm
    >>> def log_cosh(y_true, scores):
    ...     error = scores - y_true
    ...     return np.log(np.cosh(error)).sum(axis=1), np.tanh(error)
    >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
    >>> net = fm.Network([1, 8, 1], activation="tanh", loss=fm.CustomLoss(log_cosh), seed=0)
    >>> fm.check_gradients(net, X[:5], X[:5]) < 1e-8
    True
    >>> history = net.fit(X, X**2, epochs=100, optimizer=fm.Adam(0.02))
    >>> bool(history["loss"][-1] < 0.01)
    True

    Survival times (n, 2): when a row was last seen, and 1 if its end was seen then, 0 if it is censored. The output is
    the log of the rate of an exponential distribution.

    >>> def survival(y_true, scores):
    ...     time, seen = y_true[:, :1], y_true[:, 1:]
    ...     expected = np.exp(scores) * time
    ...     return (expected - seen * scores).sum(axis=1), expected - seen
    >>> times = np.array([[2.0, 1.0], [3.0, 0.0], [1.0, 1.0], [4.0, 0.0]])
    >>> net = fm.Network([1, 1], loss=fm.CustomLoss(survival, "exp", target_width=2), dtype="float64", seed=0)
    >>> history = net.fit(np.zeros((4, 1)), times, epochs=200, batch_size=4, optimizer=fm.SGD(0.1))
    >>> net.predict([[0.0]]).round(2)  # ends seen, per unit of time: 2 / 10
    array([[0.2]])
    """

    function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]] = field(kw_only=True)
    output: str = field(kw_only=True)
    target_width: int | None = field(kw_only=True)

    def __init__(
        self,
        function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]],
        output: str = "identity",
        *,
        target_width: int | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function must be a callable (y_true, scores) -> (losses, gradient), got {function!r:.60}")
        output = activation_name(output, "output")
        width = None if target_width is None else check_size("target_width", target_width)
        values = {"function": function, "output": output, "target_width": width, "name": "custom"}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    calls_python: ClassVar[bool] = True

    @property
    def spec(self) -> LossSpec:
        """The row that the table of losses has for a built-in loss."""
        kind = VALUES_OR_CLASSES if self.target_width is None else VALUES
        return LossSpec(LossCode.CUSTOM, self.output, targets=kind, weighs_targets=False)

    def n_targets(self, n_outputs: int) -> int:
        """``target_width``, or as many as there are outputs."""
        return n_outputs if self.target_width is None else self.target_width

    @property
    def columns_in_words(self) -> str:
        """What the columns of y are, for an error message."""
        return super().columns_in_words if self.target_width is None else "the target_width of the loss"

    def make_door(self) -> LossDoor:
        """The object that the core calls."""
        return LossDoor(self.function)


class LossDoor(Door):
    """A loss function, and the checks of its results."""

    def __init__(self, function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]]) -> None:
        self._function = function

    def __call__(self, scores: Any, targets: Any, delta: Any, row_loss: Any) -> None:
        """Fill delta (n, n_outputs) and row_loss (n,); after an error with 0 and NaN. Errors are kept, not raised."""
        scores, targets, delta, row_loss = (np.asarray(view) for view in (scores, targets, delta, row_loss))
        delta[:], row_loss[:] = 0, np.nan
        if self.error is not None or not np.isfinite(scores).all():
            return  # the scores have diverged: there is no loss to compute
        try:
            losses, gradient = checked(self._function(targets.copy(), scores.copy()), scores.shape)
            delta[:], row_loss[:] = gradient, losses
        except IndexError as error:  # nearly always one column too few
            self.error = wrong_columns(error, targets.shape, scores.shape)
        except BaseException as error:
            self.error = error


def wrong_columns(error: IndexError, targets: tuple[int, ...], scores: tuple[int, ...]) -> ValueError:
    """The error for a function that looked for a column, or a row, that is not there."""
    clear = ValueError(
        f"loss must be a function of y_true {targets} and scores {scores} here, got {shown(error, 200)}; scores "
        "have a column for each unit of the last layer, and in MLPRegressor for each column of y"
    )
    clear.__cause__ = error
    return clear


def checked(results: Any, shape: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Losses (n,) and gradient (n, n_outputs) from a function's results; ``TypeError`` or ``ValueError`` if invalid."""
    if not isinstance(results, (tuple, list)) or len(results) != 2:
        raise TypeError(f"a custom loss must return (losses, gradient), got {type(results).__name__}")
    arrays = []
    for name, values, expected in (("losses", results[0], shape[:1]), ("gradient", results[1], shape)):
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{name} of a custom loss must hold numbers, got dtype {array.dtype}")
        if array.shape != expected:
            raise ValueError(f"{name} of a custom loss must have shape {expected}, got {array.shape}")
        if not np.isfinite(array).all():
            at = np.argwhere(~np.isfinite(array))[0]
            raise ValueError(f"{name} of a custom loss must be finite, got {array[tuple(at)]} in row {at[0]}")
        arrays.append(array)
    return arrays[0], arrays[1]
