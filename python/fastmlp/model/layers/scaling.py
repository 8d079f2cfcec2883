"""Scaling: each column times a learned number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from cnn_core.types import Kind
from fastmlp.model.initializers import Initializer
from fastmlp.model.layers.base import Layer, Parameter, check_learning


@dataclass(frozen=True, repr=False)
class Scaling(Layer):
    """A learned number for each column, which multiplies it: ``y = s * x``.

    As the first layer of a network for tables, it learns how much each column counts.

    Parameters
    ----------
    learning_rate_factor : float, default 6.0
        Multiplies the optimizer's learning rate for s. Above 0.
    trainable : bool, default True
        False freezes the layer: training does not change s.

    Raises
    ------
    TypeError
        If an argument is not a number, or ``trainable`` not a bool.
    ValueError
        If ``learning_rate_factor`` is not above 0.

    Notes
    -----
    s is 1 at the start and does not decay. ``LBFGS`` and ``LevenbergMarquardt``, which have no learning rate, need a
    factor of 1.

    Source: Holzmueller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024, who use a factor of 6.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Scaling()
    Scaling(learning_rate_factor=6.0)
    >>> fm.Network([4, fm.Scaling(), 8, 1]).n_params
    53
    """

    kind: ClassVar[int] = Kind.SCALING
    always_shown: ClassVar[tuple[str, ...]] = ("learning_rate_factor",)

    learning_rate_factor: float = 6.0
    trainable: bool = True

    def __post_init__(self) -> None:
        check_learning(self.trainable, self.learning_rate_factor)

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The scale of each column."""
        return (Parameter("scale", "gain", (n_out,), False, self.learning_rate_factor),)

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """A scale of 1."""
        return 1.0
