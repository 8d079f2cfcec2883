"""Files of text that declare the types of their columns: what ARFF and Orange's format have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastmlp.checks.errors import printable, shown, some_names
from fastmlp.machine.files import too_large
from fastmlp.tables.database import column
from fastmlp.tables.formats.frames import NamedColumn, table_from
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table
from fastmlp.tables.types import MISSING
from fastmlp.tables.unpacking import Files

_BYTES = 10  # of memory for a byte of text
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:inf|Inf|INF|infinity|Infinity)")
_WHOLE = re.compile(r"[-+]?\d{1,18}")


class Declared(NamedTuple):
    """A column as the file declares it: ``number``, ``category`` or ``text``; the categories, if it names them."""

    name: str
    kind: str
    values: tuple[str, ...] = ()


def text_of(source: Files, max_bytes: int) -> str:
    """The contents of the only file, UTF-8 or else Windows' western encoding."""
    if len(source.paths) != 1:
        raise ValueError(f"{source.name} stands for {len(source.paths)} files; expected one")
    contents = source.paths[0].read_bytes()
    if len(contents) * _BYTES > max_bytes:
        raise too_large(Path(source.name), f"takes {len(contents) * _BYTES} bytes in memory", max_bytes)
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError:
        return contents.decode("cp1252", "replace")


def read_declared(
    connection: Any, source: Files, columns: Sequence[Declared], rows: Iterable[tuple[int, list[str]]], options: Options
) -> Table:
    """A table of the rows, each with its line in the file; ``ValueError`` names the line that does not fit."""
    missing = {*MISSING, *map(str, options.null)}
    found: list[list[Any]] = [[] for _ in columns]
    for line, fields in rows:
        if len(fields) != len(columns):
            raise ValueError(f"{source.name}, line {line}: {len(fields)} fields, expected {len(columns)}")
        for declared, values, field in zip(columns, found, fields, strict=True):
            text = field.strip()
            try:
                values.append(None if text in missing else _READERS[declared.kind](text, declared.values))
            except ValueError as error:
                place = f"{source.name}, line {line}, column {printable(declared.name, 60)!r}"
                raise ValueError(f"{place}: {error}; null=[{shown(text, 30)}] makes it a missing value") from None
    if not found or not found[0]:
        raise ValueError(f"{source.name} has no rows")
    named = [NamedColumn(declared.name, values) for declared, values in zip(columns, found, strict=True)]
    table = table_from(connection, named, source.name, options.null)
    categories = {
        j: declared.values or sorted({value for value in values if value is not None})
        for j, (declared, values) in enumerate(zip(columns, found, strict=True))
        if declared.kind == "category"
    }
    wanted = [
        f"{column(j)}::{table.enum(categories[j])}" if categories.get(j) else column(j) for j in range(len(columns))
    ]
    return Table(connection, f"SELECT {', '.join(wanted)} FROM held", [], table.names, source.name)


def _number(text: str, _: Sequence[str]) -> int | float:
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a number, got {shown(text, 60)}")
    return float(text)


def _category(text: str, values: Sequence[str]) -> str:
    if values and text not in values:
        raise ValueError(f"expected one of {some_names(values, 5)}, got {shown(text, 60)}")
    return text


def _text(text: str, _: Sequence[str]) -> str:
    return text


_READERS: dict[str, Callable[[str, Sequence[str]], Any]] = {"number": _number, "category": _category, "text": _text}
