"""The container of a model: a safetensors file, read without trusting it.

    8 bytes, little-endian        length of the header
    header                        JSON: for every array its dtype, shape and place; "__metadata__": texts by name
    data                          the arrays one behind the other, little-endian, in row-major order, without gaps

The library safetensors writes; for reading it maps the file into memory, where a file that is cut off meanwhile kills
the process, so the arrays are read here. Header and size must agree before memory is taken for any of them.

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

from fastmlp.checks.errors import shown, some_names
from fastmlp.machine.files import open_regular

LONGEST_HEADER = 4 * 2**20
"""Bytes: far more than any network needs, and it bounds the memory for parsing."""
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
CODES: dict[np.dtype[Any], str] = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64"}


class ArrayPlace(NamedTuple):
    """What the header says of one array; ``begin`` and ``end`` count from the start of the data."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class ModelFile:
    """An open file whose header has been read: ``size`` in bytes, ``metadata``, and the ``places`` of its arrays."""

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
            raise ValueError(f"{path} is not a whole safetensors file (its header: {shown(str(error), 300)})") from None

    def _header_length(self, path: Path) -> int:
        """Hold the header's length against the file's size."""
        start = self._file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > self.size - 8:
            raise ValueError(
                f"{path} is not a safetensors file: its {self.size} bytes can't hold the header that they announce"
            )
        if length > LONGEST_HEADER:
            raise ValueError(f"{path} has a header of {length} bytes; a fastmlp model has {LONGEST_HEADER} at most")
        return length

    def check_places(self, expected: Mapping[str, tuple[str, tuple[int, ...]]]) -> None:
        """Raise ``ValueError`` unless the file holds exactly these arrays, by name dtype and shape, and no gaps."""
        if set(self.places) != set(expected):
            odd = some_names(sorted(set(self.places) ^ set(expected)), 5)
            raise ValueError(f"the arrays in the file are not those of the network described (differing: {odd:.200})")
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
                    f"array {name!r} stands at bytes {place.begin} to {place.end}, expected {end} to {end + n_bytes}"
                )
            end = place.end
        if self._start + end != self.size:
            raise ValueError(
                f"not a whole safetensors file: {self.size} bytes, expected {self._start + end} by its header"
            )

    def read(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, once their places have been checked, in the machine's byte order."""
        arrays = {}
        for name, place in sorted(self.places.items(), key=lambda item: (item[1].begin, item[1].end)):
            array = np.empty(place.shape, DTYPES[place.dtype])
            if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:  # type: ignore[attr-defined]
                raise ValueError(f"not a whole safetensors file: it was cut off within array {name!r}")
            arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
        return arrays


@contextmanager
def open_model(path: Path) -> Iterator[ModelFile]:
    """Open a model's file and read its header; ``ValueError`` naming the path for what is no safetensors file."""
    with open_regular(path) as file:
        yield ModelFile(file, path)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in it")
    return made


def _read_metadata(header: Any) -> dict[str, str]:
    """Take the metadata out of the header."""
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
        raise ValueError(f"array {name!r:.100} needs a name as dtype, whole numbers as shape, two as data_offsets")
    return ArrayPlace(dtype, tuple(shape), *offsets)


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
