"""Dense layers: every output sees every input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cnn_core.types import Kind
from fastmlp.checks.values import check_size
from fastmlp.model.initializers import Initializer, make_initializer
from fastmlp.model.layers.activation import Activated
from fastmlp.model.layers.base import LATER, Parameter, check_learning


@dataclass(frozen=True, repr=False)
class Dense(Activated):
    """``y = f(x W + b)`` with W (n_in, units) and b (units,).

    Parameters
    ----------
    units : int
        Outputs of the layer.
    activation : str, optional
        A name of `fastmlp.model.activations`. None: identity, or at the end of a network what its loss asks for.
    bias : bool, default True
        Whether there is a b.
    init : str or initializer, optional
        None: that of the network.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1).
    trainable : bool, default True
        False: frozen. Training leaves W and b as they are; ``alpha``, decay and ``max_norm`` leave them out.
    learning_rate_factor : float, default 1.0
        Above 0; the learning rate of W and b is this times the optimizer's.

    Raises
    ------
    ValueError, TypeError
        Units that are not a positive whole number, unknown names, numbers outside their range.

    Examples
    --------
    >>> Dense(30, "sigmoid")
    Dense(units=30, activation='sigmoid')
    """

    kind: ClassVar[int] = Kind.DENSE
    draws: ClassVar[bool] = True
    takes_lists: ClassVar[bool] = True

    units: int
    activation: str | None = None
    bias: bool = True
    init: str | Initializer | None = None
    slope: float | None = None
    trainable: bool = field(default=True, metadata=LATER)
    learning_rate_factor: float = field(default=1.0, metadata=LATER)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", check_size("units", self.units))
        if not isinstance(self.bias, (bool, np.bool_)):
            raise TypeError(f"bias must be True or False, got {self.bias!r}")
        if self.init is not None:
            make_initializer(self.init)
        self.check_activation()
        check_learning(self.trainable, self.learning_rate_factor)

    def width(self, n_in: int) -> int:
        """Its units."""
        return self.units

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """W and b."""
        weight = Parameter("weight", "weight", (n_in, n_out), True, self.learning_rate_factor)
        bias = Parameter("bias", "bias", (n_out,), False, self.learning_rate_factor)
        return (weight, bias) if self.bias else (weight,)

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """Drawn by its initialiser, or that of the network."""
        own = init if self.init is None else make_initializer(self.init)
        assert stream is not None
        if parameter.name == "weight":
            n_in, n_out = parameter.shape
            return own.weights(stream, n_in, n_out)
        return own.biases(stream, *parameter.shape)

    def n_multiplications(self, n_in: int, n_out: int) -> int:
        """Of x W."""
        return n_in * n_out

    def label(self) -> str:
        """Units and activation."""
        return f"{self.units} {self.activation_label}"

    def summary(self) -> str:
        """The same, and whether it is frozen."""
        return self.label() + ("" if self.trainable else " (frozen)")
