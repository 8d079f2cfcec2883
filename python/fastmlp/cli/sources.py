"""Recognise the kind of the data, and read them.

A folder with IDX files, as MNIST is published, an NPZ file and an IDX file are recognised by their contents; anything
else is a table. No data means the bundled digits.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.data.datasets import load_digits
from fastmlp.data.readers.dataset import Dataset
from fastmlp.data.readers.idx import read_idx
from fastmlp.data.readers.idx_folder import idx_pairs, read_pairs
from fastmlp.data.readers.npz import read_npz
from fastmlp.data.splits import Part, train_validation_test_split
from fastmlp.machine.files import open_binary
from fastmlp.tables.scan import ScannedTable
from fastmlp.tables.target import Target

SPLIT_SEED = 0
"""Independent of the training seed: the same rows are always set aside, so that results can be compared."""

_MOST_CLASSES = 1000


@dataclass(frozen=True)
class Problem:
    """The data to learn from.

    ``test`` and ``validation`` are None if there are none. Targets are as ``target`` encodes them: indices into its
    classes, or numbers. A table that is read anew for each epoch is the first element of ``train``, without a second.
    ``encoder`` says how the columns of a table were encoded; ``facts`` are lines for the headline.
    """

    name: str
    train: tuple[Any, Any]
    validation: Part | None
    test: Part | None
    target: Target
    encoder: Any = None
    facts: dict[str, str] = field(default_factory=dict)
    n_streamed: int | None = None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes; None if the targets are numbers."""
        return None if self.target.classes_ is None else tuple(map(plain, self.target.classes_))

    @property
    def n_train(self) -> int:
        """Number of rows for training; of a table read anew, those without a target too."""
        return len(self.train[0]) if self.n_streamed is None else self.n_streamed

    @property
    def n_features(self) -> int:
        """Number of columns of the inputs."""
        X = self.train[0]
        return int(X.n_features if isinstance(X, ScannedTable) else X.shape[1])

    @property
    def n_targets(self) -> int:
        """Number of numbers to predict for each row."""
        y = self.train[1]
        return 1 if y is None or y.ndim == 1 else int(y.shape[1])

    @property
    def target_scale(self) -> Any:
        """What `Network` takes to learn scaled numbers."""
        X = self.train[0]
        return X.target_scale if isinstance(X, ScannedTable) else "standard"

    @property
    def target_name(self) -> str | None:
        """Name of the target column of a table."""
        return self.target.name or None


def plain(value: Any) -> str:
    """A label or a number as text, without needless digits.

    >>> plain(np.float32(0.1)), plain(2.0), plain(np.float32(1e7)), plain("a"), plain(np.bool_(True))
    ('0.1', '2', '10000000', 'a', 'True')
    """
    if isinstance(value, (float, np.floating)):
        return np.format_float_positional(value, trim="-") if 1e-5 <= abs(float(value)) < 1e16 else f"{value:g}"
    return str(value)


def kind_of(path: str | None) -> str:
    """``"digits"``, ``"folder"`` (of IDX files), ``"npz"``, ``"idx"`` or ``"table"``."""
    if path is None:
        return "digits"
    if Path(path).is_dir():
        return "folder" if idx_pairs(Path(path)) or not any(Path(path).iterdir()) else "table"
    if not Path(path).is_file():
        return "table"
    with open_binary(Path(path)) as stream:
        start = stream.read(4)
    if start[:2] == b"\0\0":
        return "idx"
    return "npz" if start == b"PK\3\4" and _holds_arrays(Path(path)) else "table"


def _holds_arrays(path: Path) -> bool:
    """Whether a zip archive is an NPZ file, whole or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist()) or path.suffix == ".npz"
    except (zipfile.BadZipFile, OSError):
        return path.suffix == ".npz"


def read_dataset(path: str | None, kind: str) -> Dataset:
    """Read data that are no table: the inputs and targets of training, and of a test if there is one."""
    if path is None:
        return load_digits()
    if kind == "npz":
        return read_npz(path)
    pairs = idx_pairs(Path(path))
    if pairs:
        return read_pairs(pairs)
    if kind == "idx":
        raise ValueError(f"{path} is a single IDX file without its labels or images beside it")
    raise ValueError(f"{path} does not hold images and labels as IDX files, such as train-images-idx3-ubyte")


def read_inputs(path: str | None, kind: str) -> tuple[NDArray[Any], Any]:
    """Rows to predict, and their targets if there are any: the test part, if the data have one."""
    if kind == "idx":
        images = read_idx(str(path))
        return images.reshape(len(images), -1) if images.ndim > 1 else images, None
    data = read_dataset(path, kind)
    return (data.X_train, data.y_train) if data.X_test is None else (data.X_test, data.y_test)


def problem_of(path: str | None, kind: str, task: str | None, test: float, validation: float) -> Problem:
    """The problem in data that are no table; a part of the rows is set aside for testing unless there is one."""
    data, target = _with_classes(read_dataset(path, kind), task)
    has_test = data.X_test is not None
    train, chosen_by, judged_by = split_rows(
        data.X_train, data.y_train, target, 0 if has_test else test, validation, shuffle=validation > 0 or not has_test
    )
    name = "bundled digits" if path is None else Path(path).name or path
    return Problem(name, train, chosen_by, (data.X_test, data.y_test) if has_test else judged_by, target)


def split_rows(
    X: NDArray[Any], y: NDArray[Any], target: Target, test: float, validation: float, *, shuffle: bool = True
) -> tuple[Part, Part | None, Part | None]:
    """Training, validation and test rows, the classes in equal shares; None for a part that is empty."""
    train, *others = train_validation_test_split(
        X, y, validation=validation, test=test, seed=SPLIT_SEED, stratify=target.classes_ is not None, shuffle=shuffle
    )
    chosen_by, judged_by = (part if len(part[0]) else None for part in others)
    return train, chosen_by, judged_by


def _with_classes(data: Dataset, task: str | None) -> tuple[Dataset, Target]:
    """Turn labels into indices into the classes; leave numbers unchanged."""
    X_train, y_train, X_test, y_test = data
    if y_train is None:
        raise ValueError("the NPZ file holds X but no y; training needs both")
    if y_train.ndim == 2 and y_train.shape[1] == 1:
        y_train, y_test = y_train[:, 0], None if y_test is None else y_test.reshape(len(y_test))
    every = y_train if y_test is None else np.concatenate([y_train, y_test])
    if (every == every[0]).all():
        raise ValueError(f"the target is {shown(every[0].tolist(), 60)} in every row; there is nothing to learn")
    if (task or ("classification" if y_train.ndim == 1 and y_train.dtype.kind in "iu" else "")) != "classification":
        return Dataset(X_train, y_train, X_test, y_test), Target("", None)
    if y_train.ndim != 1 or not (y_train == np.floor(y_train)).all():
        raise ValueError("task='classification' needs one whole number per row as its class")
    labels = np.unique(every)
    if len(labels) > _MOST_CLASSES:
        raise ValueError(f"y has {len(labels)} different whole numbers; if they are not classes, use task='regression'")
    train = np.searchsorted(labels, y_train)
    test = None if y_test is None else np.searchsorted(labels, y_test)
    return Dataset(X_train, train, X_test, test), Target("", labels)
