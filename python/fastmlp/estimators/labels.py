"""Targets as a user writes them, to numbers that the core can read, and back: numbers as they are, classes coded.

Two classes need one output, more need one each; so do labels of which a row may have several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target


class Coding(Protocol):
    """How an estimator's targets look to its network."""

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""

    @property
    def output(self) -> str:
        """Their activation."""

    @property
    def stratifies(self) -> bool:
        """Whether a split for validation keeps the shares of the targets."""

    @property
    def attributes(self) -> dict[str, Any]:
        """What a fitted estimator says of them."""

    def encode(self, y: Any) -> NDArray[Any]:
        """Targets for the network."""

    def check(self, y: Any) -> None:
        """Raise ``ValueError`` for targets that can't be encoded."""


@dataclass(frozen=True)
class Numbers:
    """Targets that are numbers already: one column or several."""

    n_outputs: int
    output: str
    stratifies: bool = False

    @property
    def attributes(self) -> dict[str, Any]:
        """What a fitted estimator says of its outputs."""
        return {"n_outputs_": self.n_outputs, "out_activation_": self.output}

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """y (n,) or (n, n_outputs) as it is."""
        return y

    def check(self, y: NDArray[Any]) -> None:
        """Raise ``ValueError`` for another number of columns."""
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_outputs:
            raise ValueError(f"y must have {self.n_outputs} columns, one for each output, got {n_columns}")


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a classifier.

    Attributes
    ----------
    classes : ndarray (n_classes,)
        Sorted; of several labels for a row, the numbers of their columns.
    kind : {"binary", "multiclass", "multilabel-indicator"}
    is_sparse : bool
        Whether several labels came as a sparse matrix, and are given back as one.
    """

    classes: NDArray[Any]
    kind: str
    is_sparse: bool = False

    @property
    def n_outputs(self) -> int:
        """Outputs that a network needs."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def output(self) -> str:
        """Activation of these outputs, by scikit-learn's name."""
        return "softmax" if self.kind == "multiclass" else "logistic"

    @property
    def stratifies(self) -> bool:
        """Whether a split keeps the shares of the classes: as in scikit-learn, those of two classes alone."""
        return self.kind == "binary"

    @property
    def attributes(self) -> dict[str, Any]:
        """What a fitted estimator says of its outputs."""
        return {"classes_": self.classes, "n_outputs_": self.n_outputs, "out_activation_": self.output}

    def encode(self, y: Any) -> NDArray[Any]:
        """Targets of a network: (n,) class numbers, or (n, n_classes) of 0 and 1 for several labels, in uint8."""
        if self.kind == "multilabel-indicator":
            dense = y.toarray() if sparse.issparse(y) else np.asarray(y)
            return np.ascontiguousarray(dense != 0).view(np.uint8)
        numbers: NDArray[Any] = np.searchsorted(self.classes, y)
        return numbers.astype(np.uint8 if self.kind == "binary" else np.int32)

    def check(self, y: Any) -> None:
        """Raise ``ValueError`` for targets of another kind or with classes that aren't here."""
        check_known(find_labels(y), self)

    def decode(self, outputs: NDArray[Any]) -> Any:
        """Classes (n,), or an indicator matrix (n, n_classes), from a network's outputs (n, n_outputs)."""
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
        """(n, n_classes) from a network's outputs: two columns for two classes."""
        return np.hstack([1 - outputs, outputs]) if self.kind == "binary" else outputs


def find_labels(y: Any) -> Labels:
    """The classes that stand in y; ``ValueError`` for targets that name none."""
    kind = type_of_target(y, input_name="y")
    if kind == "multilabel-indicator":
        return Labels(np.arange(y.shape[1]), kind, sparse.issparse(y))
    if kind not in ("binary", "multiclass"):
        check_classification_targets(y)  # scikit-learn's words for numbers that are no classes
        raise ValueError(f"Multioutput target data is not supported; y must be classes or an indicator, got {kind}")
    return of_classes(np.unique(y))


def of_classes(classes: NDArray[Any]) -> Labels:
    """The labels of sorted classes."""
    return Labels(classes, "binary" if len(classes) <= 2 else "multiclass")


def announced_labels(y: Any, classes: Any) -> Labels:
    """The labels of a first `partial_fit`: all that will ever come. The columns of an indicator say it themselves."""
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
    """Raise ``ValueError`` for classes of y that the classifier hasn't."""
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
    """Raise ``ValueError`` where a warm start is given other classes than the fit before."""
    multilabel = found.kind == labels.kind == "multilabel-indicator"
    same = len(found.classes) == len(labels.classes) if multilabel else set(found.classes) == set(labels.classes)
    if not same or multilabel != (labels.kind == "multilabel-indicator"):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
            f"got {labels.classes}, `y` has {found.classes}"
        )
