"""Targets scaled inside the network: it learns (y - shift) * scale, and predictions are in the units of y again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.arrays import as_numbers, counted
from fastmlp.checks.errors import shown
from fastmlp.model.losses import Loss
from fastmlp.model.standardizing import standardizing

STANDARD = "standard"
"""Scale the targets of the first fit to mean 0 and standard deviation 1."""


class TargetScale(NamedTuple):
    """What a network learns instead of y: ``(y - shift) * scale``, column by column.

    Attributes
    ----------
    shift, scale : ndarray of float64 (n_targets,)
        Read-only.
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    def undo(self, loss: Loss, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """Outputs (n, n_outputs) of the network in the units of y; computed in float64."""
        undone: NDArray[np.float64] = loss.form.unscaled(outputs.astype(np.float64), self.shift, self.scale)
        return undone

    def slopes(self, loss: Loss, n_outputs: int) -> NDArray[np.float64]:
        """The derivative of each undone output with respect to the output, (n_outputs,)."""
        nothing = np.zeros_like(self.shift)
        zero, one = (loss.form.unscaled(np.full((1, n_outputs), end), nothing, self.scale) for end in (0.0, 1.0))
        slopes: NDArray[np.float64] = (one - zero)[0]
        return slopes


def check_target_scale(given: object, loss: Loss, n_outputs: int, dtype: np.dtype[Any]) -> TargetScale | str | None:
    """Check the argument ``target_scale``: None, "standard", or a pair (shift, scale)."""
    if given is None:
        return None
    check_scalable(loss, n_outputs)
    if isinstance(given, str):
        if given != STANDARD:
            raise ValueError(f"target_scale must be None, 'standard' or a pair (shift, scale), got {shown(given)}")
        return given
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise TypeError(f"target_scale must be None, 'standard' or a pair (shift, scale), got {type(given).__name__}")
    n_targets = loss.n_targets(n_outputs)
    columns = []
    for argument, numbers in zip(("shift", "scale"), given, strict=True):
        array = as_numbers(f"{argument} of target_scale", numbers).astype(np.float64)
        if array.ndim and array.shape != (n_targets,):
            raise ValueError(
                f"{argument} of target_scale must be one number or have shape ({n_targets},), got {array.shape}"
            )
        columns.append(np.broadcast_to(array, (n_targets,)))
    if (columns[1] == 0).any():
        raise ValueError("scale of target_scale must not be 0")
    return make_target_scale(columns[0], columns[1], dtype)


def make_target_scale(shift: NDArray[np.float64], scale: NDArray[np.float64], dtype: np.dtype[Any]) -> TargetScale:
    """The checked numbers; ``ValueError`` if they do not fit in the network's dtype."""
    limit = float(np.finfo(dtype).max)
    if max(np.abs(shift).max(), np.abs(scale).max(), (1 / np.abs(scale)).max()) > limit:
        raise ValueError(f"target_scale must have numbers that fit in {dtype}, got larger ones")
    made = TargetScale(shift.copy(), scale.copy())
    for column in made:
        column.flags.writeable = False
    return made


def check_scalable(loss: Loss, n_outputs: int) -> None:
    """Raise ``ValueError`` for a loss whose targets are not plain values, one set for all outputs."""
    if not loss.scales_targets:
        raise ValueError(f"target_scale needs a loss for values of any size, got {shown(loss.name)}")
    if loss.calls_python and loss.n_targets(n_outputs) != n_outputs:
        raise ValueError(
            f"target_scale needs one target for each output of a CustomLoss, got {loss.n_targets(n_outputs)} targets "
            f"for {counted(n_outputs, 'output')}"
        )


def standard_scale(y: NDArray[Any], observed: NDArray[np.bool_] | None, dtype: np.dtype[Any]) -> TargetScale:
    """Shift and scale that give y (n, n_targets) mean 0 and standard deviation 1; see `standardizing`."""
    return make_target_scale(*standardizing("y", y, observed), dtype)
