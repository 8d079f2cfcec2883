"""What every kind of layer answers for itself, so that nobody asks what kind it is.

A layer is a frozen description of what the user wrote down, without any state. `model.layout` adds up what the layers
answer; a new kind is a new file in this folder and in the core's folder of the same name.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.values import Value, check_value
from fastmlp.model.initializers import Initializer


class Parameter(NamedTuple):
    """One array that a layer learns.

    Attributes
    ----------
    name : str
        In files, after the layer's number.
    column : {"weight", "bias", "gain"}
        Of the core's table, where its offset goes.
    shape : tuple of int
    decays : bool
        Whether it takes part in weight decay and the L2 penalty.
    learning_rate_factor : float
    """

    name: str
    column: str
    shape: tuple[int, ...]
    decays: bool
    learning_rate_factor: float


LATER = {"later": True}
"""Metadata of a field that files hold only where it was chosen: files from before it can still be read."""


@dataclass(frozen=True, repr=False)
class Layer:
    """Base of all layers. The answers here are those of a layer that learns nothing and keeps the width."""

    kind: ClassVar[int]
    """The core's code."""
    always_shown: ClassVar[tuple[str, ...]] = ()
    """Fields that the repr has even where they are the defaults."""
    draws: ClassVar[bool] = False
    """Its initial values are random: it has a stream of its own."""
    ends_networks: ClassVar[bool] = False
    """It has an activation, so that it may be the last layer."""
    takes_lists: ClassVar[bool] = False
    """As the first layer it can take lists of nonzero numbers."""
    shares_parameters: ClassVar[bool] = True
    """Threads may share its parameters instead of the rows of a batch."""
    uses_batch: ClassVar[bool] = False
    """In training a row's outputs depend on the other rows of the batch."""
    is_random: ClassVar[bool] = False
    """In training the outputs are random; otherwise it does nothing."""
    normalises: ClassVar[bool] = False
    """The scale of its inputs doesn't matter."""
    statistics: ClassVar[dict[str, float]] = {}
    """Running statistics of each output, and what they begin with."""
    n_statistics: ClassVar[int] = 0
    """Numbers for each output that the core keeps, the running statistics first."""

    @property
    def is_frozen(self) -> bool:
        """Whether training leaves its parameters as they are."""
        return not getattr(self, "trainable", True)

    @property
    def activation_name(self) -> str | None:
        """Of its activation; None: identity, or at the end of a network what its loss asks for."""
        return None

    @property
    def dropout_rate(self) -> Value:
        """Share of the units that training drops."""
        return 0.0

    def width(self, n_in: int) -> int:
        """Columns of its outputs."""
        return n_in

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The arrays that it learns."""
        return ()

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """What a parameter begins with; ``init`` is the network's initialiser, ``stream`` the layer's own generator."""
        raise TypeError(f"{type(self).__name__} must define initial()")

    def row(self) -> dict[str, Any]:
        """Its own numbers in its row of the core's table."""
        return {}

    def n_multiplications(self, n_in: int, n_out: int) -> int:
        """Of its matrix product, for each row."""
        return 0

    @property
    def needs_scores(self) -> bool:
        """Whether the core keeps one more number for each output, on the way forward for the way back."""
        return False

    def stages(self) -> tuple[Layer, ...]:
        """The layers that the core has for it, one row of the table each."""
        return (self,)

    def check_place(self, is_last: bool) -> None:
        """Raise ``ValueError`` where it can't be in a network."""

    def with_activation(self, name: str) -> Layer:
        """As the last layer of a network, whose output has this activation."""
        return self

    def with_trainable(self, trainable: bool) -> Layer:
        """Frozen or not."""
        return replace(self, **{"trainable": trainable})

    @property
    def has_parameters(self) -> bool:
        """Whether there is something to learn."""
        return bool(self.parameters(1, 1))

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The dropout rates (n,) at an array of steps."""
        return np.zeros(steps.shape)

    def label(self) -> str:
        """In a word or two, for a line that shows a network."""
        return type(self).__name__

    def summary(self) -> str:
        """In the repr of a network."""
        return repr(self)

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name, for a file."""
        described = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if not each.metadata.get("later") or value != each.default:
                described[each.name] = value
        return described

    @classmethod
    def expected_fields(cls, given: Container[str]) -> list[str]:
        """The names that a file must have: all that are in every version, and of the later ones those it gives."""
        return [each.name for each in fields(cls) if each.name in given or not each.metadata.get("later")]

    def __repr__(self) -> str:
        chosen = [
            each
            for each in sorted(fields(self), key=lambda each: each.kw_only is True)
            if each.name in self.always_shown or each.default is MISSING or getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(f'{each.name}={getattr(self, each.name)!r}' for each in chosen)})"


def check_learning(trainable: object, learning_rate_factor: object) -> None:
    """The two settings of every layer that learns."""
    if not isinstance(trainable, (bool, np.bool_)):
        raise TypeError(f"trainable must be True or False, got {trainable!r}")
    check_value("learning_rate_factor", learning_rate_factor, low=0.0, low_open=True, schedule=False)
