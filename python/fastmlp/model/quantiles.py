"""Several quantiles of each target."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fastmlp.checks.values import check_value

MOST_QUANTILES = 1000
"""Limit on the quantiles of a target."""


def checked_quantiles(q: Any) -> Any:
    """One number between 0 and 1, or a tuple of them that increases; ``ValueError`` or ``TypeError`` for others."""
    if isinstance(q, (str, bytes)) or np.ndim(q) == 0:
        check_value("q", q, low=0.0, high=1.0, low_open=True, high_open=True, schedule=False)
        return q
    levels = q if isinstance(q, tuple) else tuple(q)
    if not 0 < len(levels) <= MOST_QUANTILES:
        raise ValueError(f"q must have from 1 to {MOST_QUANTILES} quantiles, got {len(levels)}")
    for i, level in enumerate(levels):
        check_value(f"q[{i}]", level, low=0.0, high=1.0, low_open=True, high_open=True, schedule=False)
    if any(high <= low for low, high in pairwise(levels)):
        raise ValueError(f"q must be strictly increasing, got {levels!r:.60}")
    return levels
