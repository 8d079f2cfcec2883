"""Coding of the user's targets as numbers for the core, and back: numbers stay as they are, classes are encoded.

Two classes need one output; more classes, or several labels for a row, need one output each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target


class Coding(Protocol):
    """The coding of an estimator's targets for its network."""

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network."""

    @property
    def output(self) -> str:
        """Activation of the outputs, by scikit-learn's name."""

    @property
    def stratifies(self) -> bool:
        """Whether the validation split is stratified."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Fitted attributes about the targets, by name."""

    def encode(self, y: Any) -> NDArray[Any]:
        """Targets for the network."""

    def check(self, y: Any) -> None:
        """Raise ``ValueError`` if the targets cannot be encoded."""


@dataclass(frozen=True)
class Numbers:
    """Targets that are numbers already: one column or several."""

    n_targets: int
    output: str
    outputs_per_target: int = 1
    stratifies: bool = False

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network."""
        return self.n_targets * self.outputs_per_target

    @property
    def attributes(self) -> dict[str, Any]:
        """Fitted attributes about the targets, by name."""
        return {"n_outputs_": self.n_outputs, "out_activation_": self.output}

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """y (n,) or (n, n_targets) as it is."""
        return y

    def check(self, y: NDArray[Any]) -> None:
        """Raise ``ValueError`` if the number of columns is not n_targets."""
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_targets:
            raise ValueError(f"y must have {self.n_targets} columns, one for each output, got {n_columns}")


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a classifier.

    Attributes
    ----------
    classes : ndarray (n_classes,)
        Sorted; with several labels for a row, the column numbers.
    kind : {"binary", "multiclass", "multilabel-indicator"}
    is_sparse : bool
        Whether the training labels were a sparse matrix; then predictions are sparse too.
    """

    classes: NDArray[Any]
    kind: str
    is_sparse: bool = False

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def output(self) -> str:
        """Activation of the outputs, by scikit-learn's name."""
        return "softmax" if self.kind == "multiclass" else "logistic"

    @property
    def stratifies(self) -> bool:
        """Whether the validation split is stratified: only for two classes, as in scikit-learn."""
        return self.kind == "binary"

    @property
    def attributes(self) -> dict[str, Any]:
        """Fitted attributes about the targets, by name."""
        return {"classes_": self.classes, "n_outputs_": self.n_outputs, "out_activation_": self.output}

    def encode(self, y: Any) -> NDArray[Any]:
        """Class numbers (n,): int32, for two classes uint8. Several labels: 0 and 1 (n, n_classes) in uint8."""
        if self.kind == "multilabel-indicator":
            dense = y.toarray() if sparse.issparse(y) else np.asarray(y)
            return np.ascontiguousarray(dense != 0).view(np.uint8)
        numbers: NDArray[Any] = np.searchsorted(self.classes, y)
        return numbers.astype(np.uint8 if self.kind == "binary" else np.int32)

    def check(self, y: Any) -> None:
        """Raise ``ValueError`` if the targets are of another kind or have unknown classes."""
        check_known(find_labels(y), self)

    def decode(self, outputs: NDArray[Any]) -> Any:
        """Classes (n,), or an indicator matrix (n, n_classes), from the network's outputs (n, n_outputs)."""
        if self.kind == "multiclass":
            most_probable: NDArray[Any] = self.classes[outputs.argmax(axis=1)]
            return most_probable
        above = outputs > 0.5
        if self.kind == "multilabel-indicator":
            numbers = above.astype(np.int64)
            return sparse.csr_matrix(numbers) if self.is_sparse else numbers
        if len(self.classes) == 1:
            return np.repeat(self.classes, len(outputs))
        return self.classes[above[:, 0].astype(np.intp)]

    def probabilities(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Probabilities (n, n_classes) from the network's outputs (n, n_outputs); two columns for two classes."""
        return np.hstack([1 - outputs, outputs]) if self.kind == "binary" else outputs

    def log_probabilities(self, scores: NDArray[Any]) -> NDArray[Any]:
        """Logarithms of the probabilities from the outputs before their activation: log softmax or log sigmoid."""
        if self.kind == "multiclass":
            best = scores.argmax(axis=1)[:, None]
            shifted = scores - np.take_along_axis(scores, best, axis=1)
            others = np.exp(shifted)
            np.put_along_axis(others, best, 0, axis=1)  # log1p keeps what is left of the best one's probability to 1
            relative: NDArray[Any] = shifted - np.log1p(others.sum(axis=1, keepdims=True))
            return relative
        signed = np.hstack([-scores, scores]) if self.kind == "binary" else scores
        logs: NDArray[Any] = -np.logaddexp(signed.dtype.type(0), -signed)
        if self.kind == "multilabel-indicator":  # as in scikit-learn, labels with probabilities rounded to 1 are tied
            certain = scores > 0
            logs[certain] = np.log(1 / (1 + np.exp(-scores[certain])))
        return logs


def find_labels(y: Any) -> Labels:
    """Find the classes in y; ``ValueError`` if y has no classes."""
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        return Labels(np.arange(y.shape[1]), kind, sparse.issparse(y))
    if kind not in ("binary", "multiclass"):
        check_classification_targets(y)  # raises scikit-learn's error for continuous numbers
        raise ValueError(f"Multioutput target data is not supported; y must be classes or an indicator, got {kind}")
    return of_classes(np.unique(y))


def of_classes(classes: NDArray[Any]) -> Labels:
    """Labels from sorted classes."""
    return Labels(classes, "binary" if len(classes) <= 2 else "multiclass")


def announced_labels(y: Any, classes: Any) -> Labels:
    """Labels at the first `partial_fit`: from ``classes``, or from the columns of y if it is an indicator matrix."""
    found = find_labels(y)
    if found.kind == "multilabel-indicator":
        if classes is not None and len(np.unique(classes)) != len(found.classes):
            raise ValueError(f"classes must name the {len(found.classes)} columns of y, got {classes!r}")
        return found if classes is None else Labels(np.unique(classes), found.kind, found.is_sparse)
    if classes is None:
        raise ValueError("classes must be passed on the first call to partial_fit.")
    labels = of_classes(np.unique(np.asarray(classes)))
    check_known(found, labels)
    return labels


def check_known(found: Labels, labels: Labels) -> None:
    """Raise ``ValueError`` if y has classes that the classifier does not know."""
    multilabel = "multilabel-indicator"
    if (found.kind == multilabel) != (labels.kind == multilabel):
        raise ValueError(f"y is {found.kind}, but the classifier was fitted to {labels.kind} targets")
    if found.kind == multilabel:
        if len(found.classes) != len(labels.classes):
            raise ValueError(f"y must have {len(labels.classes)} columns, one for each label, got {len(found.classes)}")
    elif len(np.setdiff1d(found.classes, labels.classes)):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. `self.classes_` has {labels.classes}. 'y' has {found.classes}."
        )


def check_same(found: Labels, labels: Labels) -> None:
    """Raise ``ValueError`` if a warm start gets other classes than the fit before."""
    multilabel = found.kind == labels.kind == "multilabel-indicator"
    same = len(found.classes) == len(labels.classes) if multilabel else set(found.classes) == set(labels.classes)
    if not same or multilabel != (labels.kind == "multilabel-indicator"):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
            f"got {labels.classes}, `y` has {found.classes}"
        )


def class_weights(class_weight: Any, y: Any, incremental: bool) -> NDArray[np.float64] | None:
    """The weight of each sample's class (n,), None without ``class_weight``."""
    if class_weight is None:
        return None
    if incremental and isinstance(class_weight, str):
        raise ValueError(
            "class_weight='balanced' needs all of y; for partial_fit pass a dict of weights, from "
            "sklearn.utils.class_weight.compute_class_weight"
        )
    weights: NDArray[np.float64] = compute_sample_weight(class_weight, y)
    return weights
