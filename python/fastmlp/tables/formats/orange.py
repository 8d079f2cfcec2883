"""Orange's tables: names, then a row of types and a row of roles; or one row of names such as ``cD#class``.

Columns that play no part in learning (``ignore``, ``meta``, ``weight``) are left out, unless the caller names them.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastmlp.tables.formats.declared import Declared, read_declared, text_of
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table
from fastmlp.tables.unpacking import Files

_TYPES = {
    "c": "number", "continuous": "number", "numeric": "number", "n": "number", "d": "category", "discrete": "category",
    "categorical": "category", "s": "text", "string": "text", "text": "text", "t": "text", "time": "text",
    "": "text", "basket": "text",
}  # fmt: skip
_ROLES = {"": "", "class": "", "c": "", "meta": "m", "m": "m", "ignore": "i", "i": "i", "weight": "w", "w": "w"}
_PREFIXED = re.compile(r"([mciw]?)([DCSTN]?)#(.+)")
_LEAST_PREFIXED = 0.5  # share of the names


class Header(NamedTuple):
    """What the first rows say: columns, their roles, and how many rows that took."""

    columns: list[Declared]
    roles: list[str]
    n_rows: int


def recognises(source: object) -> bool:
    """Whether the first rows are a header of Orange."""
    if not isinstance(source, Files) or b"\0" in source.head:
        return False
    return _header(source.head.decode("utf-8-sig", "replace")) is not None


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows, with the types that the header declares."""
    options.only(source.name, "a table of Orange", "null")
    text = text_of(source, options.max_bytes)
    header = _header(text)
    if header is None:  # the encoding of what comes later is another
        raise ValueError(f"{source.name}: the rows of names, types and roles cannot be read; save it as UTF-8")
    kept = [j for j, role in enumerate(header.roles) if role == "" or header.columns[j].name in options.names]
    rows = ((line, [fields[j] for j in kept]) for line, fields in _rows(text, header, source.name))
    return read_declared(connection, source, [header.columns[j] for j in kept], rows, options)


def _header(text: str) -> Header | None:
    """The header in these lines; None if they are none."""
    lines = [line.rstrip("\r") for line in text.split("\n", 3)[:3]]
    names, *others = [line.split("\t") for line in lines]
    if len(others) == 2 and 1 < len(names) == len(others[0]) >= len(others[1]):
        kinds = [_TYPES.get(cell.strip(), "category" if " " in cell.strip() else None) for cell in others[0]]
        roles = [_ROLES.get(cell.strip().partition(" ")[0], "" if "=" in cell else None) for cell in others[1]]
        if None not in kinds and None not in roles and any(cell.strip() for cell in others[0]):
            roles += [""] * (len(names) - len(roles))
            columns = [Declared(name.strip(), kind or "") for name, kind in zip(names, kinds, strict=True)]
            return Header(columns, [role or "" for role in roles], 3)
    names = lines[0].split("\t" if "\t" in lines[0] else ",")
    found = [_PREFIXED.fullmatch(name.strip()) for name in names]
    if sum(bool(match and (match[1] or match[2])) for match in found) < _LEAST_PREFIXED * len(names):
        return None
    columns = [
        Declared(match[3], _TYPES[match[2].lower()]) if match else Declared(name.strip(), "text")
        for name, match in zip(names, found, strict=True)
    ]
    return Header(columns, [_ROLES[match[1]] if match else "" for match in found], 1)


def _rows(text: str, header: Header, origin: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of each row below the header, with its line."""
    delimiter = "\t" if header.n_rows == 3 or "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for fields in itertools.islice(reader, header.n_rows, None):
            if len(fields) == len(header.columns) or any(field.strip() for field in fields):
                if len(fields) != len(header.columns):
                    where = f"{origin}, line {reader.line_num}"
                    raise ValueError(f"{where}: {len(fields)} fields, expected {len(header.columns)}")
                yield reader.line_num, fields
    except csv.Error as error:
        raise ValueError(f"{origin}, line {reader.line_num}: {error}") from None
