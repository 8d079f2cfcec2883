"""Activations: what a dense layer ends with, the layer that is nothing else, and the form that learns.

A parametric activation has one learned number for each unit, the share a of f in

    y = x + a (f(x) - x)        a = 1: f, as at the start; a = 0: the identity

The core has it as a layer of its own. Sources: He et al., "Delving deep into rectifiers", ICCV 2015, with relu (their
slope below zero is 1 - a); Holzmueller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024, for any f.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.activations import ActivationSpec, activation_spec
from fastmlp.model.initializers import Initializer
from fastmlp.model.layers.base import LATER, Layer, Parameter, check_learning


class HasActivation(Layer):
    """The fields that every layer with an activation has, each where it wants them."""

    activation: str | None
    slope: float | None


@dataclass(frozen=True, repr=False)
class Activated(HasActivation):
    """Base of the layers with an activation."""

    ends_networks: ClassVar[bool] = True

    parametric: bool = field(default=False, kw_only=True, metadata=LATER)
    parametric_learning_rate_factor: float = field(default=1.0, kw_only=True, metadata=LATER)

    @property
    def activation_name(self) -> str | None:
        """As the user gave it."""
        return self.activation

    @property
    def activation_label(self) -> str:
        """For a line that shows a network."""
        return ("parametric " if self.parametric else "") + (self.activation or "identity")

    @property
    def spec(self) -> ActivationSpec:
        """The row of its activation in the table."""
        return activation_spec(self.activation or "identity")

    def row(self) -> dict[str, Any]:
        """The activation's code and parameter."""
        return {"activation": self.spec.code, "slope": self.spec.slope if self.slope is None else self.slope}

    @property
    def needs_scores(self) -> bool:
        """Where the derivative can't be had from the output."""
        return self.spec.needs_scores

    def stages(self) -> tuple[Layer, ...]:
        """A parametric activation is a stage of its own."""
        return (*self.before_activation(), self.learned_activation()) if self.parametric else (self,)

    def before_activation(self) -> tuple[Layer, ...]:
        """The layer without its activation."""
        plain: dict[str, Any] = {"activation": None, "slope": None}
        return (replace(self, **plain, parametric=False, parametric_learning_rate_factor=1.0),)

    def learned_activation(self) -> Parametric:
        """Its activation alone."""
        factor = self.parametric_learning_rate_factor
        return Parametric(self.activation or "identity", self.slope, not self.is_frozen, factor)

    def check_place(self, is_last: bool) -> None:
        """Some activations are for the output only, and none of the output's is learned."""
        if self.spec.output_only and not is_last:
            raise ValueError(f"activation={self.activation!r} may only be that of the network's output")
        if self.parametric and is_last:
            raise ValueError("parametric=True is for hidden layers: the last layer's activation belongs to the loss")

    def with_activation(self, name: str) -> Layer:
        """Another activation."""
        changed: dict[str, Any] = {"activation": name}
        return replace(self, **changed)

    def check_activation(self) -> None:
        """``ValueError`` or ``TypeError`` for fields that don't fit."""
        if self.activation is not None:
            activation_spec(self.activation)
        if self.slope is not None:
            check_value("slope", self.slope, low=0.0, schedule=False)
        if not isinstance(self.parametric, (bool, np.bool_)):
            raise TypeError(f"parametric must be True or False, got {self.parametric!r}")
        factor = self.parametric_learning_rate_factor
        check_value("parametric_learning_rate_factor", factor, low=0.0, low_open=True, schedule=False)
        if factor != 1.0 and not self.parametric:
            raise ValueError(f"parametric_learning_rate_factor={factor!r} needs parametric=True")


@dataclass(frozen=True, repr=False)
class Activation(Activated):
    """``y = f(x)`` by itself, for instance after a `BatchNorm`.

    Parameters
    ----------
    activation : str
        A name of `fastmlp.model.activations`.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1).
    trainable : bool, default True
        False: frozen. Training leaves what a parametric activation has learned as it is.
    parametric : bool, default False
        True: ``y = x + a (f(x) - x)`` with a learned number a for each unit, 1 at the start. For hidden layers.
    parametric_learning_rate_factor : float, default 1.0
        Above 0; the learning rate of a is this times the optimizer's. a doesn't decay.

    Raises
    ------
    ValueError, TypeError
        An unknown name, a slope below 0, settings of a parametric activation without ``parametric``.

    Notes
    -----
    Sources: He et al., ICCV 2015 (with relu: PReLU); Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024, who use a
    factor of 0.1.

    Examples
    --------
    >>> Activation("relu")
    Activation(activation='relu', slope=None)
    >>> Activation("mish", parametric=True)
    Activation(activation='mish', slope=None, parametric=True)
    """

    kind: ClassVar[int] = Kind.ACTIVATION
    always_shown: ClassVar[tuple[str, ...]] = ("slope",)

    activation: str
    slope: float | None = None
    trainable: bool = field(default=True, kw_only=True, metadata=LATER)

    def __post_init__(self) -> None:
        activation_spec(self.activation)
        self.check_activation()
        check_learning(self.trainable, 1.0)
        if not (self.trainable or self.parametric):
            raise ValueError("trainable=False needs parametric=True: nothing else of an Activation learns")

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """None but those of a parametric activation."""
        return self.learned_activation().parameters(n_in, n_out) if self.parametric else ()

    def before_activation(self) -> tuple[Layer, ...]:
        """Nothing."""
        return ()

    def label(self) -> str:
        """The activation."""
        return self.activation_label


@dataclass(frozen=True, repr=False)
class Parametric(Layer):
    """The stage of a parametric activation: the core's layer for it."""

    kind: ClassVar[int] = Kind.PARAMETRIC

    activation: str
    slope: float | None
    trainable: bool
    learning_rate_factor: float

    @property
    def needs_scores(self) -> bool:
        """f(x) is kept."""
        return True

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The share of f."""
        return (Parameter("blend", "gain", (n_out,), False, self.learning_rate_factor),)

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """Nothing but f."""
        return 1.0

    def row(self) -> dict[str, Any]:
        """Code and parameter of f."""
        spec = activation_spec(self.activation)
        return {"curve": spec.code, "slope": spec.slope if self.slope is None else self.slope}
