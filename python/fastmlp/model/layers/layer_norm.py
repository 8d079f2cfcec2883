"""Layer normalisation: scale each row to mean 0 and standard deviation 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.fields import LATER
from fastmlp.model.layers.base import check_learning
from fastmlp.model.layers.norm import Norm


@dataclass(frozen=True, repr=False)
class LayerNorm(Norm):
    """Layer normalisation: scale each row to mean 0 and deviation 1, then ``gain * x + shift``.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Added to the variance. Above 0.
    trainable : bool, default True
        False freezes the layer: training does not change gain and shift.
    learning_rate_factor : float, default 1.0
        Multiplies the optimizer's learning rate for gain and shift. Above 0.

    Raises
    ------
    TypeError
        If an argument is not a number, or ``trainable`` not a bool.
    ValueError
        If a number is out of range.

    Notes
    -----
    Source: Ba, Kiros and Hinton, 2016.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.LayerNorm()
    LayerNorm(epsilon=1e-05)
    >>> fm.Network([4, fm.Dense(8), fm.LayerNorm(), fm.Activation("relu"), 1]).n_params
    65
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
