"""A loss of the user's own, in Python: checked at every batch, and called by the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.losses import Loss as LossCode
from fastmlp.machine.calls import Door
from fastmlp.model.activations import activation_spec
from fastmlp.model.losses import VALUES_OR_CLASSES, Loss, LossSpec


@dataclass(frozen=True, init=False)
class CustomLoss(Loss):
    """A loss by a Python function, for ``Network(..., loss=fm.CustomLoss(function))``.

    Parameters
    ----------
    function : callable
        ``function(y_true, scores) -> (losses, gradient)``. Both arguments have the shape (n, n_outputs) and the
        network's dtype: the targets, of class numbers rows with a single 1, and the scores, which are the last layer's
        outputs before its activation. It returns the loss of each row (n,), not weighted, and its gradient by the
        scores (n, n_outputs), all finite. In training it is called once for each batch, otherwise for stretches of
        rows; so it must treat a row alike whatever others are there, if `evaluate` is to mean the same.
    output : str, default "identity"
        Activation of `predict`'s outputs. It takes no part in the loss.

    It takes part in everything that a built-in loss does, `fastmlp.check_gradients` too, which shows whether losses
    and gradient belong together. It costs a call of Python for each batch, and can't be saved; see `Network.save`.

    Raises
    ------
    TypeError, ValueError
        For a function that isn't callable and unknown outputs; in training, for results of wrong shapes or not finite.
        Then, and whenever the function itself raises, the network is as after the last batch that went well.

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
    """

    function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]] = field(kw_only=True)
    output: str = field(kw_only=True)

    def __init__(
        self, function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]], output: str = "identity"
    ) -> None:
        if not callable(function):
            raise TypeError(f"function must be a callable (y_true, scores) -> (losses, gradient), got {function!r:.60}")
        activation_spec(output, "output")
        for name, value in (("function", function), ("output", output), ("name", "custom")):
            object.__setattr__(self, name, value)

    @property
    def spec(self) -> LossSpec:
        """What stands in the table for the others."""
        return LossSpec(LossCode.CUSTOM, self.output, targets=VALUES_OR_CLASSES)

    def make_door(self) -> LossDoor:
        """What the core calls."""
        return LossDoor(self.function)


class LossDoor(Door):
    """A function and the checks of its results."""

    def __init__(self, function: Callable[[NDArray[Any], NDArray[Any]], tuple[Any, Any]]) -> None:
        self._function = function

    def __call__(self, scores: Any, targets: Any, delta: Any, row_loss: Any) -> None:
        """Fill delta (n, n_outputs) and row_loss (n,); with 0 and NaN behind an error, which is kept, not raised."""
        scores, targets, delta, row_loss = (np.asarray(view) for view in (scores, targets, delta, row_loss))
        delta[:], row_loss[:] = 0, np.nan
        if self.error is not None or not np.isfinite(scores).all():
            return  # of scores that have diverged no loss is asked
        try:
            losses, gradient = checked(self._function(targets.copy(), scores.copy()), scores.shape)
            delta[:], row_loss[:] = gradient, losses
        except BaseException as error:
            self.error = error


def checked(results: Any, shape: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Losses (n,) and gradient (n, n_outputs) of a function; ``TypeError`` or ``ValueError`` if they aren't that."""
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
