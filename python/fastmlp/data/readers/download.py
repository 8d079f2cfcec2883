"""Download files with known contents, and cache them.

A file is identified by the size and sha256 of its *unpacked* contents, since
mirrors may compress the same contents differently. Mirrors are tried in order.
A download is unpacked and checked while it is written, and gets its name only if
size and checksum match, so the cache never holds a partial or wrong file.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from fastmlp.checks.errors import shown
from fastmlp.machine.files import broken_gzip_as_value_error, gunzipped, pieces, replacing


class RemoteFile(NamedTuple):
    """A file that mirrors publish as ``name`` + ``.gz``; size in bytes and sha256 are those of the unpacked file."""

    name: str
    n_bytes: int
    sha256: str


def cache_folder(name: str) -> Path:
    """Return the folder for downloads called ``name``, which need not exist yet.

    It is in the folder named by the environment variable ``FASTMLP_CACHE``, or if that is not set in ``fastmlp`` in the
    user's cache folder (on Linux ``~/.cache/fastmlp``).

    >>> cache_folder("mnist").name
    'mnist'
    """
    chosen = os.environ.get("FASTMLP_CACHE")
    if chosen:
        return Path(chosen) / name
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fastmlp" / name


def fetch(remote: RemoteFile, folder: Path, mirrors: Sequence[str], *, timeout: float = 30.0) -> Path:
    """Return the path of ``remote`` in ``folder``, downloaded from the first mirror that has it.

    If the file is there and its size and checksum are right, no request is made;
    a damaged file is downloaded again.

    Parameters
    ----------
    remote : RemoteFile
    folder : Path
        Where the unpacked file is kept; created if necessary.
    mirrors : sequence of str
        Http or https addresses of folders; each is tried once, in order.
    timeout : float, default 30.0
        Seconds to wait for a mirror to answer, or to go on sending.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        A mirror that is not an http or https address.
    OSError
        No mirror had the file; the message lists each address and its error.
    """
    import http.client

    for mirror in mirrors:
        if not mirror.startswith(("http://", "https://")):
            raise ValueError(f"mirror must be an http:// or https:// address, got {shown(mirror)}")
    path = folder / remote.name
    if _is_intact(path, remote):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{remote.name}.gz"
        try:
            _download(url, path, remote, timeout)
            return path
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {error or type(error).__name__}")
    raise OSError(f"{remote.name} could not be downloaded to {folder}; tried {'; '.join(failures)}")


def _is_intact(path: Path, remote: RemoteFile) -> bool:
    """Whether ``path`` has exactly the contents of ``remote``."""
    import hashlib

    if not path.is_file() or path.stat().st_size != remote.n_bytes:
        return False
    checksum = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in pieces(file, remote.n_bytes):
            checksum.update(piece)
    return checksum.hexdigest() == remote.sha256


def _download(url: str, path: Path, remote: RemoteFile, timeout: float) -> None:
    """Download, unpack and check one file; ``path`` appears only if everything is right."""
    import hashlib
    import urllib.request

    request = urllib.request.Request(url, headers={"User-Agent": "fastmlp"})
    n_bytes, checksum = 0, hashlib.sha256()
    largest_body = remote.n_bytes + remote.n_bytes // 100 + 4096  # gzip never adds more than this
    with urllib.request.urlopen(request, timeout=timeout) as response, replacing(path) as file:
        with broken_gzip_as_value_error("download"):
            body = gunzipped(io.BufferedReader(_Limited(response, largest_body)))
            for piece in pieces(body, remote.n_bytes + 1):
                n_bytes += len(piece)
                checksum.update(piece)
                file.write(piece)
        if n_bytes != remote.n_bytes:
            got = "more" if n_bytes > remote.n_bytes else str(n_bytes)
            raise ValueError(f"expected {remote.n_bytes} bytes of contents, got {got}")
        if checksum.hexdigest() != remote.sha256:
            raise ValueError(f"expected contents with sha256 {remote.sha256}, got {checksum.hexdigest()}")


class _Limited(io.RawIOBase):
    """A response body that raises ``ValueError`` after too many bytes."""

    def __init__(self, response: IO[bytes], n_bytes: int) -> None:
        self._response = response
        self._left = n_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._response.read(len(buffer))
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError("the mirror sent more bytes than the file can have")
        buffer[: len(piece)] = piece
        return len(piece)
