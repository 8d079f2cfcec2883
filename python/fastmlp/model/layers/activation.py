"""Activations: the end of a dense layer, a layer of their own, and the parametric form, which learns.

A parametric activation learns a number a for each unit, the share of f in

    y = x + a (f(x) - x)        a = 1: f, the initial value; a = 0: identity

In the core it is a separate layer. Sources: He et al., "Delving deep into rectifiers", ICCV 2015, with relu (their
slope below zero is 1 - a); Holzmueller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024, for any f.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from cnn_core.types import Kind
from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_value
from fastmlp.model.activations import ActivationSpec, activation_name, activation_spec, check_slope
from fastmlp.model.fields import LATER
from fastmlp.model.initializers import Initializer
from fastmlp.model.layers.base import Layer, Parameter, check_learning


class HasActivation(Layer):
    """The fields that every layer with an activation has, in an order of its own."""

    activation: str | None
    slope: float | None


@dataclass(frozen=True, repr=False)
class Activated(HasActivation):
    """Base class of the layers with an activation."""

    ends_networks: ClassVar[bool] = True

    parametric: bool = field(default=False, kw_only=True, metadata=LATER)
    parametric_learning_rate_factor: float = field(default=1.0, kw_only=True, metadata=LATER)

    @property
    def activation_name(self) -> str | None:
        """The name that the user gave, or None."""
        return self.activation

    @property
    def activation_label(self) -> str:
        """A few words, for a line that shows a network."""
        return ("parametric " if self.parametric else "") + (self.activation or "identity")

    @property
    def spec(self) -> ActivationSpec:
        """The activation's row in the table."""
        return activation_spec(self.activation or "identity")

    def row(self) -> dict[str, Any]:
        """The activation's code and parameter."""
        return {"activation": self.spec.code, "slope": self.spec.slope if self.slope is None else self.slope}

    @property
    def needs_scores(self) -> bool:
        """Whether the derivative needs more than the output."""
        return self.spec.needs_scores

    def stages(self) -> tuple[Layer, ...]:
        """The layer itself; a parametric activation is a separate stage after it."""
        return (*self.before_activation(), self.learned_activation()) if self.parametric else (self,)

    def before_activation(self) -> tuple[Layer, ...]:
        """The layer without its activation."""
        plain: dict[str, Any] = {"activation": None, "slope": None}
        return (replace(self, **plain, parametric=False, parametric_learning_rate_factor=1.0),)

    def learned_activation(self) -> Parametric:
        """The parametric activation alone."""
        factor = self.parametric_learning_rate_factor
        return Parametric(self.activation or "identity", self.slope, not self.is_frozen, factor)

    def check_place(self, is_last: bool) -> None:
        """Some activations work only in the last layer, and parametric ones only in hidden layers."""
        if self.slope is not None:
            check_slope(self.slope, self.activation)
        if self.spec.output_only and not is_last:
            raise ValueError(f"activation={self.activation!r} works only in the output layer")
        if self.parametric and is_last:
            raise ValueError(
                "parametric=True works only in hidden layers: the loss needs a fixed activation of the last layer"
            )

    def with_activation(self, name: str) -> Layer:
        """The same layer with another activation."""
        changed: dict[str, Any] = {"activation": name}
        return replace(self, **changed)

    @classmethod
    def from_saved(cls, fields: Mapping[str, Any], unnamed: str) -> Layer:
        """As `Layer.from_saved`; without a slope that has no effect, which older versions took and wrote."""
        kept, name = dict(fields), fields.get("activation") or unnamed
        if kept.get("slope") is not None and not activation_spec(name).takes_slope:
            check_value("slope", kept.pop("slope"), low=0.0, schedule=False)
        return cls(**kept)

    def check_activation(self) -> None:
        """Raise ``TypeError`` or ``ValueError`` if a field is invalid."""
        if self.activation is not None:
            object.__setattr__(self, "activation", activation_name(self.activation))
        if self.slope is not None:
            check_value("slope", self.slope, low=0.0, schedule=False)
            if self.activation is not None:  # else the network may give the last layer one
                check_slope(self.slope, self.activation)
        if not isinstance(self.parametric, (bool, np.bool_)):
            raise TypeError(f"parametric must be True or False, got {shown(self.parametric)}")
        factor = self.parametric_learning_rate_factor
        check_value("parametric_learning_rate_factor", factor, low=0.0, low_open=True, schedule=False)
        if factor != 1.0 and not self.parametric:
            raise ValueError(f"parametric_learning_rate_factor={shown(factor)} needs parametric=True")


@dataclass(frozen=True, repr=False)
class Activation(Activated):
    """An activation ``y = f(x)`` as a layer of its own, for instance after `BatchNorm`.

    Parameters
    ----------
    activation : str
        Name of f, from `fastmlp.model.activations`.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1), at least 0.
    trainable : bool, default True
        False freezes a parametric activation: training does not change it.
    parametric : bool, default False
        Learn a number a for each unit, 1 at the start, and apply ``x + a (f(x) - x)`` instead of f. For hidden layers
        only.
    parametric_learning_rate_factor : float, default 1.0
        Multiplies the optimizer's learning rate for a, which does not decay. Above 0. Needs ``parametric=True``.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If the name is unknown, a number is out of range, ``slope`` is set for another function, or
        ``trainable=False`` or ``parametric_learning_rate_factor`` without ``parametric=True``.

    Notes
    -----
    Sources: He et al., ICCV 2015 (with relu: PReLU); Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024, who use a
    factor of 0.1.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Activation("relu")
    Activation(activation='relu', slope=None)
    >>> fm.Activation("mish", parametric=True)
    Activation(activation='mish', slope=None, parametric=True)
    """

    kind: ClassVar[int] = Kind.ACTIVATION
    always_shown: ClassVar[tuple[str, ...]] = ("slope",)

    activation: str
    slope: float | None = None
    trainable: bool = field(default=True, kw_only=True, metadata=LATER)

    def __post_init__(self) -> None:
        activation_name(self.activation)
        self.check_activation()
        check_learning(self.trainable, 1.0)
        if not (self.trainable or self.parametric):
            raise ValueError("trainable=False needs parametric=True: no other activation learns")

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The share of f in a parametric activation; else nothing."""
        return self.learned_activation().parameters(n_in, n_out) if self.parametric else ()

    def before_activation(self) -> tuple[Layer, ...]:
        """Nothing."""
        return ()

    def label(self) -> str:
        """The activation."""
        return self.activation_label


@dataclass(frozen=True, repr=False)
class Parametric(Layer):
    """The core's layer for a parametric activation."""

    kind: ClassVar[int] = Kind.PARAMETRIC

    activation: str
    slope: float | None
    trainable: bool
    learning_rate_factor: float

    @property
    def needs_scores(self) -> bool:
        """The forward pass keeps f(x)."""
        return True

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The share of f, for each unit."""
        return (Parameter("blend", "gain", (n_out,), False, self.learning_rate_factor),)

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """A share of 1: f itself."""
        return 1.0

    def row(self) -> dict[str, Any]:
        """The code and parameter of f."""
        spec = activation_spec(self.activation)
        return {"curve": spec.code, "slope": spec.slope if self.slope is None else self.slope}
