"""Dropout: in training, units that are 0 at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import Kind
from fastmlp.checks.values import Value, check_value, values_at
from fastmlp.model.layers.base import Layer

_FIRST_STEP = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Each unit is 0 with probability ``rate`` in training, and the others are divided by ``1 - rate``.

    Parameters
    ----------
    rate : float or function of the step, default 0.5
        From 0 to below 1, or a function of the step (`fastmlp.schedules`), of each layer its own. Outside of training,
        where ``dropout_seed`` asks for a mask, a function counts as its value at step 0.

    Raises
    ------
    ValueError, TypeError
        A rate outside its range.

    Notes
    -----
    Source: Srivastava et al., JMLR 2014.

    Examples
    --------
    >>> import fastmlp as fm
    >>> Dropout(fm.Cosine(0.3, n_steps=1000)).first_rate
    0.3
    """

    kind: ClassVar[int] = Kind.DROPOUT
    always_shown: ClassVar[tuple[str, ...]] = ("rate",)
    is_random: ClassVar[bool] = True

    rate: Value = 0.5

    def __post_init__(self) -> None:
        check_value("rate", self.rate, low=0.0, high=1.0, high_open=True)
        self.rates(_FIRST_STEP)

    @property
    def dropout_rate(self) -> Value:
        """Its rate."""
        return self.rate

    @property
    def first_rate(self) -> float:
        """The rate at step 0."""
        return float(self.rates(_FIRST_STEP)[0])

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rates (n,) at an array of steps; ``ValueError`` where one isn't from 0 to below 1."""
        rates = np.broadcast_to(values_at(self.rate, steps, "rate"), steps.shape)
        wrong = ~((rates >= 0) & (rates < 1))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(f"rate of Dropout must be from 0 to below 1, got {rates[at]} at step {steps[at]}")
        return rates

    def row(self) -> dict[str, Any]:
        """The rate, where it doesn't change."""
        return {"rate": self.first_rate}

    def label(self) -> str:
        """The word and the first rate."""
        return f"dropout {self.first_rate:g}"
