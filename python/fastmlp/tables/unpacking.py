"""Files as a format can read them: found, opened safely, unpacked to a temporary copy within a limit.

gzip, bzip2, xz, Zstandard and zip are recognised by their first bytes, never by the name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import sys
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterable
from glob import glob
from pathlib import Path
from typing import IO, BinaryIO, cast

from fastmlp.checks.errors import printable, some_names
from fastmlp.machine.files import open_regular, pieces, too_large

_HEAD = 1 << 16


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
                    raise too_large(Path(self.name), "unpacks to more", self.max_bytes)
        return path


def open_files(source: str | os.PathLike[str], max_bytes: int) -> Files:
    """Find the files that ``source`` names: a path, a pattern such as ``sales/*.csv``, or ``-`` for standard input."""
    name = os.fspath(source)
    files = Files(printable(name, 200), max_bytes)
    try:
        if name == "-":
            files.paths = (_plain(files, files.write(pieces(sys.stdin.buffer, max_bytes + 1)), name),)
        else:
            found = [name] if os.path.exists(name) else sorted(glob(name, recursive=True))
            if not found:
                raise FileNotFoundError(f"{files.name}: no such file")
            files.paths = tuple(_plain(files, Path(path), path) for path in found)
        if files.paths[0].is_file():
            with open_regular(files.paths[0]) as file:
                files.head = file.read(_HEAD)
    except BaseException:
        files.close()
        raise
    return files


def _plain(files: Files, path: Path, name: str) -> Path:
    """The file itself, or an unpacked copy of it."""
    if path.is_dir():
        return path
    with open_regular(path) as file:
        start = file.peek(6)
        opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
        if opener is None or (opener is _zip_member and _is_workbook(file)):
            return path
        try:
            with opener(file) as stream:
                return files.write(pieces(stream, files.max_bytes + 1))
        except EOFError:
            raise ValueError(f"{printable(name, 200)}: the packed data end too early; the file is truncated") from None
        except (OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise ValueError(f"{printable(name, 200)}: the packed data are damaged ({error})") from None


def _zip_member(file: BinaryIO) -> IO[bytes]:
    """The only file in an archive."""
    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise ValueError(f"the archive has {len(names)} files ({some_names(names, 5)}); unpack it and name one")
    return archive.open(names[0])


def _is_workbook(file: BinaryIO) -> bool:
    """Whether an archive is one of Office's files, which stay as they are."""
    try:
        return "[Content_Types].xml" in zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False
    finally:
        file.seek(0)


_OPENERS: dict[bytes, Callable[[io.BufferedReader], IO[bytes]]] = {
    b"\x1f\x8b": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"PK\3\4": _zip_member,
}
