"""Dropout: in training, set random units to 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import Kind
from fastmlp.checks.values import Value, check_value, values_at, with_length
from fastmlp.model.layers.base import Layer

_FIRST_STEP = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Dropout: in training, set each unit to 0 with probability ``rate``, and divide the others by ``1 - rate``.

    Parameters
    ----------
    rate : float or function of the step, default 0.5
        From 0 to below 1, or a function of the step such as one of `fastmlp.schedules`. Outside training, where
        ``dropout_seed`` turns dropout on, a function gives its value at step 0; a schedule that takes its length from
        the fit, that of a fit of one step.

    Raises
    ------
    TypeError
        If ``rate`` is neither a number nor a function.
    ValueError
        If ``rate`` is out of range.

    Notes
    -----
    Source: Srivastava et al., JMLR 2014.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Dropout(fm.Cosine(0.3, n_steps=1000)).first_rate
    0.3
    >>> fm.Network([4, 8, fm.Dropout(0.2), 1])
    Network(4 -> 8 relu -> Dropout(rate=0.2) -> 1 identity; loss squared_error, 49 parameters, float32)
    """

    kind: ClassVar[int] = Kind.DROPOUT
    always_shown: ClassVar[tuple[str, ...]] = ("rate",)
    is_random: ClassVar[bool] = True

    rate: Value = 0.5

    def __post_init__(self) -> None:
        check_value("rate", self.rate, low=0.0, high=1.0, high_open=True)
        self._rates(with_length(self.rate, 0, 1), _FIRST_STEP)

    @property
    def dropout_rate(self) -> Value:
        """The rate."""
        return self.rate

    @property
    def first_rate(self) -> float:
        """The rate at step 0."""
        return float(self._rates(with_length(self.rate, 0, 1), _FIRST_STEP)[0])

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rates (n,) at an array of steps; ``ValueError`` if one is out of range."""
        return self._rates(self.rate, steps)

    @staticmethod
    def _rates(rate: Value, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        rates = np.broadcast_to(values_at(rate, steps, "rate"), steps.shape)
        wrong = ~((rates >= 0) & (rates < 1))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(f"rate of Dropout must be from 0 to below 1, got {rates[at]} at step {steps[at]}")
        return rates

    def row(self) -> dict[str, Any]:
        """The rate at step 0; training passes the rate of each step."""
        return {"rate": self.first_rate}

    def label(self) -> str:
        """The word dropout and the first rate."""
        return f"dropout {self.first_rate:g}"
