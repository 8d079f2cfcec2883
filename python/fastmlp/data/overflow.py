"""Numbers that fit in a dtype, but not after they are scaled to (x - shift) * scale.

They would reach the first layer as infinity, which some activations turn into a prediction that looks like any other.
Most scalings cannot overflow, whatever the number; the others have a bound, below which no number does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import place_in
from fastmlp.checks.frames import column_names
from fastmlp.model.layers import Input

AT_ONCE = 2**16
"""Numbers scaled at once in the search for the one that overflows."""
BELOW = 1 - 1e-6
"""Keeps the bound away from where rounding decides."""


def inputs_bound(inputs: Input, given: np.dtype[Any], work: np.dtype[Any]) -> float:
    """The bound of an X of dtype ``given`` in a pass of dtype ``work``; see `bound_of`."""
    return bound_of(*inputs.sizes, given, work) if inputs.is_scaled else np.inf


@lru_cache
def bound_of(shift: float, scale: float, given: np.dtype[Any], work: np.dtype[Any]) -> float:
    """A size up to which no number overflows when scaled; infinity if none can, -1 if there is no such size.

    ``shift`` and ``scale`` are the largest absolute ones. Rounding keeps order, so that the largest number decides.
    """
    exact, last = _arithmetic(given, work), float(np.finfo(work).max)

    def fits(size: float) -> bool:
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(((exact.type(size) + exact.type(shift)) * exact.type(scale)).astype(work)))

    # A number that does not fit in the pass's dtype before it is scaled is an error anyway.
    if fits(min(_largest(given), last)):
        return np.inf
    bound = min(float(np.finfo(exact).max), last / scale if scale else np.inf) * BELOW - shift
    return bound if bound >= 0 and fits(bound) else -1.0


def check_scaled(
    argument: str,
    array: NDArray[Any],
    scaling: tuple[ArrayLike, ArrayLike],
    work: np.dtype[Any],
    setting: str,
    origin: object = None,
) -> None:
    """Raise ``ValueError`` for the first number of finite rows that overflows ``work`` when scaled.

    A few rows at a time, in the same arithmetic as the core's. ``setting``: where the scaling comes from.
    """
    exact = _arithmetic(array.dtype, work)
    step = max(1, AT_ONCE // array.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        shift, scale = (np.asarray(numbers).astype(exact) for numbers in scaling)
        for start in range(0, len(array), step):
            finite = np.isfinite(((array[start : start + step].astype(exact) - shift) * scale).astype(work))
            if not finite.all():
                at = start * array.shape[1] + int(np.argmin(finite))
                place = place_in(array, at, column_names(origin))
                raise overflow_error(argument, array.flat[at], place, work, setting)


def overflow_error(argument: str, value: Any, place: str, work: np.dtype[Any], setting: str) -> ValueError:
    """The error for a number that overflows when scaled."""
    wider = " or dtype='float64'" if work == np.float32 else ""
    return ValueError(
        f"scaled {argument} must be finite in {work}, got {value!s} in {place}, which overflows as (x - shift) * "
        f"scale; look for a wrong number there, or use a smaller scale in {setting}{wider}"
    )


def _arithmetic(given: np.dtype[Any], work: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which the core scales numbers."""
    return np.dtype(np.float64) if given == np.float64 else work


def _largest(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).max) if dtype.kind == "f" else float(np.iinfo(dtype).max)
