"""Encodings of text files: found by the first bytes, made UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins as UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b\x1f"))
_PIECE = 1 << 20
_LENIENT = "fastmlp-latin1"


def find_encoding(head: bytes, origin: str) -> str:
    """The encoding of a file that begins with ``head``: UTF-8, UTF-16 or UTF-32, else cp1252, which extends Latin-1.

    Raises ``ValueError`` if it is not text.

    >>> find_encoding("größe".encode("cp1252"), "sizes.csv")
    'cp1252'
    """
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if head[1::2].count(0) > len(head) // 5 > 0 and 0 not in head[::2]:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 5 > 0 and 0 not in head[1::2]:
        return "utf-16-be"
    if len(head.translate(None, _CONTROL)) < len(head):
        raise ValueError(f"{origin} is not text, nor any other format that can be read")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def is_utf8(path: Path) -> bool:
    """Whether all of a file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(path: Path, encoding: str, origin: str) -> Iterator[bytes]:
    """The text of a file in UTF-8, in pieces; bytes without a meaning in cp1252 are read as Latin-1.

    Raises ``ValueError`` if other bytes have no meaning.
    """
    try:
        with open(path, encoding=encoding, newline="", errors=_LENIENT if encoding == "cp1252" else "strict") as file:
            while piece := file.read(_PIECE):
                yield piece.encode()
    except UnicodeError as error:
        raise ValueError(f"{origin} is not {encoding} text ({error}); say its encoding") from None


def _as_latin1(error: UnicodeError) -> tuple[str, int]:
    """Read undefined bytes as the control characters that they are in Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LENIENT, _as_latin1)
