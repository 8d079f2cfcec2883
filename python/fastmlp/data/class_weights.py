"""Class weights, turned into sample weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Dtype
from fastmlp.checks.values import check_value
from fastmlp.data.rows import Targets, check_weights


def weights_of_classes(
    class_weight: object, targets: Targets, n_targets: int, sample_weight: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """Multiply the sample weights (n,) by the weight of each sample's class.

    ``class_weight`` is None, a dict from class number to weight with every class in y, or "balanced". That means
    ``n / (n_classes * count of the class)``, for n samples and the n_classes classes among them (King and Zeng,
    "Logistic regression in rare events data", 2001). Raises ``ValueError`` if y does not name classes, if the dict
    lacks a class of y or has an unknown one, and if weights are negative or all 0.
    """
    if class_weight is None:
        return sample_weight
    if not isinstance(class_weight, Mapping) and not (isinstance(class_weight, str) and class_weight == "balanced"):
        raise TypeError(f"class_weight must be a dict of class -> weight or 'balanced', got {class_weight!r:.60}")
    labels = class_numbers(targets)
    counts = np.bincount(labels, minlength=max(n_targets, 2))
    if isinstance(class_weight, Mapping):
        of_class = _checked(class_weight, counts)
    else:
        of_class = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    weights = of_class[labels]
    if sample_weight is None:
        return check_weights(weights, len(labels), "class_weight of the rows")
    return check_weights(weights * sample_weight, len(labels), "sample_weight times class_weight")


def class_numbers(targets: Targets) -> NDArray[np.intp]:
    """The class of each target (n,): a class number, 0 or 1, or the column of the single 1 in a row."""
    rows = targets.rows
    values: NDArray[Any] = rows.data.view(rows.dtype)
    if rows.code == Dtype.LABEL:
        return values[:, 0].astype(np.intp)
    binary = targets.is_class and np.all((values == 0) | (values == 1))
    if binary and values.shape[1] == 1:
        return values[:, 0].astype(np.intp)
    if binary and np.all(values.sum(axis=1, dtype=np.float64) == 1):
        columns: NDArray[np.intp] = np.argmax(values, axis=1)
        return columns
    raise ValueError(
        "class_weight needs a y with one class for each row (class numbers, 0 and 1, or rows with a single 1), "
        f"got {'several labels, probabilities' if targets.is_class else 'the values of a regression'} "
        f"in {values.shape[1]} column{'s' if values.shape[1] > 1 else ''}"
    )


def _checked(class_weight: Mapping[Any, Any], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Check the dict, and turn it into an array (n_classes,)."""
    n_classes = len(counts)
    known = set(range(n_classes))
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(f"class_weight must have only classes from 0 to {n_classes - 1}, got {unknown[0]!r:.60}")
    missing = [label for label in np.flatnonzero(counts).tolist() if label not in class_weight]
    if missing:
        raise ValueError(
            f"class_weight must have a weight for each class of y, got none for {', '.join(map(str, missing[:10]))}"
        )
    for label, weight in class_weight.items():
        check_value(f"class_weight[{label!r}]", weight, low=0.0, schedule=False)
    return np.array([float(class_weight.get(label, 0.0)) for label in range(n_classes)])
