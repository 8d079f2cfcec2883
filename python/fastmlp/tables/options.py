"""What a person may say about a source, checked once."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.machine.files import MAX_BYTES


@dataclass(frozen=True)
class Options:
    """The arguments of `read_table`; ``lazy`` asks for a table that reads its source anew for every query."""

    target: str | int | None = None
    drop: Sequence[str | int] = ()
    header: bool | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    null: Sequence[str | int | float] = ()
    sheet: str | int | None = None
    max_bytes: int = MAX_BYTES
    lazy: bool = False

    def __post_init__(self) -> None:
        for argument in ("drop", "null"):
            value = getattr(self, argument)
            if isinstance(value, (str, int, float)) or not isinstance(value, Sequence):
                raise TypeError(f"{argument} must be a sequence such as [{shown(value)}], got {shown(value)}")
        for key in (*self.drop, *(() if self.target is None else (self.target,))):
            if isinstance(key, bool) or not isinstance(key, (str, int)):
                raise TypeError(f"target and drop name columns by text or by position, got {shown(key)}")
        for value in self.null:
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                raise TypeError(f"null must hold texts or numbers that mean a missing value, got {shown(value)}")
        if self.header not in (None, True, False):
            raise TypeError(f"header must be True, False or None, got {shown(self.header)}")
        if self.delimiter is not None and (
            not isinstance(self.delimiter, str) or len(self.delimiter) != 1 or self.delimiter in "\"'\r\n\0"
        ):
            raise ValueError(f"delimiter must be one character, not a quote or line end; got {shown(self.delimiter)}")
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"decimal must be '.' or ',', got {shown(self.decimal)}")
        if self.decimal == self.delimiter == ",":
            raise ValueError("delimiter and decimal must not both be ','")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except (LookupError, TypeError, ValueError):
                raise ValueError(f"encoding={shown(self.encoding)} is unknown; try 'utf-8' or 'cp1252'") from None
        check_size("max_bytes", self.max_bytes, sys.maxsize)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of columns that the person typed; where they are found is a header."""
        return tuple(key for key in (self.target, *self.drop) if isinstance(key, str))

    def only(self, origin: str, what: str, *meant: str) -> None:
        """Refuse an option that was set but says nothing about this kind of source; ``meant`` are those that do.

        >>> Options(sheet="2024").only("fruit.csv", "delimited text", "header", "delimiter")
        Traceback (most recent call last):
        ValueError: sheet='2024' does not apply: fruit.csv is delimited text
        """
        for argument in ("header", "delimiter", "decimal", "encoding", "null", "sheet"):
            value: Any = getattr(self, argument)
            if argument not in meant and value != _DEFAULTS[argument]:
                raise ValueError(f"{argument}={shown(value)} does not apply: {origin} is {what}")


_DEFAULTS = {field.name: field.default for field in fields(Options)}
