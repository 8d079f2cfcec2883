"""Layers as frozen descriptions: what the user writes down, without any state.

A network is ``[Input, ...]``; the sizes between layers follow from one another. Arrays and offsets come in `layout`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers
from fastmlp.checks.values import Value, check_size, check_value, values_at
from fastmlp.model.activations import activation_spec
from fastmlp.model.initializers import Initializer, make_initializer

_BLOCK = 1024
_FIRST_STEP = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Input:
    """The columns of X, each seen by the network as ``(x - shift) * scale``.

    Data keep the dtype they came in; the scaling is part of the network and is saved with it.

    Parameters
    ----------
    n_features : int
        Columns of X.
    shift, scale : float or array_like (n_features,), default 0 and 1
        Finite numbers.

    Raises
    ------
    TypeError, ValueError
        A size that is not a positive whole number, numbers of the wrong shape, NaN or infinity.

    Examples
    --------
    >>> Input(784, scale=1 / 255).n_features
    784
    """

    n_features: int
    shift: ArrayLike = 0.0
    scale: ArrayLike = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_features", check_size("n_features", self.n_features))
        for argument in ("shift", "scale"):
            numbers = as_numbers(argument, getattr(self, argument)).astype(np.float64)
            if numbers.ndim and numbers.shape != (self.n_features,):
                raise ValueError(
                    f"{argument} must be one number or have shape ({self.n_features},), got {numbers.shape}"
                )
            # One number for all columns takes the memory of one number, however many columns there are.
            strides = numbers.strides if numbers.ndim else (0,)
            column = np.ndarray((self.n_features,), np.float64, numbers, strides=strides)
            column.flags.writeable = False
            object.__setattr__(self, argument, column)

    @classmethod
    def standardized(cls, X: ArrayLike) -> Input:
        """An input that gives the columns of X mean 0 and deviation 1 (constant columns become 0).

        Examples
        --------
        >>> layer = Input.standardized([[0.0, 5.0], [2.0, 5.0]])
        >>> layer.shift.tolist(), layer.scale.tolist()
        ([1.0, 5.0], [1.0, 1.0])
        """
        array = as_numbers("X", X, ndim=2)
        squares = np.zeros(array.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            mean = array.mean(axis=0, dtype=np.float64)
            for first in range(0, len(array), _BLOCK):  # in blocks, so that no float copy of the data is made
                squares += ((array[first : first + _BLOCK] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(array))
        if not np.isfinite(deviation).all():
            column = int(np.argmin(np.isfinite(deviation)))
            raise ValueError(f"X must not hold numbers whose squares are beyond float64, got them in column {column}")
        # A rounded mean gives a constant column a small deviation, so that alone doesn't show whether it varies.
        varies = (array.max(axis=0) > array.min(axis=0)) & (deviation > np.finfo(np.float64).tiny)
        return cls(array.shape[1], mean, 1 / np.where(varies, deviation, 1.0))

    @cached_property
    def is_scaled(self) -> bool:
        """Whether the network sees anything else than x itself."""
        return bool(distinct(self.shift).any() or (distinct(self.scale) != 1).any())


def distinct(column: ArrayLike) -> NDArray[np.float64]:
    """The column's numbers, once where it is one number repeated in place."""
    numbers: NDArray[np.float64] = np.asarray(column)
    return numbers[:1] if numbers.strides == (0,) else numbers


def check_learning(trainable: object, learning_rate_factor: object) -> None:
    """The two settings of every layer that learns."""
    if not isinstance(trainable, (bool, np.bool_)):
        raise TypeError(f"trainable must be True or False, got {trainable!r}")
    check_value("learning_rate_factor", learning_rate_factor, low=0.0, low_open=True, schedule=False)


def shown(layer: object, *always: str) -> str:
    """The layer with the fields that were chosen, and those that are always worth showing."""
    chosen = [f for f in fields(layer) if f.name in always or getattr(layer, f.name) != f.default]  # type: ignore[arg-type]
    return f"{type(layer).__name__}({', '.join(f'{f.name}={getattr(layer, f.name)!r}' for f in chosen)})"


@dataclass(frozen=True)
class Dense:
    """``y = f(x W + b)`` with W (n_in, units) and b (units,).

    Parameters
    ----------
    units : int
        Outputs of the layer.
    activation : str, optional
        A name of `fastmlp.model.activations`. None: identity, or at the end of a network what its loss asks for.
    bias : bool, default True
        Whether there is a b.
    init : str or initializer, optional
        None: that of the network.
    slope : float, optional
        Parameter of leaky_relu (default 0.01) and elu (default 1).
    trainable : bool, default True
        False: frozen. Training leaves W and b as they are; ``alpha``, decay and ``max_norm`` leave them out.
    learning_rate_factor : float, default 1.0
        Above 0; the learning rate of W and b is so many times the optimizer's.

    Examples
    --------
    >>> Dense(30, "sigmoid")
    Dense(units=30, activation='sigmoid')
    """

    units: int
    activation: str | None = None
    bias: bool = True
    init: str | Initializer | None = None
    slope: float | None = None
    trainable: bool = True
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", check_size("units", self.units))
        if self.activation is not None:
            activation_spec(self.activation)
        if not isinstance(self.bias, (bool, np.bool_)):
            raise TypeError(f"bias must be True or False, got {self.bias!r}")
        if self.init is not None:
            make_initializer(self.init)
        if self.slope is not None:
            check_value("slope", self.slope, low=0.0, schedule=False)
        check_learning(self.trainable, self.learning_rate_factor)

    def __repr__(self) -> str:
        return shown(self)


@dataclass(frozen=True)
class Activation:
    """``y = f(x)`` by itself, for instance behind a `BatchNorm`."""

    activation: str
    slope: float | None = None

    def __post_init__(self) -> None:
        activation_spec(self.activation)
        if self.slope is not None:
            check_value("slope", self.slope, low=0.0, schedule=False)


@dataclass(frozen=True)
class Dropout:
    """Each unit is 0 with probability ``rate`` in training, and the others are divided by ``1 - rate``.

    ``rate`` is a number from 0 to below 1 or a function of the step (`fastmlp.schedules`), of each layer its own.
    Outside of training, where ``dropout_seed`` asks for a mask, a function stands for its value at step 0.
    Source: Srivastava et al., JMLR 2014.

    Examples
    --------
    >>> import fastmlp as fm
    >>> Dropout(fm.Cosine(0.3, n_steps=1000)).first_rate
    0.3
    """

    rate: Value = 0.5

    def __post_init__(self) -> None:
        check_value("rate", self.rate, low=0.0, high=1.0, high_open=True)
        self.rates(_FIRST_STEP)

    @property
    def first_rate(self) -> float:
        """The rate at step 0."""
        return float(self.rates(_FIRST_STEP)[0])

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rates (n,) at an array of steps; ``ValueError`` where one isn't from 0 to below 1."""
        rates = np.broadcast_to(values_at(self.rate, steps, "rate"), steps.shape)
        wrong = ~((rates >= 0) & (rates < 1))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(f"rate of Dropout must be from 0 to below 1, got {rates[at]} at step {steps[at]}")
        return rates


@dataclass(frozen=True)
class BatchNorm:
    """Each column brought to mean 0 and deviation 1 over the batch, then ``gain * x + shift``.

    Prediction uses running statistics, of which a batch leaves the share ``momentum`` in place; ``epsilon`` is added
    to the variance. ``trainable`` and ``learning_rate_factor`` are those of `Dense`; a frozen one uses its running
    statistics in training too, and leaves them as they are. Source: Ioffe and Szegedy, ICML 2015.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    trainable: bool = True
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        check_value("momentum", self.momentum, low=0.0, high=1.0, schedule=False)
        check_value("epsilon", self.epsilon, low=0.0, low_open=True, schedule=False)
        check_learning(self.trainable, self.learning_rate_factor)

    def __repr__(self) -> str:
        return shown(self, "momentum", "epsilon")


@dataclass(frozen=True)
class LayerNorm:
    """Each row brought to mean 0 and deviation 1, then ``gain * x + shift``. Source: Ba, Kiros and Hinton, 2016.

    ``trainable`` and ``learning_rate_factor`` are those of `Dense`.
    """

    epsilon: float = 1e-5
    trainable: bool = True
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        check_value("epsilon", self.epsilon, low=0.0, low_open=True, schedule=False)
        check_learning(self.trainable, self.learning_rate_factor)

    def __repr__(self) -> str:
        return shown(self, "epsilon")


Layer: TypeAlias = Dense | Activation | Dropout | BatchNorm | LayerNorm
