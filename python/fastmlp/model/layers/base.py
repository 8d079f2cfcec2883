"""The questions that each kind of layer answers, so that no other module needs to know the kind.

A layer is a frozen description of what the user asked for, without any state. `model.layout` sums up the answers. A new
kind is a new file in this folder, and one in the core's folder of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import Value, check_value
from fastmlp.model.fields import fields_to_save
from fastmlp.model.initializers import Initializer


class Parameter(NamedTuple):
    """One array that a layer learns.

    Attributes
    ----------
    name : str
        Its name in files, after the layer's index.
    column : {"weight", "bias", "gain"}
        Column of the core's table for its offset.
    shape : tuple of int
    decays : bool
        Whether weight decay and the L2 penalty apply.
    learning_rate_factor : float
        Multiplies the optimizer's learning rate.
    """

    name: str
    column: str
    shape: tuple[int, ...]
    decays: bool
    learning_rate_factor: float


@dataclass(frozen=True, repr=False)
class Layer(HasParams):
    """Base class of all layers. Its answers are those of a layer that learns nothing and keeps the width."""

    kind: ClassVar[int]
    """The core's code for this kind."""
    always_shown: ClassVar[tuple[str, ...]] = ()
    """Fields that the repr shows even if they have the default value."""
    draws: ClassVar[bool] = False
    """The initial values are random: the layer has its own random stream."""
    ends_networks: ClassVar[bool] = False
    """The layer has an activation, so it may be the last one."""
    takes_lists: ClassVar[bool] = False
    """As the first layer, it can take its inputs as lists of nonzero numbers."""
    shares_parameters: ClassVar[bool] = True
    """Threads can divide up its parameters instead of the rows of a batch."""
    uses_batch: ClassVar[bool] = False
    """In training, the outputs of a row depend on the other rows of the batch."""
    is_random: ClassVar[bool] = False
    """In training, the outputs are random; otherwise the layer does nothing."""
    statistics: ClassVar[dict[str, float]] = {}
    """Running statistics of each output, with their initial values."""
    n_statistics: ClassVar[int] = 0
    """Numbers that the core keeps for each output; the running statistics come first."""

    @property
    def is_frozen(self) -> bool:
        """Whether training does not change its parameters."""
        return not getattr(self, "trainable", True)

    @property
    def normalises(self) -> bool:
        """Whether the scale of the inputs does not matter."""
        return False

    @property
    def activation_name(self) -> str | None:
        """Name of its activation. None means identity or, in the last layer, the default of the loss."""
        return None

    @property
    def dropout_rate(self) -> Value:
        """Share of the units that dropout sets to 0 in training."""
        return 0.0

    def width(self, n_in: int) -> int:
        """Number of outputs, from the number of inputs."""
        return n_in

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """The arrays that the layer learns."""
        return ()

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """Initial value of a parameter; ``init`` is the network's initialiser, ``stream`` the layer's own generator."""
        raise TypeError(f"{type(self).__name__} must define initial()")

    def row(self) -> dict[str, Any]:
        """The layer's own numbers in its row of the core's table."""
        return {}

    def constants(self) -> Any:
        """Numbers that the core reads and that nothing changes, in an order of the kind's own."""
        return ()

    def n_multiplications(self, n_in: int, n_out: int) -> int:
        """Multiplications in its matrix product, for each row of inputs."""
        return 0

    @property
    def needs_scores(self) -> bool:
        """Whether the forward pass keeps one more number for each output, for the backward pass."""
        return False

    def stages(self) -> tuple[Layer, ...]:
        """The layers that the core uses for it, one row of the table each."""
        return (self,)

    def check_place(self, is_last: bool) -> None:
        """Raise ``ValueError`` if the layer cannot be in this place of a network."""

    def with_activation(self, name: str) -> Layer:
        """The same layer as the last one of a network, with this activation."""
        return self

    def with_trainable(self, trainable: bool) -> Layer:
        """The same layer, frozen or not; one that never learns stays as it is."""
        return replace(self, **{"trainable": trainable}) if hasattr(self, "trainable") else self

    @property
    def has_parameters(self) -> bool:
        """Whether there is anything to learn."""
        return bool(self.parameters(1, 1))

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The dropout rates (n,) at an array of steps."""
        return np.zeros(steps.shape)

    def label(self) -> str:
        """A word or two, for a line that shows a network."""
        return type(self).__name__

    def summary(self) -> str:
        """Its part of the repr of a network."""
        return repr(self)

    def to_dict(self) -> dict[str, Any]:
        """Its fields by name, for a file."""
        return fields_to_save(self)

    @classmethod
    def from_saved(cls, fields: Mapping[str, Any], unnamed: str) -> Layer:
        """A layer from the fields in a file; ``unnamed`` is its activation if they name none."""
        return cls(**fields)

    def __repr__(self) -> str:
        chosen = [
            each
            for each in sorted(fields(self), key=lambda each: each.kw_only is True)
            if each.name in self.always_shown or each.default is MISSING or getattr(self, each.name) != each.default
        ]
        return f"{type(self).__name__}({', '.join(f'{each.name}={getattr(self, each.name)!r}' for each in chosen)})"


def check_learning(trainable: object, learning_rate_factor: object) -> None:
    """Check the two settings that all layers with parameters have."""
    if not isinstance(trainable, (bool, np.bool_)):
        raise TypeError(f"trainable must be True or False, got {shown(trainable)}")
    check_value("learning_rate_factor", learning_rate_factor, low=0.0, low_open=True, schedule=False)
