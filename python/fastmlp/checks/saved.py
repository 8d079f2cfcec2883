"""Checks of numbers in a file: the kind and the range that they can have, so that nothing impossible goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fastmlp.checks.errors import printable

MOST = 2**53
"""Whole numbers up to this one are exact as floats; no fit counts further."""


def saved_whole(state: Mapping[str, Any], name: str, low: int = 0, high: int = MOST) -> int:
    """The whole number with this name; ``ValueError`` unless it is one from ``low`` to ``high``.

    >>> saved_whole({"since": 3}, "since")
    3
    """
    value = _named(state, name)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} is {printable(repr(value), 60)}, expected a whole number from {low} to {high}")
    return value


def saved_number(state: Mapping[str, Any], name: str, low: float = -math.inf, *, finite: bool = True) -> float:
    """The number with this name; ``ValueError`` unless it is one of at least ``low``, and finite if asked for.

    >>> saved_number({"best": 0.5}, "best")
    0.5
    """
    value = _named(state, name)
    if type(value) not in (int, float) or (type(value) is int and abs(value) > 10**300):
        raise ValueError(f"{name} is {printable(repr(value), 60)}, expected a number")
    number = float(value)
    if number < low or (finite and not math.isfinite(number)):
        least = f" of at least {low:g}" if low > -math.inf else ""
        raise ValueError(
            f"{name} is {printable(repr(value), 60)}, expected a{' finite' if finite else ''} number{least}"
        )
    return number


def _named(state: Any, name: str) -> Any:
    if not isinstance(state, Mapping) or name not in state:
        raise ValueError(f"{name!r} is missing")
    return state[name]
