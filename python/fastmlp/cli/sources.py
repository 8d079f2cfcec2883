"""Recognise the kind of a file or folder, and read it.

A folder must hold IDX files, as MNIST is published. NPZ and IDX files are recognised by their first bytes; any other
file is read as CSV. No path means the bundled digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.datasets import load_digits, load_mnist
from fastmlp.data.readers.dataset import Dataset
from fastmlp.data.readers.idx import read_idx
from fastmlp.data.readers.npz import read_npz
from fastmlp.data.readers.table_encoding import TableEncoding
from fastmlp.data.readers.tables import read_csv
from fastmlp.data.splits import Part, train_validation_test_split
from fastmlp.machine.files import open_binary

SPLIT_SEED = 0
"""Independent of the training seed: the same rows are always set aside, so that results can be compared."""

_MOST_CLASSES = 1000


@dataclass(frozen=True)
class Columns:
    """Options for the columns of a CSV file, by name or position."""

    target: str | int | None = None
    drop: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Problem:
    """The data to learn from.

    ``test`` and ``validation`` are None if there are none. Targets are indices into ``classes``, or numbers if
    ``classes`` is None. ``encoding`` says how the columns of a table were encoded.
    """

    name: str
    train: Part
    validation: Part | None
    test: Part | None
    classes: tuple[str, ...] | None
    encoding: TableEncoding | None = None

    @property
    def target_name(self) -> str | None:
        """Name of the target column of a table."""
        return self.encoding.target.name if self.encoding and self.encoding.target else None


@dataclass(frozen=True)
class PredictionData:
    """Rows to predict; ``y`` holds class names or numbers, or is None if the data have no targets."""

    X: NDArray[Any]
    y: NDArray[Any] | None


def read_problem(
    path: Path | None,
    columns: Columns,
    task: str | None,
    test_fraction: float,
    validation_fraction: float,
) -> Problem:
    """Read training data, and set test rows aside unless the data have a test part."""
    kind = _kind(path)
    if columns != Columns() and kind != "csv":
        name = "the bundled digits are" if path is None else f"{path} is"
        raise ValueError(f"--target, --drop and --categorical are for a CSV file, which {name} not")
    encoding: TableEncoding | None = None
    if path is not None and kind == "csv":
        classification = None if task is None else task == "classification"
        table = read_csv(
            path,
            -1 if columns.target is None else columns.target,
            classification=classification,
            categorical=columns.categorical,
            drop=columns.drop,
        )
        assert table.y is not None
        data = Dataset(table.X, table.y, None, None)
        encoding, classes = table.encoding, table.classes
    else:
        data, classes = _with_classes(_read_dataset(path, kind), task)
    if classes is not None and len(classes) < 2:
        raise ValueError(f"the target has a single class {classes[0]!r}; expected at least two")
    has_test = data.X_test is not None
    train, validation, split_off = train_validation_test_split(
        data.X_train,
        data.y_train,
        validation=validation_fraction,
        test=0 if has_test else test_fraction,
        seed=SPLIT_SEED,
        stratify=classes is not None,
        shuffle=validation_fraction > 0 or not has_test,
    )
    test = (data.X_test, data.y_test) if has_test else split_off
    name = "bundled digits" if path is None else path.name or str(path)
    return Problem(
        name,
        train,
        validation if len(validation[0]) else None,
        test if len(test[0]) else None,
        classes,
        encoding,
    )


def read_rows(path: Path | None, encoding: TableEncoding | None) -> PredictionData:
    """Read rows to predict: the test part, if the data have one."""
    kind = _kind(path)
    if path is not None and kind == "csv":
        if encoding is None:
            return PredictionData(read_csv(path, None).X, None)
        table = read_csv(path, encoding=encoding)
        if table.y is None or table.classes is None:
            return PredictionData(table.X, table.y)
        return PredictionData(table.X, np.array(table.classes)[table.y])
    if path is not None and kind == "idx":
        images = read_idx(path)
        return PredictionData(images.reshape(len(images), -1) if images.ndim > 1 else images, None)
    data = _read_dataset(path, kind)
    if data.X_test is None:
        return PredictionData(data.X_train, data.y_train)
    return PredictionData(data.X_test, data.y_test)


def _kind(path: Path | None) -> str:
    if path is None:
        return "digits"
    if path.is_dir():
        return "folder"
    with open_binary(path) as stream:
        start = stream.read(4)
    if start[:4] == b"PK\x03\x04":
        return "npz"
    return "idx" if start[:2] == b"\0\0" else "csv"


def _read_dataset(path: Path | None, kind: str) -> Dataset:
    if path is None:
        return load_digits()
    if kind == "folder":
        return load_mnist(path)
    if kind == "npz":
        return read_npz(path)
    raise ValueError(f"{path} is a single IDX file; give the folder that holds images and labels")


def _with_classes(data: Dataset, task: str | None) -> tuple[Dataset, tuple[str, ...] | None]:
    """Turn labels into indices into the classes; leave numbers unchanged."""
    X_train, y_train, X_test, y_test = data
    if y_train is None:
        raise ValueError("the NPZ file holds X but no y; training needs both")
    if y_train.ndim == 2 and y_train.shape[1] == 1:
        y_train, y_test = y_train[:, 0], None if y_test is None else y_test.reshape(len(y_test))
    if (task or ("classification" if y_train.ndim == 1 and y_train.dtype.kind in "iu" else "")) != "classification":
        return Dataset(X_train, y_train, X_test, y_test), None
    if y_train.ndim != 1 or not (y_train == np.floor(y_train)).all():
        raise ValueError("--task classification needs one whole number per row as its class")
    every = y_train if y_test is None else np.concatenate([y_train, y_test])
    labels = np.unique(every)
    if len(labels) > _MOST_CLASSES:
        raise ValueError(f"y has {len(labels)} different whole numbers; if they are not classes, use --task regression")
    train = np.searchsorted(labels, y_train)
    test = None if y_test is None else np.searchsorted(labels, y_test)
    return Dataset(X_train, train, X_test, test), tuple(f"{label:.0f}" for label in labels)
