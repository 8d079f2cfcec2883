"""What the norms share: a gain and a shift for each column."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from fastmlp.model.initializers import Initializer
from fastmlp.model.layers.base import Layer, Parameter


class Norm(Layer):
    """Base class of the layers that scale to mean 0 and deviation 1, then apply ``gain * x + shift``."""

    shares_parameters: ClassVar[bool] = False

    learning_rate_factor: float

    @property
    def normalises(self) -> bool:
        """Yes."""
        return True

    def parameters(self, n_in: int, n_out: int) -> tuple[Parameter, ...]:
        """Gain and shift."""
        return (
            Parameter("gain", "gain", (n_out,), False, self.learning_rate_factor),
            Parameter("shift", "bias", (n_out,), False, self.learning_rate_factor),
        )

    def initial(self, parameter: Parameter, init: Initializer, stream: np.random.Generator | None) -> Any:
        """Gain 1, shift 0."""
        return 1.0 if parameter.name == "gain" else 0.0
