"""The container of a model: a safetensors file, read without trusting it.

    8 bytes, little-endian        length of the header
    header                        JSON: dtype, shape and place of each array; "__metadata__": texts by name
    data                          the arrays one after another, little-endian, in row-major order, without gaps

The safetensors library writes the file but does not read it: it would map the file into memory, and if the file is then
cut off, the process dies. So this module reads the arrays. Header and size must agree before any array gets memory.

Source: the safetensors format, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, some_names
from fastmlp.machine.files import open_regular

LONGEST_HEADER = 4 * 2**20
"""In bytes: far more than any network needs, and a limit on the memory for parsing."""
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
CODES: dict[np.dtype[Any], str] = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64"}


class ArrayPlace(NamedTuple):
    """One array in the header; ``begin`` and ``end`` are bytes from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class ModelFile:
    """An open file with a checked header: its ``size`` in bytes, ``metadata``, and the ``places`` of its arrays."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        length = self._header_length(path)
        self._start = 8 + length
        try:
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_without_repeats)
            self.metadata = _read_metadata(header)
            self.places = {name: _read_place(name, place) for name, place in header.items()}
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(
                f"{path} is not a complete safetensors file (its header: {printable(str(error), 300)})"
            ) from None

    def _header_length(self, path: Path) -> int:
        """Check the header's length against the file's size."""
        start = self._file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > self.size - 8:
            raise ValueError(
                f"{path} is not a safetensors file: its {self.size} bytes are fewer than its first 8 announce"
            )
        if length > LONGEST_HEADER:
            raise ValueError(f"{path} has a header of {length} bytes; a fastmlp model has at most {LONGEST_HEADER}")
        return length

    def check_places(self, expected: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
        """Raise ``ValueError`` unless the file has exactly these arrays (name -> dtype and shape), without gaps."""
        if set(self.places) != set(expected):
            odd = some_names(sorted(set(self.places) ^ set(expected)), 5)
            raise ValueError(f"the file must have the arrays of the network it describes (different: {odd:.200})")
        for name, (code, shape) in expected.items():
            got = self.places[name]
            if (got.dtype, got.shape) != (code, shape):
                raise ValueError(
                    f"array {name!r} is {got.dtype:.20} of shape {got.shape!s:.100}, expected {code} of shape {shape}"
                )
        end = 0
        for name, place in sorted(self.places.items(), key=lambda item: (item[1].begin, item[1].end)):
            n_bytes = math.prod(place.shape) * DTYPES[place.dtype].itemsize
            if (place.begin, place.end) != (end, end + n_bytes):
                raise ValueError(
                    f"array {name!r} is at bytes {place.begin} to {place.end}, expected {end} to {end + n_bytes}"
                )
            end = place.end
        if self._start + end != self.size:
            raise ValueError(
                f"not a complete safetensors file: {self.size} bytes, but {self._start + end} according to its header"
            )

    def read(self) -> dict[str, NDArray[Any]]:
        """Read all arrays, in native byte order; call `check_places` first."""
        arrays = {}
        for name, place in sorted(self.places.items(), key=lambda item: (item[1].begin, item[1].end)):
            array = np.empty(place.shape, DTYPES[place.dtype])
            if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:  # type: ignore[attr-defined]
                raise ValueError(f"not a complete safetensors file: it ends within array {name!r}")
            arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
        return arrays


@contextmanager
def open_model(path: Path) -> Iterator[ModelFile]:
    """Open a file and read its header; ``ValueError`` with the path if it is not a safetensors file."""
    with open_regular(path) as file:
        yield ModelFile(file, path)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("it has a name twice")
    return made


def _read_metadata(header: Any) -> dict[str, str]:
    """Take the metadata out of the header, and check them."""
    if not isinstance(header, dict):
        raise ValueError(f"expected a dictionary, got {type(header).__name__}")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("expected metadata of texts by name")
    return metadata


def _read_place(name: str, place: Any) -> ArrayPlace:
    if not isinstance(place, dict) or set(place) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"array {name!r:.100} needs dtype, shape and data_offsets")
    dtype, shape, offsets = place["dtype"], place["shape"], place["data_offsets"]
    if not isinstance(dtype, str) or not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"array {name!r:.100} needs a text as dtype, whole numbers as shape, two as data_offsets")
    return ArrayPlace(dtype, tuple(shape), *offsets)


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
