"""Dense layers: every output depends on every input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cnn_core.types import Kind
from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.model.fields import LATER
from fastmlp.model.initializers import Initializer, initializer_name, make_initializer
from fastmlp.model.layers.activation import Activated
from fastmlp.model.layers.base import Parameter, check_learning


@dataclass(frozen=True, repr=False)
class Dense(Activated):
    """Dense layer ``y = f(x W + b)`` with weights W (n_in, units) and biases b (units,).

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, optional
        Name of f, from `fastmlp.model.activations`. Default: identity or, in the last layer, the default of the loss.
    bias : bool, default True
        Whether the layer has biases.
    init : str, Normal or Uniform, optional
        Initial weights. Default: ``init`` of the network.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1), at least 0.
    trainable : bool, default True
        False freezes the layer: training does not change W and b, and ``alpha``, weight decay and ``max_norm`` ignore
        them.
    learning_rate_factor : float, default 1.0
        Multiplies the optimizer's learning rate for W and b. Above 0.
    parametric : bool, default False
        Learn a number a for each unit, 1 at the start, and apply ``x + a (f(x) - x)`` instead of f; see `Activation`.
        For hidden layers only.
    parametric_learning_rate_factor : float, default 1.0
        Multiplies the optimizer's learning rate for a. Above 0. Needs ``parametric=True``.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If ``units`` is not positive, a name is unknown, a number is out of range, or ``slope`` is set for another
        function.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Dense(30, "sigmoid")
    Dense(units=30, activation='sigmoid')
    >>> fm.Network([fm.Input(4), fm.Dense(8, "tanh", init="normal"), fm.Dense(1)]).n_params
    49
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
            raise TypeError(f"bias must be True or False, got {shown(self.bias)}")
        if isinstance(self.init, str):
            object.__setattr__(self, "init", initializer_name(self.init))
        elif self.init is not None:
            make_initializer(self.init)
        self.check_activation()
        check_learning(self.trainable, self.learning_rate_factor)

    def width(self, n_in: int) -> int:
        """The units."""
        return self.units

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """W and b."""
        weight = Parameter("weight", "weight", (n_in, n_out), True, self.learning_rate_factor)
        bias = Parameter("bias", "bias", (n_out,), False, self.learning_rate_factor)
        return (weight, bias) if self.bias else (weight,)

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """Draw from the layer's initialiser, or the network's."""
        own = init if self.init is None else make_initializer(self.init)
        assert stream is not None
        if parameter.name == "weight":
            n_in, n_out = parameter.shape
            return own.weights(stream, n_in, n_out)
        return own.biases(stream, *parameter.shape)

    def n_multiplications(self, n_in: int, n_out: int) -> int:
        """Multiplications in x W."""
        return n_in * n_out

    def label(self) -> str:
        """Units and activation."""
        return f"{self.units} {self.activation_label}"

    def summary(self) -> str:
        """Units and activation, and whether the layer is frozen."""
        return self.label() + ("" if self.trainable else " (frozen)")
