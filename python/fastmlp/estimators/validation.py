"""The validation set that a user passes to ``fit`` of an estimator."""

from __future__ import annotations

import warnings
from typing import Any


def validation_set(validation_data: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> tuple[Any, Any, Any] | None:
    """X, y and sample weights (or None) of the validation set; None without one.

    ``ValueError`` if a part is missing or given twice; ``FutureWarning`` for ``validation_data``.
    """
    if validation_data is not None:
        if any(part is not None for part in (X_val, y_val, sample_weight_val)):
            raise ValueError("validation_data cannot be used with X_val, y_val or sample_weight_val; leave it out")
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            expected = "a pair (X, y) or a triple (X, y, sample_weight)"
            raise ValueError(f"validation_data must be {expected}, got {type(validation_data).__name__}")
        warnings.warn(
            "validation_data is deprecated, as a Pipeline passes it on without transforming it; use X_val and y_val",
            FutureWarning,
            stacklevel=3,
        )
        X, y, *weights = validation_data
        return X, y, weights[0] if weights else None
    for name, part, other, needed in (
        ("X_val", X_val, "y_val", y_val), ("y_val", y_val, "X_val", X_val),
        ("sample_weight_val", sample_weight_val, "X_val", X_val),
    ):  # fmt: skip
        if part is not None and needed is None:
            raise ValueError(f"{name} needs {other}, and it is missing")
    return None if X_val is None else (X_val, y_val, sample_weight_val)
