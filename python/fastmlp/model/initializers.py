"""Initial weights: a distribution for each name. The network's own generator draws from it.

The glorot, he and lecun ones scale with the inputs n_in and outputs n_out of the layer, and set the biases to 0.
``normal`` and ``uniform`` draw the biases from the same distribution as the weights. "xavier_..." and "kaiming_..." are
replaced by "glorot_..." and "he_...".

Sources: glorot, Glorot and Bengio, AISTATS 2010; he, He et al., ICCV 2015; lecun, LeCun et al., "Efficient BackProp",
1998.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.names import known_name
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import check_value


@dataclass(frozen=True)
class Normal(HasParams):
    """Initial weights and biases from the normal distribution N(0, std^2).

    Parameters
    ----------
    std : float, default 1.0
        Standard deviation, at least 0. The name ``"normal"`` means ``Normal(1.0)``.

    Raises
    ------
    TypeError, ValueError
        If ``std`` is not a finite number or is negative.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([4, 8, 1], init=fm.Normal(0.01), seed=0)
    >>> bool(abs(net.params).max() < 0.1)
    True
    """

    std: float = 1.0

    def __post_init__(self) -> None:
        check_value("std", self.std, low=0.0, schedule=False)

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """Draw the weights (n_in, n_out)."""
        return rng.normal(0.0, self.std, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """Draw the biases (n_out,)."""
        return rng.normal(0.0, self.std, n_out)


@dataclass(frozen=True)
class Uniform(HasParams):
    """Initial weights and biases from the uniform distribution on [low, high).

    Parameters
    ----------
    low : float, default -1.0
        Lower limit.
    high : float, default 1.0
        Upper limit, at least ``low``. The name ``"uniform"`` means ``Uniform(-1.0, 1.0)``.

    Raises
    ------
    TypeError, ValueError
        If a limit or ``high - low`` is not a finite number, or ``low`` exceeds ``high``.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([4, 8, 1], init=fm.Uniform(-0.5, 0.5), seed=0)
    >>> bool(abs(net.params).max() <= 0.5)
    True
    """

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_value("low", self.low, schedule=False)
        check_value("high", self.high, schedule=False)
        if self.low > self.high:
            raise ValueError(f"low must not exceed high, got low={self.low} and high={self.high}")
        check_value("high - low", self.high - self.low, schedule=False)

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """Draw the weights (n_in, n_out)."""
        return rng.uniform(self.low, self.high, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """Draw the biases (n_out,)."""
        return rng.uniform(self.low, self.high, n_out)


@dataclass(frozen=True)
class FanScaled:
    """Normal or uniform weights with variance ``gain / n_in`` or, with both fans, ``gain / mean(n_in, n_out)``."""

    gain: float
    both_fans: bool
    uniform: bool

    def weights(self, rng: np.random.Generator, n_in: int, n_out: int) -> NDArray[np.float64]:
        """Draw the weights (n_in, n_out)."""
        std = math.sqrt(self.gain / ((n_in + n_out) / 2 if self.both_fans else n_in))
        if self.uniform:
            limit = math.sqrt(3.0) * std
            return rng.uniform(-limit, limit, (n_in, n_out))
        return rng.normal(0.0, std, (n_in, n_out))

    def biases(self, rng: np.random.Generator, n_out: int) -> NDArray[np.float64]:
        """The biases (n_out,), all 0."""
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

SYNONYMS = {
    "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "zero": "zeros",
}
"""Names of the same distributions in other libraries."""
OTHER_NAMES = (
    dict.fromkeys(("glorot", "xavier"), "did you mean 'glorot_uniform' or 'glorot_normal'")
    | dict.fromkeys(("he", "kaiming"), "did you mean 'he_uniform' or 'he_normal'")
    | {"lecun": "did you mean 'lecun_normal'", "lecun_uniform": "'lecun_normal' has the same variance"}
    | dict.fromkeys(("random_normal", "truncated_normal", "gaussian"), "use Normal with a standard deviation")
    | {"random_uniform": "use Uniform with its limits", "ones": "", "orthogonal": "", "constant": ""}
)
"""Names that mean several distributions here or none, and what to use."""


def initializer_name(init: str, argument: str = "init") -> str:
    """The name as the table has it, from there or a synonym; ``ValueError`` if it is unknown.

    >>> initializer_name("kaiming_normal")
    'he_normal'
    """
    return known_name(argument, init, INITIALIZERS, SYNONYMS, OTHER_NAMES)


def make_initializer(init: str | Initializer, argument: str = "init") -> Initializer:
    """Turn a name or an initializer into an initializer; ``ValueError`` or ``TypeError`` for anything else."""
    if isinstance(init, str):
        return INITIALIZERS[initializer_name(init, argument)]
    if not isinstance(init, (Normal, Uniform, FanScaled)):
        raise TypeError(f"{argument} must be a name, Normal or Uniform, got {type(init).__name__}")
    return init
