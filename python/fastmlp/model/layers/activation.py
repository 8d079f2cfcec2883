"""Activations: what a dense layer ends with, and the layer that is nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.activations import ActivationSpec, activation_spec
from fastmlp.model.layers.base import Layer


class HasActivation(Layer):
    """The fields that every layer with an activation has, each where it wants them."""

    activation: str | None
    slope: float | None


@dataclass(frozen=True, repr=False)
class Activated(HasActivation):
    """Base of the layers with an activation."""

    ends_networks: ClassVar[bool] = True

    @property
    def activation_name(self) -> str | None:
        """As the user gave it."""
        return self.activation

    @property
    def activation_label(self) -> str:
        """For a line that shows a network."""
        return self.activation or "identity"

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

    def check_place(self, is_last: bool) -> None:
        """Some activations are for the output only."""
        if self.spec.output_only and not is_last:
            raise ValueError(f"activation={self.activation!r} may only be that of the network's output")

    def with_activation(self, name: str) -> Layer:
        """Another activation."""
        return replace(self, **{"activation": name})

    def check_activation(self) -> None:
        """``ValueError`` or ``TypeError`` for fields that don't fit."""
        if self.activation is not None:
            activation_spec(self.activation)
        if self.slope is not None:
            check_value("slope", self.slope, low=0.0, schedule=False)


@dataclass(frozen=True, repr=False)
class Activation(Activated):
    """``y = f(x)`` by itself, for instance after a `BatchNorm`.

    Parameters
    ----------
    activation : str
        A name of `fastmlp.model.activations`.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1).

    Raises
    ------
    ValueError, TypeError
        An unknown name, a slope below 0.

    Examples
    --------
    >>> Activation("relu")
    Activation(activation='relu', slope=None)
    """

    kind: ClassVar[int] = Kind.ACTIVATION
    always_shown: ClassVar[tuple[str, ...]] = ("slope",)

    activation: str
    slope: float | None = None

    def __post_init__(self) -> None:
        activation_spec(self.activation)
        self.check_activation()

    def label(self) -> str:
        """The activation."""
        return self.activation_label
