"""IDX files: the format in which MNIST is published.

An IDX file is a four-byte magic number (two zero bytes, a code for the type of
the values, the number of dimensions), one big-endian unsigned 32-bit size per
dimension, and the values in row-major order, big-endian. The header is not
trusted: a file that is shorter or longer than it says is an error, and nothing
is allocated for sizes that the file only claims.

Source: the format description on the MNIST page (Y. LeCun, C. Cortes,
C. J. C. Burges, "The MNIST database of handwritten digits").
"""

from __future__ import annotations

import math
import os
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.values import check_size
from fastmlp.machine.files import MAX_BYTES, as_path, open_binary, read_at_most, replacing, too_large

_DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CODES = {dtype.newbyteorder("="): code for code, dtype in _DTYPES.items()}
_NAMES = ", ".join(dtype.name for dtype in _CODES)
_LARGEST_SIZE = 2**32 - 1


def read_idx(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> NDArray[Any]:
    """Read an IDX file, gzip-compressed or not.

    Parameters
    ----------
    path : path
        Gzip is recognised by the contents; the name does not matter.
    max_bytes : int, default 4 GiB
        Limit on the memory for the array, in bytes. A small compressed file can unpack to a thousand times its size.

    Returns
    -------
    ndarray
        Writable, with the shape in the header; dtype uint8, int8, int16, int32, float32 or float64 in native byte
        order.

    Raises
    ------
    ValueError
        The file is not IDX, not a regular file, or shorter or longer than its header says; or the array would be
        larger than ``max_bytes``.
    OSError
        The file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels.idx.gz"
    >>> write_idx(path, np.array([5, 0, 4], dtype=np.uint8))
    >>> read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = as_path(path)
    check_size("max_bytes", max_bytes, sys.maxsize)
    with open_binary(path) as stream:
        dtype, shape = _read_header(stream, path)
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes > max_bytes:
            declared = n_bytes if n_bytes < 10**18 else "over 10**18"  # it may have hundreds of digits
            raise too_large(path, f"the IDX header declares {declared} bytes of data", max_bytes)
        contents = read_at_most(stream, n_bytes + 1)
    if len(contents) != n_bytes:
        held = "more" if len(contents) > n_bytes else f"only {len(contents)}"
        raise ValueError(
            f"{path}: the IDX header declares {n_bytes} bytes of data (shape {shape!s:.100}, {dtype.name}), "
            f"the file holds {held}"
        )
    try:
        array = np.frombuffer(contents, dtype=dtype).reshape(shape)
    except ValueError as error:  # more dimensions than NumPy allows, or a huge shape with a zero in it
        raise ValueError(f"{path}: NumPy cannot hold the shape {shape!s:.100} in the IDX header ({error})") from None
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))


def _read_header(stream: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read the magic number and the sizes."""
    magic = read_at_most(stream, 4)
    if len(magic) < 4 or magic[0] or magic[1] or magic[2] not in _DTYPES:
        raise ValueError(
            f"{path} is not an IDX file: expected two zero bytes and a type code from 0x08 to 0x0E, "
            f"got {bytes(magic).hex(' ') or 'an empty file'}"
        )
    rank = magic[3]
    sizes = read_at_most(stream, 4 * rank)
    if len(sizes) < 4 * rank:
        raise ValueError(
            f"{path}: the IDX header ends too early: {rank} dimensions need {4 * rank} bytes of sizes, got {len(sizes)}"
        )
    return _DTYPES[magic[2]], struct.unpack(f">{rank}I", sizes)


def write_idx(path: str | os.PathLike[str], array: ArrayLike) -> None:
    """Write an array as an IDX file, compressed with gzip if the name ends in ``.gz``.

    Parameters
    ----------
    path : path
        An existing file is replaced atomically.
    array : array_like
        Of dtype uint8, int8, int16, int32, float32 or float64, any shape.

    Raises
    ------
    TypeError
        A dtype for which IDX has no code.
    ValueError
        A dimension of 2**32 or more, or more than 255 dimensions.
    OSError
        The file cannot be written.

    Notes
    -----
    The same array always gives the same bytes: no name or time is stored.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "points.idx"
    >>> write_idx(path, np.array([[0.5, 1.0]], dtype=np.float32))
    >>> path.read_bytes().hex(" ", 4)
    '00000d02 00000001 00000002 3f000000 3f800000'
    """
    path = as_path(path)
    values = np.asarray(array, order="C")
    code = _CODES.get(values.dtype.newbyteorder("="))
    if code is None:
        raise TypeError(f"array has dtype {values.dtype}, which IDX cannot hold; expected one of {_NAMES}")
    if max(values.shape, default=0) > _LARGEST_SIZE or values.ndim > 255:
        raise ValueError(f"array has shape {values.shape}; IDX holds 255 dimensions below 2**32 at most")
    header = struct.pack(f">2xBB{values.ndim}I", code, values.ndim, *values.shape)
    data = values.astype(_DTYPES[code], copy=False).reshape(-1).view(np.uint8)
    with replacing(path) as file:
        if path.suffix == ".gz":
            import gzip

            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                _write(cast(BinaryIO, packed), header, data)
        else:
            _write(file, header, data)


def _write(stream: BinaryIO, header: bytes, data: NDArray[np.uint8]) -> None:
    stream.write(header)
    stream.write(data.data)
