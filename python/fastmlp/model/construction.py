"""Check what the user passes to a network, and make its parts from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.machine.memory import aligned_empty
from fastmlp.model.layers import Dense, Input, Layer, distinct


def allocate(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Memory for n parameters; ``MemoryError`` if there is not enough."""
    try:
        return aligned_empty(n, dtype)
    except (MemoryError, ValueError) as error:
        raise MemoryError(f"layers need {n} parameters, more than fit in memory") from error


def seed_sequence(seed: int | None) -> np.random.SeedSequence:
    """The root of all random streams of a network."""
    message = f"seed must be a whole number >= 0 or None, got {shown(seed)}"
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
        raise TypeError(message)
    if seed is not None and seed < 0:
        raise ValueError(message)
    return np.random.SeedSequence(seed)


def check_scaling(inputs: Input, dtype: np.dtype[Any]) -> None:
    """Raise ``ValueError`` if shift or scale is too large for the dtype."""
    if not inputs.is_scaled:
        return
    for argument in ("shift", "scale"):
        largest = np.abs(distinct(getattr(inputs, argument))).max()
        if largest > np.finfo(dtype).max:
            raise ValueError(f"{argument} of the input must fit in {dtype}, got a number of size {largest:g}")


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype float32 or float64, in native byte order; ``TypeError`` or ``ValueError`` for any other."""
    try:
        checked: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError) as error:
        raise TypeError(f"dtype must be 'float32' or 'float64', got {shown(dtype)}") from error
    if dtype is None:
        raise TypeError("dtype must be 'float32' or 'float64', got None")
    if checked not in (np.float32, np.float64) or not checked.isnative:
        raise ValueError(f"dtype must be 'float32' or 'float64', got {shown(dtype)}")
    return checked


def _is_width(layer: object) -> bool:
    return isinstance(layer, (int, np.integer)) and not isinstance(layer, bool)


def read_layers(layers: Sequence[int | Input | Layer], activation: str, bias: bool) -> tuple[Input, tuple[Layer, ...]]:
    """The input and the layers after it, from widths, layers or a mix of both."""
    unsized = isinstance(layers, np.ndarray) and layers.ndim == 0
    if isinstance(layers, (str, bytes)) or unsized or not isinstance(layers, Iterable):
        raise TypeError(f"layers must be a sequence of widths or layers, got {shown(layers)}")
    Dense(1, activation, bias)  # checks activation and bias even if no layer is a width
    given = list(layers)
    if len(given) < 2:
        raise ValueError(f"layers must have an input and at least one layer, got {shown(given)}")
    first = given[0]
    if not isinstance(first, Input) and not _is_width(first):
        raise TypeError(f"layers[0] must be a width or an Input, got {shown(first)}")
    inputs = first if isinstance(first, Input) else Input(check_size("layers[0]", first))
    read: list[Layer] = []
    for i, layer in enumerate(given[1:], start=1):
        if isinstance(layer, Layer):
            read.append(layer)
        elif _is_width(layer):
            units = check_size(f"layers[{i}]", layer)
            read.append(Dense(units, None if i == len(given) - 1 else activation, bias))
        else:
            raise TypeError(f"layers[{i}] must be a width or a layer, got {shown(layer)}")
    if not any(layer.draws for layer in read):
        raise ValueError("layers must have at least one Dense layer")
    return inputs, tuple(read)


def with_trainable(layers: tuple[Layer, ...], numbers: Sequence[int], trainable: bool) -> tuple[Layer, ...]:
    """The layers, with those at the given indices frozen or unfrozen."""
    changed = list(layers)
    if not numbers:
        raise ValueError("numbers must have at least one index of a layer, got none")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
            raise TypeError(f"numbers must be whole numbers, the indices of layers, got {shown(number)}")
        if not -len(layers) <= number < len(layers):
            raise ValueError(f"numbers must be indices of layers, from 0 to {len(layers) - 1}, got {number}")
        layer = layers[number]
        if not layer.has_parameters:
            raise ValueError(f"layer {number} has no parameters to freeze: {shown(layer)}")
        changed[number] = layer.with_trainable(trainable)
    return tuple(changed)
