"""What the outputs say of each target: one estimate, a mean and a variance, or several quantiles.

A row of the table of losses names its form; the form answers every question about it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


class OneEstimate:
    """Output t is the estimate of target t. Also the base of the other forms."""

    per_target = 1
    """Outputs for each target."""
    output: str | None = None
    """The output activation that the form needs; None: the loss decides."""
    levels_address = 0
    """Address of the quantiles, for the core; 0 if there are none."""
    has_gradient_of_its_own = False
    """Whether the loss has a gradient that is not its derivative."""

    def __init__(self, setting: Any = None) -> None:
        pass

    def estimates(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """The one output for each target that is to be near it: (n, n_outputs) -> (n, n_targets)."""
        return outputs

    def deviations(self, outputs: NDArray[Any]) -> NDArray[Any] | None:
        """The standard deviations (n, n_targets) that outputs predict; None if they predict none."""
        return None

    def unscaled(
        self, outputs: NDArray[np.float64], shift: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Outputs (n, n_outputs) of a network that learns (y - shift) * scale, in the units of y."""
        return outputs / np.repeat(scale, self.per_target) + np.repeat(shift, self.per_target)


class MeanAndVariance(OneEstimate):
    """The means m of all targets, then their log-variances log v: 2 T outputs for T targets."""

    per_target = 2

    def __init__(self, beta: float) -> None:
        self.has_gradient_of_its_own = beta > 0

    def estimates(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """The means."""
        return outputs[:, : outputs.shape[1] // 2]

    def deviations(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """sqrt(v), with log v clipped as in the core."""
        limit = 40.0 if outputs.dtype == np.float32 else 350.0
        spread: NDArray[Any] = np.exp(np.clip(outputs[:, outputs.shape[1] // 2 :], -limit, limit) / 2)
        return spread

    def unscaled(
        self, outputs: NDArray[np.float64], shift: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """m / scale + shift, and log v - 2 log abs(scale)."""
        n_targets = len(shift)
        variances = outputs[:, n_targets:] - 2 * np.log(np.abs(scale))
        return np.hstack([outputs[:, :n_targets] / scale + shift, variances])


class SeveralQuantiles(OneEstimate):
    """Output t Q + j is quantile j of target t: Q T outputs, increasing in each group of Q."""

    output = "increasing"

    def __init__(self, q: tuple[float, ...]) -> None:
        self._q = q
        self.per_target = len(q)
        self.levels_address = int(_levels_of(q).ctypes.data)

    def estimates(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """The quantiles next to the median."""
        return outputs[:, int(np.argmin(np.abs(np.subtract(self._q, 0.5)))) :: self.per_target]


@cache
def _levels_of(q: tuple[float, ...]) -> NDArray[np.float64]:
    """The quantiles for the core, which has their address: kept for as long as the process lives."""
    return np.array(q, dtype=np.float64)


def form_of_quantiles(q: float | tuple[float, ...]) -> OneEstimate:
    """One quantile is an estimate like any other."""
    return SeveralQuantiles(q) if isinstance(q, tuple) and len(q) > 1 else OneEstimate()
