"""What the messages of an Arrow file declare, read before anything believes them: rows and sizes.

An Arrow file is a sequence of messages, each a flatbuffer (fields are found through a table of offsets) and a body of
buffers. A compressed buffer begins with its size once unpacked; a few bytes may claim any size.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, NamedTuple

MAGIC = b"ARROW1\0\0"
_CONTINUED = 0xFFFFFFFF
_DICTIONARY, _ROWS = 2, 3  # kinds of messages
_MOST_METADATA = 1 << 26


class Facts(NamedTuple):
    """Bytes that the buffers take once unpacked, and rows in all."""

    n_bytes: int
    n_rows: int


def facts_of(file: BinaryIO, begin: int) -> Facts:
    """Look at the messages from this place on, without reading the buffers.

    Raises ``ValueError`` if they can't be.
    """
    n_bytes, n_rows = 0, 0
    size = os.fstat(file.fileno()).st_size
    file.seek(begin)
    try:
        while (message := _next(file)) is not None:
            (kind,), body = message.scalar(1, "<B"), file.tell()
            if kind in (_DICTIONARY, _ROWS):
                header = message.table(2)
                batch = header.table(1) if kind == _DICTIONARY else header
                packed = batch.place(3) is not None
                n_rows += batch.scalar(0, "<q")[0] if kind == _ROWS else 0
                n_bytes += sum(_unpacked(file, body + at, length, packed) for at, length in batch.pairs(2))
            (length,) = message.scalar(3, "<q")
            if not 0 <= length <= size - body:
                raise ValueError("it ends too early")
            file.seek(body + length)
    except (struct.error, OverflowError, OSError):
        raise ValueError("its messages are damaged") from None
    return Facts(n_bytes, n_rows)


def _unpacked(file: BinaryIO, at: int, length: int, packed: bool) -> int:
    """Bytes of a buffer once unpacked."""
    if length < 0:
        raise ValueError("a buffer has a negative length")
    if not packed or length < 8:
        return length
    file.seek(at)
    (n_bytes,) = struct.unpack("<q", file.read(8))
    return int(n_bytes) if n_bytes >= 0 else length  # -1: this buffer is not compressed


class _Table:
    """A table of a flatbuffer: fields by number."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - struct.unpack_from("<i", data, at)[0]
        if at < 0 or self._fields < 0:
            raise ValueError("its messages are damaged")

    def place(self, field: int) -> int | None:
        """Where the field is; None if it is left out."""
        (size,) = struct.unpack_from("<H", self._data, self._fields)
        if 4 + 2 * field + 2 > size:
            return None
        (offset,) = struct.unpack_from("<H", self._data, self._fields + 4 + 2 * field)
        return self._at + offset if offset else None

    def scalar(self, field: int, form: str) -> tuple[int, ...]:
        place = self.place(field)
        return (0,) if place is None else struct.unpack_from(form, self._data, place)

    def table(self, field: int) -> _Table:
        place = self.place(field)
        if place is None:
            raise ValueError("its messages are damaged")
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of pairs of whole numbers."""
        place = self.place(field)
        if place is None:
            return []
        place += struct.unpack_from("<I", self._data, place)[0]
        (n,) = struct.unpack_from("<I", self._data, place)
        if 16 * n > len(self._data):
            raise ValueError("its messages are damaged")
        return [struct.unpack_from("<qq", self._data, place + 4 + 16 * i) for i in range(n)]


def _next(file: BinaryIO) -> _Table | None:
    """The next message; None at the end."""
    start = file.read(8)
    if len(start) < 8:
        return None
    mark, length = struct.unpack("<II", start)
    if mark != _CONTINUED or length > _MOST_METADATA:
        raise ValueError("its messages are damaged")
    if not length:
        return None
    data = file.read(length)
    return _Table(data, struct.unpack_from("<I", data)[0])
