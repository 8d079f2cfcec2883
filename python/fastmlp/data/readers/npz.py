"""NPZ files as training data.

NumPy's own reader allocates what the header of an array claims. This reader
parses the header, compares it with the size of the archive member, and reads the
data in pieces, so a damaged or forged file ends in a ``ValueError``. Nothing is
ever unpickled.

Source: the format description in ``numpy.lib.format``.
"""

from __future__ import annotations

import ast
import math
import os
import re
import struct
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, some_names
from fastmlp.checks.values import check_size
from fastmlp.data.readers.dataset import Dataset
from fastmlp.machine.files import MAX_BYTES, as_path, open_regular, read_at_most, too_large

_LONGEST_HEADER = 10_000  # bytes; NumPy's own limit for untrusted headers
_STORED, _DEFLATED = 0, 8  # the compression methods that NumPy uses
_NUMERIC = re.compile(r"[<>|=]?[biuf]\d{1,2}")
_INPUTS = ("x", "data", "features", "inputs", "images")
_TARGETS = ("y", "target", "targets", "labels", "label")
_PARTS = re.compile(r"(?:(train|test)(?:ing)?_?)?([a-z]+?)(?:_?(train|test)(?:ing)?)?")
_LAYOUTS = (("x",), ("x", "y"), ("x_train", "y_train"), ("x_train", "y_train", "x_test", "y_test"))


def read_npz(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Dataset:
    """Read training data, and test data if there is any, from an NPZ file.

    The arrays are named ``X`` alone, ``X`` and ``y``, or ``X_train`` and ``y_train`` with or without ``X_test`` and
    ``y_test``, in upper or lower case. Instead of ``X``, ``data``, ``features``, ``inputs`` or ``images`` will do, and
    instead of ``y``, ``target`` or ``labels``; also with the part in front, as in ``train_images``. Other arrays in the
    file are ignored.

    Parameters
    ----------
    path : path
        A file as written by ``numpy.savez`` or ``numpy.savez_compressed``.
    max_bytes : int, default 4 GiB
        Limit on the memory for all arrays together, in bytes. A small compressed file can unpack to a thousand times
        its size.

    Returns
    -------
    Dataset
        ``X_*`` with two dimensions (images become rows), in the dtype of the file; ``y_*`` as int64 if they are
        integers or booleans, else in the dtype of the file. ``y_train`` is None if the file has ``X`` alone; ``X_test``
        and ``y_test`` are None if it has no test data.

    Raises
    ------
    ValueError
        The file is damaged, not an NPZ file or not a regular file; arrays are missing, contain text or Python objects,
        differ in length, or are larger than ``max_bytes``.
    OSError
        The file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "points.npz"
    >>> np.savez(path, X=np.eye(3), y=np.array([0, 1, 1], dtype=np.uint8))
    >>> read_npz(path).y_train
    array([0, 1, 1])
    """
    import zipfile
    import zlib

    path = as_path(path)
    check_size("max_bytes", max_bytes, sys.maxsize)
    # What zipfile raises for damaged files. RuntimeError: encrypted; NotImplementedError: unknown compression;
    # OSError and OverflowError: an offset before the start or beyond the end.
    broken: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, EOFError, struct.error)
    broken += (RuntimeError, NotImplementedError, OSError, OverflowError, UnicodeDecodeError)
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                arrays = _read_members(archive, path, max_bytes)
        except broken as error:
            raise ValueError(f"{path} is damaged or not an NPZ file ({printable(str(error), 200)})") from None
    n_columns = arrays[0][0].shape[1]
    for X, _ in arrays[1:]:
        if X.shape[1] != n_columns:
            raise ValueError(f"{path}: X_train has {n_columns} columns, X_test has {X.shape[1]}")
    test = arrays[1] if len(arrays) == 2 else (None, None)
    return Dataset(*arrays[0], *test)


def _read_members(archive: Any, path: Path, max_bytes: int) -> list[tuple[NDArray[Any], Any]]:
    """Read the arrays of the layout found: one or two pairs of inputs and targets."""
    every: dict[str, Any] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy").lower()
        if name in every:
            raise ValueError(f"{path} holds {name!r:.100} twice (upper and lower case count as the same)")
        every[name] = info
    members = _usual_names(every)
    layout = next((names for names in _LAYOUTS if set(names) == set(members)), None)
    if layout is None:
        raise ValueError(
            f"{path} holds {some_names(sorted(every)) or 'no arrays'}; expected X, X and y, or X_train and "
            "y_train, or X_train, y_train, X_test and y_test (or train_images, train_labels and so on)"
        )
    total = sum(members[name].file_size for name in layout)
    if total > max_bytes:
        raise too_large(path, f"the arrays declare {total} bytes", max_bytes)
    arrays: list[Any] = [_read_array(archive, members[name], f"{path}: {name}") for name in layout]
    if layout == ("x",):
        layout, arrays = ("x", "y"), [arrays[0], None]
    return [
        _checked_pair(arrays[i], arrays[i + 1], f"{path}: {layout[i]}", layout[i + 1]) for i in range(0, len(layout), 2)
    ]


def _usual_names(members: dict[str, Any]) -> dict[str, Any]:
    """The members that have a usual name, by the names x, y, x_train, ...; of several for one, the most usual name.

    >>> _usual_names({"train_images": 1, "labels_train": 2, "names": 3})
    {'x_train': 1, 'y_train': 2}
    """
    found: dict[str, tuple[int, Any]] = {}
    for name, info in members.items():
        match = _PARTS.fullmatch(name)
        for short, names in (("x", _INPUTS), ("y", _TARGETS)):
            if match is not None and match[2] in names and not (match[1] and match[3]):
                part = match[1] or match[3]
                key, rank = f"{short}_{part}" if part else short, names.index(match[2])
                if key not in found or rank < found[key][0]:
                    found[key] = rank, info
    return {key: info for key, (_, info) in found.items()}


def _read_array(archive: Any, info: Any, where: str) -> NDArray[Any]:
    """Read one member of the archive."""
    if info.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(f"{where} is compressed in a way that NumPy does not use (zip method {info.compress_type})")
    with archive.open(info) as stream:
        dtype, fortran_order, shape, n_header = _read_header(stream, where)
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes != info.file_size - n_header:
            declared = n_bytes if n_bytes < 10**18 else "over 10**18"  # it may have thousands of digits
            raise ValueError(
                f"{where} declares shape {_shown(shape)} of {dtype.name}, which is {declared} bytes, "
                f"but holds {info.file_size - n_header}"
            )
        contents = read_at_most(stream, n_bytes + 1)
    if len(contents) != n_bytes:
        raise ValueError(f"{where} declares {n_bytes} bytes, but holds {len(contents)}")
    try:
        array = np.frombuffer(contents, dtype=dtype).reshape(shape, order="F" if fortran_order else "C")
    except ValueError as error:
        raise ValueError(f"{where}: NumPy cannot hold the shape {_shown(shape)} ({error!s:.200})") from None
    return array.astype(dtype.newbyteorder("="), order="C", copy=False)


def _read_header(stream: IO[bytes], where: str) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Read the NPY header: dtype, whether Fortran order, shape, and the length of the header in bytes."""
    start = bytes(read_at_most(stream, 8))
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\x01\x00", b"\x02\x00"):
        raise ValueError(f"{where} is not an array of numbers in NumPy's format")
    width, code = (2, "<H") if start[6] == 1 else (4, "<I")
    length_field = bytes(read_at_most(stream, width))
    length = struct.unpack(code, length_field)[0]
    if length > _LONGEST_HEADER:
        raise ValueError(f"{where} has a header of {length} bytes; expected {_LONGEST_HEADER} at most")
    text = bytes(read_at_most(stream, length))
    try:
        header = ast.literal_eval(text.decode("latin-1").strip())
        descr, fortran_order, shape = header["descr"], header["fortran_order"], header["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError(f"{where} has a damaged header") from None
    if not (isinstance(descr, str) and _NUMERIC.fullmatch(descr)):
        raise ValueError(f"{where} has dtype {descr!r:.100}; expected numbers, not text or objects")
    if not (isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)):
        raise ValueError(f"{where} has the shape {_shown(shape)} in its header; expected a tuple of sizes")
    try:
        dtype = np.dtype(descr)
    except TypeError:
        raise ValueError(f"{where} has dtype {descr!r}, which NumPy does not know") from None
    return dtype, bool(fortran_order), shape, 8 + width + length


def _shown(shape: object) -> str:
    """A shape from a header, which may be of any length, for a message."""
    try:
        return printable(str(shape), 100)
    except ValueError:  # a number of more digits than Python writes
        return "of thousands of digits"


def _checked_pair(X: NDArray[Any], y: NDArray[Any] | None, where: str, y_name: str) -> tuple[NDArray[Any], Any]:
    """Return inputs as rows and whole-number targets as int64."""
    if X.ndim < 2 or X.size == 0:
        raise ValueError(f"{where} has shape {X.shape}; expected (n, n_features), not empty")
    if y is None:
        return X.reshape(len(X), -1), None
    if y.ndim not in (1, 2) or len(y) != len(X):
        raise ValueError(f"{where} has {len(X)} rows, {y_name} has shape {y.shape}; expected one target per row")
    if y.dtype.kind in "biu":
        if y.size and int(y.max()) > np.iinfo(np.int64).max:
            raise ValueError(f"{where}: {y_name} holds {y.max()}, which is too large for int64")
        y = y.astype(np.int64)
    return X.reshape(len(X), -1), y
