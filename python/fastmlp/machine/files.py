"""Reading and writing files without trusting them.

Every reader of the package opens files through here. Gzip is recognised by
its first two bytes, never by the name. Data are read in pieces, so that memory
grows with what a file really holds and not with what its header claims; pipes
and devices, which end late or never, are refused. Nothing is mapped into
memory: a mapped file that somebody cuts off kills the process. A file is
written beside its final place and renamed at the end: readers see the old file
or the new one, never half of one.
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
_PIECE = 1 << 20  # bytes read at a time: large enough to be quick, small beside any data set
MAX_BYTES = 4 * 2**30
"""What readers of data take in at most unless told otherwise; packed files unfold to a thousand times their size."""


def as_path(path: str | os.PathLike[str], argument: str = "path") -> Path:
    """Return ``path`` as a ``Path``.

    Raises ``TypeError`` naming ``argument`` when it is not a path.

    >>> as_path("digits.idx").name
    'digits.idx'
    """
    if not isinstance(path, (str, os.PathLike)) or isinstance(os.fspath(path), bytes):
        raise TypeError(f"{argument} must be a string or a path, got {type(path).__name__}")
    return Path(path)


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """Open a file for reading, as ``open(path, "rb")`` does, if it is one: ``ValueError`` for a pipe or a device.

    It never waits: a pipe without a writer would otherwise hold the program for good.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{path} is a pipe, a socket or a device; expected a regular file")
        yield file


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def gunzipped(stream: io.BufferedReader) -> BinaryIO:
    """Return a stream of the contents of ``stream``: unpacked when it is gzip, itself otherwise."""
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
    """Open a plain or gzip file for reading its contents as bytes.

    Raises ``OSError`` when it cannot be opened, ``ValueError`` for what is no regular file. Damaged
    gzip data met inside the ``with`` block become a ``ValueError`` naming the path.
    """
    with open_regular(path) as file, broken_gzip_as_value_error(path):
        yield gunzipped(file)


def pieces(stream: IO[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield the contents of ``stream`` piece by piece, ``n_bytes`` at most in all."""
    while n_bytes > 0:
        piece = stream.read(min(_PIECE, n_bytes))
        if not piece:
            return
        n_bytes -= len(piece)
        yield piece


def read_at_most(stream: IO[bytes], n_bytes: int) -> bytearray:
    """Read up to ``n_bytes``; the memory taken is that of the bytes that really come.

    >>> bytes(read_at_most(io.BytesIO(b"abc"), 10**15))
    b'abc'
    """
    contents = bytearray()
    for piece in pieces(stream, n_bytes):
        contents += piece
    return contents


def too_large(path: Path, what: str, max_bytes: int) -> ValueError:
    """The error for a file that asks for more memory than it may have."""
    return ValueError(f"{path}: {what}, more than max_bytes={max_bytes}; raise max_bytes if that is right")


@contextlib.contextmanager
def replacing(path: Path, keep: Path | None = None) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``path`` when the ``with`` block ends well.

    The bytes go to a hidden file in the same folder, are flushed to the disk,
    and the file is renamed; what had its name before is called ``keep`` then, if
    that is given. The folder is flushed last, so that the new name outlives a
    power cut. After any exception, an interrupt included, the hidden file is
    removed and ``path`` is as it was.
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
    """Write the folder's names to the disk, where the system lets a folder be opened: Windows doesn't."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _keep(path: Path, keep: Path) -> None:
    """Give what is at ``path`` the name ``keep`` too; where the disk knows no links, that name alone."""
    link = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    if not path.exists() or (keep.exists() and path.samefile(keep)):  # a link to the same file couldn't be renamed
        return
    try:
        os.link(path, link)
        os.replace(link, keep)
    except OSError:
        os.replace(path, keep)


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed in `replacing` have left beside ``path``."""
    for unfinished in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with contextlib.suppress(OSError):
            unfinished.unlink()
