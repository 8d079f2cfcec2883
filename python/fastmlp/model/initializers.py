"""Initial weights: a distribution for each name, drawn from the network's own generator.

Fan-scaled ones (n_in, n_out: inputs and outputs of the layer) start biases at 0. ``normal`` and ``uniform`` draw the
biases from the same distribution as the weights.

Sources: glorot, Glorot and Bengio, AISTATS 2010; he, He et al., ICCV 2015; lecun, LeCun et al., "Efficient BackProp",
1998.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import unknown_name
from fastmlp.checks.values import check_value


@dataclass(frozen=True)
class Normal:
    """Weights and biases from N(0, std^2); the name ``"normal"`` is ``Normal(1.0)``."""

    std: float = 1.0

    def __post_init__(self) -> None:
        check_value("std", self.std, low=0.0, schedule=False)

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """(n_in, n_out) numbers."""
        return rng.normal(0.0, self.std, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """(n_out,) numbers."""
        return rng.normal(0.0, self.std, n_out)


@dataclass(frozen=True)
class Uniform:
    """Weights and biases evenly from [low, high); the name ``"uniform"`` is ``Uniform(-1.0, 1.0)``."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_value("low", self.low, schedule=False)
        check_value("high", self.high, schedule=False)
        if self.low > self.high:
            raise ValueError(f"low must not exceed high, got low={self.low} and high={self.high}")
        check_value("high - low", self.high - self.low, schedule=False)

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """(n_in, n_out) numbers."""
        return rng.uniform(self.low, self.high, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """(n_out,) numbers."""
        return rng.uniform(self.low, self.high, n_out)


@dataclass(frozen=True)
class FanScaled:
    """Weights of variance ``gain / n_in``, or over the mean of n_in and n_out, normal or uniform; biases 0."""

    gain: float
    both_fans: bool
    uniform: bool

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """(n_in, n_out) numbers."""
        std = math.sqrt(self.gain / ((n_in + n_out) / 2 if self.both_fans else n_in))
        if self.uniform:
            limit = math.sqrt(3.0) * std
            return rng.uniform(-limit, limit, (n_in, n_out))
        return rng.normal(0.0, std, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """(n_out,) zeros."""
        return np.zeros(n_out)


Initializer: TypeAlias = Normal | Uniform | FanScaled

INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": FanScaled(1.0, both_fans=True, uniform=True),
    "glorot_normal": FanScaled(1.0, both_fans=True, uniform=False),
    "he_uniform": FanScaled(2.0, both_fans=False, uniform=True),
    "he_normal": FanScaled(2.0, both_fans=False, uniform=False),
    "lecun_normal": FanScaled(1.0, both_fans=False, uniform=False),
    "normal": Normal(),
    "uniform": Uniform(),
    "zeros": Normal(0.0),
}


def make_initializer(init: str | Initializer, argument: str = "init") -> Initializer:
    """An initializer from a name or an initializer."""
    if isinstance(init, str):
        if init not in INITIALIZERS:
            raise unknown_name(argument, init, INITIALIZERS)
        return INITIALIZERS[init]
    if not isinstance(init, (Normal, Uniform, FanScaled)):
        raise TypeError(f"{argument} must be a name, Normal or Uniform, got {type(init).__name__}")
    return init
