"""Activation functions by name: the code that the compiled core has for each, and what each needs.

``identity, sigmoid, tanh, relu, leaky_relu, elu, selu, softplus, silu, gelu, mish`` work in any layer;
``softmax`` and ``exp`` only in the last one. ``exp`` is e^40 for larger scores in float32 and e^350 in float64: the
square of a larger number would overflow. Names of other libraries, such as "linear" and "swish", are replaced by
these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.layers import activations as _core
from cnn_core.layers.activations import Activation
from fastmlp.checks.names import known_name


@dataclass(frozen=True)
class ActivationSpec:
    """One row of the table: the core's code, and what the function needs."""

    code: int
    needs_scores: bool = False
    """The derivative cannot be computed from the output alone."""
    output_only: bool = False
    """The function works only in the last layer."""
    slope: float = 0.0
    """Default of the function's parameter: slope below zero (leaky_relu), scale of the values below zero (elu)."""

    @property
    def takes_slope(self) -> bool:
        """Whether the function has a parameter."""
        return self.slope != 0.0


ACTIVATIONS: dict[str, ActivationSpec] = {
    "identity": ActivationSpec(Activation.IDENTITY),
    "sigmoid": ActivationSpec(Activation.SIGMOID),
    "tanh": ActivationSpec(Activation.TANH),
    "relu": ActivationSpec(Activation.RELU),
    "leaky_relu": ActivationSpec(Activation.LEAKY_RELU, slope=0.01),
    "elu": ActivationSpec(Activation.ELU, slope=1.0),
    "selu": ActivationSpec(Activation.SELU),
    "softplus": ActivationSpec(Activation.SOFTPLUS),
    "silu": ActivationSpec(Activation.SILU, needs_scores=True),
    "gelu": ActivationSpec(Activation.GELU, needs_scores=True),
    "mish": ActivationSpec(Activation.MISH, needs_scores=True),
    "softmax": ActivationSpec(Activation.SOFTMAX, output_only=True),
    "exp": ActivationSpec(Activation.EXP, output_only=True),
}

OF_LOSSES = {"increasing": ActivationSpec(Activation.INCREASING, needs_scores=True, output_only=True)}
"""Output activations that only one loss uses: ``increasing`` is that of several quantiles."""

SYNONYMS = {
    "linear": "identity",
    "none": "identity",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "swish": "silu",
    "leakyrelu": "leaky_relu",
    "lrelu": "leaky_relu",
    "exponential": "exp",
}
"""Names of the same functions in other libraries."""
OTHER_NAMES = {"prelu": "'relu' with parametric=True is that function"} | dict.fromkeys(
    ("celu", "glu", "hard_sigmoid", "hard_swish", "hard_tanh", "log_softmax", "relu6", "sine", "softsign", "swiglu"), ""
)
"""Names of functions that are not in the table, and what to use."""


def activation_name(name: object, argument: str = "activation") -> str:
    """The name as the table has it, from there or a synonym; ``ValueError`` suggests the nearest one if it is unknown.

    >>> activation_name("swish")
    'silu'
    """
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be a name, got {type(name).__name__}")
    return name if name in OF_LOSSES else known_name(argument, name, ACTIVATIONS, SYNONYMS, OTHER_NAMES)


def activation_spec(name: object, argument: str = "activation") -> ActivationSpec:
    """The row of the table for a name; errors as in `activation_name`."""
    name = activation_name(name, argument)
    return OF_LOSSES[name] if name in OF_LOSSES else ACTIVATIONS[name]


def check_slope(slope: float, name: str | None) -> None:
    """Raise ``ValueError`` if the activation of this name, or identity for None, has no slope."""
    if not activation_spec(name or "identity").takes_slope:
        takers = " or ".join(f"activation={each!r}" for each, spec in ACTIVATIONS.items() if spec.takes_slope)
        raise ValueError(f"slope={slope!r} needs {takers}, got {name!r}")


def _curve(name: str, z: ArrayLike) -> tuple[ActivationSpec, NDArray[np.float64]]:
    spec = activation_spec(name, "name")
    if spec.code in (Activation.SOFTMAX, Activation.INCREASING):
        raise ValueError(f"name must be a function of one number, got {name!r}, which is a function of a whole row")
    values = np.array(z, dtype=np.float64, order="C")
    if not np.isfinite(values).all():
        raise ValueError("z must be finite, got NaN or infinity")
    return spec, values


def activate(name: str, z: ArrayLike) -> NDArray[np.float64]:
    """Compute f(z) element by element, with the compiled core, in float64.

    Parameters
    ----------
    name : str
        Any activation except ``softmax`` and ``increasing``.
    z : array_like
        Finite numbers, of any shape.

    Returns
    -------
    ndarray of float64, shape of z

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If ``name`` is unknown, ``softmax`` or ``increasing``, or if ``z`` contains NaN or infinity.

    Examples
    --------
    >>> activate("relu", [-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    spec, values = _curve(name, z)
    _core.evaluate(spec.code, values.reshape(-1), spec.slope)
    return values


def derivative(name: str, z: ArrayLike) -> NDArray[np.float64]:
    """Compute the derivative f'(z) element by element, with the compiled core, in float64.

    Parameters
    ----------
    name : str
        Any activation except ``softmax`` and ``increasing``.
    z : array_like
        Finite numbers, of any shape.

    Returns
    -------
    ndarray of float64, shape of z
        At a kink, the slope from the left.

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If ``name`` is unknown, ``softmax`` or ``increasing``, or if ``z`` contains NaN or infinity.

    Examples
    --------
    >>> derivative("sigmoid", [0.0])
    array([0.25])
    """
    spec, values = _curve(name, z)
    out = np.empty_like(values)
    if values.size:
        _core.derivative(spec.code, values.reshape(-1), out.reshape(-1), spec.slope)
    return out
