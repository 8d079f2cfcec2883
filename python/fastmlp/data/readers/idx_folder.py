"""Folders of IDX files: images and labels, found by the names under which such data sets are published.

``train-images-idx3-ubyte``, ``t10k-labels.idx1-ubyte.gz``, ``emnist-letters-test-images-idx3-ubyte``, and so on: a
prefix of the data set, a part, what the file holds, and the form. Without a part, the file is for training.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.data.readers.dataset import Dataset
from fastmlp.data.readers.idx import read_idx
from fastmlp.machine.files import MAX_BYTES

_SUBFOLDERS = ("", "mnist", "MNIST/raw")  # the last is where torchvision stores them
_NAME = re.compile(r"(.*?)(train|t10k|test|)(?:ing)?[-_.]?(images|labels)(?:[-_.]idx\d?)?(?:-ubyte)?(\.gz)?", re.I)

Pairs = dict[str, dict[str, Path]]
"""Paths by part ("train", "test") and what the file holds ("images", "labels")."""


def idx_pairs(path: Path, prefix: str | None = None) -> Pairs:
    """The files of one data set: in a folder or a usual subfolder of it, or those that belong to one file.

    Names without a prefix come first; ``prefix`` names the only one that counts. Empty if there are none;
    ``ValueError`` if there are several data sets.
    """
    if not path.is_dir():
        match = _NAME.fullmatch(path.name)
        return {} if match is None else _pairs_in(path.parent).get(match[1].rstrip("-_."), {})
    for subfolder in _SUBFOLDERS:
        sets = _pairs_in(path / subfolder)
        if prefix is not None or "" in sets:
            sets = {name: pairs for name, pairs in sets.items() if name == (prefix or "")}
        if len(sets) > 1:
            names = ", ".join(printable(name, 40) for name in sorted(sets))
            raise ValueError(f"{path} holds several data sets ({names}); name the file of the images of one")
        if sets:
            return next(iter(sets.values()))
    return {}


def _pairs_in(folder: Path) -> dict[str, Pairs]:
    """The pairs of images and labels in a folder, by the prefix of their names."""
    sets: dict[str, Pairs] = {}
    for path in sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []:  # a.gz before a, which replaces it
        match = _NAME.fullmatch(path.name)
        if match is not None and path.is_file():
            part = "test" if match[2].lower() in ("t10k", "test") else "train"
            sets.setdefault(match[1].rstrip("-_."), {}).setdefault(part, {})[match[3].lower()] = path
    whole = {prefix: {part: pair for part, pair in parts.items() if len(pair) == 2} for prefix, parts in sets.items()}
    return {prefix: parts for prefix, parts in whole.items() if "train" in parts}


def read_pairs(pairs: Pairs, max_bytes: int = MAX_BYTES) -> Dataset:
    """Read images and labels, and check that they fit together; without a test part, those of ``Dataset`` are None."""
    train, test = pairs["train"], pairs.get("test")
    X_train, y_train = _read_pair(train["images"], train["labels"], max_bytes)
    if test is None:
        return Dataset(X_train, y_train, None, None)
    X_test, y_test = _read_pair(test["images"], test["labels"], max_bytes)
    if X_train.shape[1] != X_test.shape[1]:
        raise ValueError(
            f"{train['images']} has {X_train.shape[1]} pixels per image, {test['images']} has {X_test.shape[1]}; "
            "expected the same number"
        )
    return Dataset(X_train, y_train, X_test, y_test)


def _read_pair(images_path: Path, labels_path: Path, max_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images as rows of pixels, and their labels."""
    images, labels = (read_idx(path, max_bytes=max_bytes) for path in (images_path, labels_path))
    if images.dtype != np.uint8 or images.ndim != 3 or images.size == 0:
        raise ValueError(
            f"{images_path}: expected uint8 images of shape (n, height, width), "
            f"got {images.dtype} of shape {images.shape}"
        )
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{labels_path}: expected one uint8 label for each of {len(images)} images, "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    return images.reshape(len(images), -1), labels.astype(np.int64)
