"""Class weights, turned into weights of rows or, for several labels in a row, of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Dtype
from fastmlp.checks.values import check_value
from fastmlp.data.rows import Targets
from fastmlp.data.weights import Weights, check_sample_weights, times
from fastmlp.model.losses import Loss

BALANCED = "balanced"


def weights_of_classes(
    class_weight: object, targets: Targets, n_targets: int, loss: Loss, sample_weight: Weights
) -> Weights:
    """Multiply the sample weights by the weight of each sample's class, or of each of its labels.

    ``class_weight`` is None, a dict from class to weight with every class in y, or "balanced". That means
    ``n / (n_classes * count of the class)``, for n samples and the n_classes classes among them (King and Zeng,
    "Logistic regression in rare events data", 2001). A list has one of the two for each label, whose classes are 0 and
    1. Raises ``ValueError`` if y does not name classes, if a dict lacks a class of y or has an unknown one, and if
    weights are negative or all 0.
    """
    if class_weight is None:
        return sample_weight
    if isinstance(class_weight, Sequence) and not isinstance(class_weight, (str, bytes)):
        weights = _of_labels(class_weight, targets, n_targets, loss)
    else:
        _check_kind("class_weight", class_weight)
        several = _has_several_labels(targets, loss)
        if several and class_weight == BALANCED:
            weights = _of_labels([BALANCED] * n_targets, targets, n_targets, loss)
        elif several:
            raise ValueError(
                f"class_weight must be 'balanced' or a list with a dict for each of the {n_targets} labels of y, got "
                f"{class_weight!r:.60}"
            )
        else:
            labels = class_numbers(targets)
            there = slice(None) if targets.observed is None else targets.observed[:, 0]
            weights = _weights("class_weight", class_weight, labels[there], max(n_targets, 2))[labels]
    of_what = "class_weight of the rows" if sample_weight is None else "sample_weight times class_weight"
    return check_sample_weights(times(sample_weight, weights), len(weights), n_targets, loss, of_what)


def _check_kind(argument: str, weight: object) -> None:
    if not isinstance(weight, Mapping) and not (isinstance(weight, str) and weight == BALANCED):
        raise TypeError(
            f"{argument} must be a dict of class -> weight or 'balanced'"
            + (", or a list of these, one for each label" if argument == "class_weight" else "")
            + f", got {weight!r:.60}"
        )


def _has_several_labels(targets: Targets, loss: Loss) -> bool:
    """Whether y has 0 or 1 for each of several labels, and not a single 1 in each row, which names the row's class."""
    values = _values(targets)
    if targets.rows.code == Dtype.LABEL or values.shape[1] == 1 or not loss.spec.targets.labels:
        return False
    if targets.observed is not None and not targets.observed.all():
        return _is_binary(targets)
    return _is_binary(targets) and not np.all(values.sum(axis=1, dtype=np.float64) == 1)


def _of_labels(each: Sequence[Any], targets: Targets, n_targets: int, loss: Loss) -> NDArray[np.float64]:
    """The weights (n, n_targets), or (n,) for a single label, from one setting for each label."""
    for label, setting in enumerate(each):
        _check_kind(f"class_weight[{label}]", setting)
    if len(each) != n_targets:
        raise ValueError(f"class_weight must have one dict for each label of y, {n_targets}, got {len(each)}")
    if targets.rows.code == Dtype.LABEL or not loss.spec.targets.labels or not _is_binary(targets):
        raise ValueError(
            "class_weight as a list needs loss='binary_cross_entropy' and a y with 0 or 1 for each label, got "
            f"loss={loss.name!r} and {_kind_of(targets)}"
        )
    values = _values(targets)
    weights = np.empty(values.shape)
    for label, setting in enumerate(each):
        argument = f"class_weight[{label}]"
        classes = values[:, label].astype(np.intp)
        there = slice(None) if targets.observed is None else targets.observed[:, label]
        weights[:, label] = _weights(argument, setting, classes[there], 2)[classes]
    return weights[:, 0] if n_targets == 1 else weights


def _weights(argument: str, setting: Any, labels: NDArray[np.intp], n_classes: int) -> NDArray[np.float64]:
    """The weight of each class (n_classes,)."""
    counts = np.bincount(labels, minlength=n_classes)
    if isinstance(setting, Mapping):
        return _checked(argument, setting, counts)
    balanced: NDArray[np.float64] = len(labels) / (max(np.count_nonzero(counts), 1) * np.maximum(counts, 1))
    return balanced


def _values(targets: Targets) -> NDArray[Any]:
    values: NDArray[Any] = targets.rows.data.view(targets.rows.dtype)
    return values


def _is_binary(targets: Targets) -> bool:
    values = _values(targets)
    return bool(targets.is_class and np.all((values == 0) | (values == 1)))


def _kind_of(targets: Targets) -> str:
    """What y holds, for an error message."""
    if targets.rows.code == Dtype.LABEL:
        return "class numbers"
    n_columns = _values(targets).shape[1]
    what = "several labels, probabilities" if targets.is_class else "the values of a regression"
    return f"{what} in {n_columns} column{'s' if n_columns > 1 else ''}"


def class_numbers(targets: Targets) -> NDArray[np.intp]:
    """The class of each target (n,): a class number, 0 or 1, or the column of the single 1 in a row."""
    values = _values(targets)
    if targets.rows.code == Dtype.LABEL:
        return values[:, 0].astype(np.intp)
    binary = _is_binary(targets)
    if binary and values.shape[1] == 1:
        return values[:, 0].astype(np.intp)
    if binary and np.all(values.sum(axis=1, dtype=np.float64) == 1):
        columns: NDArray[np.intp] = np.argmax(values, axis=1)
        return columns
    raise ValueError(
        "class_weight needs a y with one class for each row (class numbers, 0 and 1, or rows with a single 1), "
        f"got {_kind_of(targets)}"
    )


def _checked(argument: str, class_weight: Mapping[Any, Any], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Check the dict, and turn it into an array (n_classes,)."""
    n_classes = len(counts)
    known = set(range(n_classes))
    unknown = [label for label in class_weight if label not in known]
    if unknown:
        raise ValueError(f"{argument} must have only classes from 0 to {n_classes - 1}, got {unknown[0]!r:.60}")
    missing = [label for label in np.flatnonzero(counts).tolist() if label not in class_weight]
    if missing:
        raise ValueError(
            f"{argument} must have a weight for each class of y, got none for {', '.join(map(str, missing[:10]))}"
        )
    for label, weight in class_weight.items():
        check_value(f"{argument}[{label!r}]", weight, low=0.0, schedule=False)
    return np.array([float(class_weight.get(label, 0.0)) for label in range(n_classes)])
