"""Files as a format can read them: found, opened safely, unpacked to a temporary copy within a limit.

gzip, bzip2, xz, Zstandard and zip are recognised by their first bytes, never by the name.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import shutil
import sys
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from glob import glob
from pathlib import Path
from typing import Any, BinaryIO

from fastmlp.checks.errors import printable, some_names
from fastmlp.machine.files import open_regular, pieces, too_large
from fastmlp.tables import zstandard

_HEAD = 1 << 16
_PATTERN = frozenset("*?[")


class Files:
    """One or more files of one kind, each plain, that a format reads by path.

    Attributes
    ----------
    name : str
        As the person knows them; messages begin with it.
    paths : tuple of Path
        Where the plain contents are: the files themselves, or copies.
    head : bytes
        The beginning of the first one, by which its format is known.
    """

    def __init__(self, name: str, max_bytes: int) -> None:
        self.name = name
        self.paths: tuple[Path, ...] = ()
        self.head = b""
        self.max_bytes = max_bytes
        self._folder: Path | None = None
        self.close: Callable[[], object] = lambda: None

    def room(self) -> Path:
        """A path for a new temporary file, which is removed by ``close`` or with this object."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="fastmlp-"))
            self.close = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / str(len(os.listdir(self._folder)))

    def write(self, contents: Iterable[bytes]) -> Path:
        """A temporary file with these contents: at most ``max_bytes``."""
        path = self.room()
        written = 0
        with open(path, "xb") as file:
            for piece in contents:
                written += file.write(piece)
                if written > self.max_bytes:
                    raise too_large(Path(self.name), f"its contents have at least {written} bytes", self.max_bytes)
        return path

    def add(self, path: Path) -> None:
        """One more file: as it is, or a copy of what is packed in it."""
        name = printable(os.fspath(path), 200)
        if path.is_dir():
            self.paths += (path,)
            return
        with open_regular(path) as file:
            start = file.peek(6)
            unpack = next((unpack for magic, unpack in _PACKED.items() if start.startswith(magic)), None)
            try:
                contents = None if unpack is None else unpack(file, self.max_bytes + 1)
                if contents is not None:
                    path = self.write(contents)
                elif not _PATTERN.isdisjoint(os.fspath(path)):  # the database would look for what matches
                    link = self.room()
                    link.symlink_to(path.absolute())
                    path = link
            except EOFError:
                raise ValueError(f"{name}: the packed data end too early; the file is truncated") from None
            except (zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                raise ValueError(f"{name}: the packed data are damaged, or need a password ({error})") from None
            except OSError as error:
                if error.errno is not None:
                    raise
                raise ValueError(f"{name}: the packed data are damaged ({error})") from None
        self.paths += (path,)


def open_files(source: str | os.PathLike[str], max_bytes: int) -> Files:
    """Find the files that ``source`` names: a path, a pattern such as ``sales/*.csv``, or ``-`` for standard input."""
    name = os.fspath(source)
    files = Files("standard input" if name == "-" else printable(name, 200), max_bytes)
    try:
        if name == "-":
            files.add(files.write(pieces(sys.stdin.buffer, max_bytes + 1)))
        elif os.path.exists(name):
            files.add(Path(name))
        else:
            for path in sorted(glob(name, recursive=True)):
                files.add(Path(path))
        if not files.paths:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        if files.paths[0].is_file():
            with open_regular(files.paths[0]) as file:
                files.head = file.read(_HEAD)
    except BaseException:
        files.close()
        raise
    return files


def _unzipped(file: BinaryIO, n_bytes: int) -> Iterator[bytes] | None:
    """The only file in an archive; None for a document that is an archive by itself, as those of Excel are."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if "[Content_Types].xml" in names:
        return None
    if len(names) != 1:
        raise ValueError(f"{file.name}: it holds {len(names)} files ({some_names(names, 5)}); unpack it and name one")
    return pieces(archive.open(names[0]), n_bytes)


def _by(opener: Any) -> Callable[[BinaryIO, int], Iterator[bytes]]:
    """Unpack through a file object of Python's library."""

    def unpack(file: BinaryIO, n_bytes: int) -> Iterator[bytes]:
        with opener(file) as stream:
            yield from pieces(stream, n_bytes)

    return unpack


_PACKED: dict[bytes, Callable[[BinaryIO, int], Iterator[bytes] | None]] = {
    b"\x1f\x8b": _by(gzip.open),
    b"BZh": _by(bz2.open),
    b"\xfd7zXZ\0": _by(lzma.open),
    b"PK\3\4": _unzipped,
    zstandard.MAGIC: lambda file, n_bytes: zstandard.unpacked(file),
}
"""How each kind of packed file is unpacked, by its first bytes."""
