"""Reading untrusted files, and writing files atomically.

Every reader of the package opens files through this module. Gzip is recognised
by its first two bytes, never by the name. Data are read in pieces, so memory
grows with what a file contains and not with what its header claims. Pipes and
devices are errors, because they may never end. Nothing is memory-mapped: if
someone truncates a mapped file, the process is killed. A file is written under
a temporary name in the same folder and then renamed, so readers see the old
file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import glob
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

_GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20  # bytes read at a time: large enough to be fast, small compared with any data set
MAX_BYTES = 4 * 2**30
"""Default limit of the data readers: a gzip file may unpack to a thousand times its size."""


def as_path(path: str | os.PathLike[str], argument: str = "path") -> Path:
    """Return ``path`` as a ``Path``.

    Raises ``TypeError`` naming ``argument`` if it is not a path.

    >>> as_path("digits.idx").name
    'digits.idx'
    """
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise TypeError(f"{argument} must be a string or a path, got {type(path).__name__}")
    return Path(path)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file like ``open(path, "rb")``, but raise ``ValueError`` for a pipe or a device.

    It never blocks: opening a pipe without a writer would otherwise hang.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path} is a pipe, a socket or a device; expected a regular file")
        yield file


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def gunzipped(stream: io.BufferedReader) -> BinaryIO:
    """Return ``stream``, decompressed if it is gzip."""
    if stream.peek(2)[:2] != _GZIP_MAGIC:
        return stream
    import gzip

    return cast(BinaryIO, gzip.GzipFile(fileobj=stream, mode="rb"))


@contextlib.contextmanager
def broken_gzip_as_value_error(name: object) -> Iterator[None]:
    """Turn the errors of a damaged gzip stream into a ``ValueError`` that starts with ``name``."""
    import gzip
    import zlib

    try:
        yield
    except EOFError:
        raise ValueError(f"{name}: the gzip data end too early; the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name}: the gzip data are damaged ({error})") from None


@contextlib.contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file and yield a stream of its contents, decompressed.

    Raises ``OSError`` if it cannot be opened, ``ValueError`` if it is not a regular file. Damaged gzip data found in
    the ``with`` block raise a ``ValueError`` that names the path.
    """
    with open_regular(path) as file, broken_gzip_as_value_error(path):
        yield gunzipped(file)


def pieces(stream: IO[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield the contents of ``stream`` in pieces, at most ``n_bytes`` in total."""
    while n_bytes > 0:
        piece = stream.read(min(_PIECE, n_bytes))
        if not piece:
            return
        n_bytes -= len(piece)
        yield piece


def read_at_most(stream: IO[bytes], n_bytes: int) -> bytearray:
    """Read up to ``n_bytes``, using memory only for the bytes that arrive.

    >>> bytes(read_at_most(io.BytesIO(b"abc"), 10**15))
    b'abc'
    """
    contents = bytearray()
    for piece in pieces(stream, n_bytes):
        contents += piece
    return contents


def too_large(path: Path, what: str, max_bytes: int) -> ValueError:
    """The error for a file that would need more than ``max_bytes`` of memory."""
    return ValueError(f"{path}: {what}, more than max_bytes={max_bytes}; increase max_bytes if the file is right")


@contextlib.contextmanager
def replacing(path: Path, keep: Path | None = None) -> Iterator[BinaryIO]:
    """Write a file atomically: yield a new file, which replaces ``path`` if the ``with`` block succeeds.

    The bytes go to a hidden file in the same folder, which is flushed to disk and
    renamed. The old file, if any, is then named ``keep``, if that is given. The
    folder is flushed last, so that the new name survives a power cut. After any
    exception, including an interrupt, the hidden file is removed and ``path`` is
    unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep is not None:
            _keep(path, keep)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Flush the names in the folder to disk, if the system can open a folder (Windows cannot)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _keep(path: Path, keep: Path) -> None:
    """Also name the file at ``path`` ``keep``; without hard links on this disk, rename it."""
    link = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    # Nothing to do if both are links to one file: renaming one to the other has no effect.
    if not path.exists() or (keep.exists() and path.samefile(keep)):
        return
    try:
        os.link(path, link)
        os.replace(link, keep)
    except OSError:
        os.replace(path, keep)


def remove_unfinished(path: Path) -> None:
    """Remove the temporary files of ``path`` left by processes that were killed in `replacing`."""
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            unfinished.unlink()
