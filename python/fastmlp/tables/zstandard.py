"""Text packed as Zstandard: the database unpacks it, since Python's library does so only since 3.14.

The database takes the end of a truncated file for the end of the text, so this looks first whether the last block is
there. Format: RFC 8878, section 3.1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from fastmlp.checks.errors import printable
from fastmlp.tables.database import connect, errors_as_values

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte from 0x50 to 0x5f: a frame with something else in it
_LONGEST_LINE = 1 << 24
_RUN = 1  # the type of a block that repeats one byte


def unpacked(file: BinaryIO) -> Iterator[bytes]:
    """The contents of a file of text, in pieces; lines end in a line feed.

    Raises ``EOFError`` if it is truncated, ``ValueError`` if the database cannot read it.
    """
    import nanoarrow

    n_bytes = os.fstat(file.fileno()).st_size
    while file.tell() < n_bytes:
        _skip_frame(file)
    if file.tell() > n_bytes:
        raise EOFError
    query = "SELECT line || chr(10) AS line FROM read_csv(?, columns={'line': 'VARCHAR'}, header=false, delim='\\x1e', "
    query += f"auto_detect=false, quote='', escape='', compression='zstd', max_line_size={_LONGEST_LINE})"
    with errors_as_values(printable(file.name, 200)):
        for block in nanoarrow.ArrayStream(connect().sql(query, params=[file.name])):
            yield bytes(block.child(0).buffers[2])  # texts, one after the other


def _skip_frame(file: BinaryIO) -> None:
    """Go to the end of a frame by the sizes that it tells."""
    magic = file.read(4)
    if magic[1:] == _SKIPPABLE and 0x50 <= magic[0] <= 0x5F:
        file.seek(_number(file, 4), os.SEEK_CUR)
        return
    if magic != MAGIC:
        raise EOFError
    descriptor = _number(file, 1)
    has_window = not descriptor >> 5 & 1
    size_bytes = (not has_window, 2, 4, 8)[descriptor >> 6]
    file.seek(has_window + (0, 1, 2, 4)[descriptor & 3] + size_bytes, os.SEEK_CUR)
    is_last = False
    while not is_last:
        header = _number(file, 3)
        is_last = bool(header & 1)
        file.seek(1 if header >> 1 & 3 == _RUN else header >> 3, os.SEEK_CUR)
    file.seek(4 * (descriptor >> 2 & 1), os.SEEK_CUR)  # a checksum


def _number(file: BinaryIO, n_bytes: int) -> int:
    """The next number."""
    digits = file.read(n_bytes)
    if len(digits) < n_bytes:
        raise EOFError
    return int.from_bytes(digits, "little")
