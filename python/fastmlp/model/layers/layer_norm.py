"""Layer normalisation: rows brought to mean 0 and deviation 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.layers.base import LATER, check_learning
from fastmlp.model.layers.norm import Norm


@dataclass(frozen=True, repr=False)
class LayerNorm(Norm):
    """Each row brought to mean 0 and deviation 1, then ``gain * x + shift``.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Above 0; added to the variance.
    trainable : bool, default True
        False: frozen. Training leaves gain and shift as they are.
    learning_rate_factor : float, default 1.0
        Above 0; the learning rate of gain and shift is this times the optimizer's.

    Raises
    ------
    ValueError, TypeError
        Numbers outside their range.

    Notes
    -----
    Source: Ba, Kiros and Hinton, 2016.

    Examples
    --------
    >>> LayerNorm()
    LayerNorm(epsilon=1e-05)
    """

    kind: ClassVar[int] = Kind.LAYER_NORM
    always_shown: ClassVar[tuple[str, ...]] = ("epsilon",)

    epsilon: float = 1e-5
    trainable: bool = field(default=True, metadata=LATER)
    learning_rate_factor: float = field(default=1.0, metadata=LATER)

    def __post_init__(self) -> None:
        check_value("epsilon", self.epsilon, low=0.0, low_open=True, schedule=False)
        check_learning(self.trainable, self.learning_rate_factor)

    def row(self) -> dict[str, Any]:
        """Epsilon."""
        return {"epsilon": self.epsilon}
