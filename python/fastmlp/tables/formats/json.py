"""JSON: an array of objects, an object a line, or a document that holds all columns or rows, as pandas writes them.

Fields of objects inside the objects become columns such as ``size.width``; lists become texts.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from fastmlp.machine.files import pieces, too_large
from fastmlp.tables.database import errors_as_values
from fastmlp.tables.formats.frames import table_from
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, table_of
from fastmlp.tables.unpacking import Files

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*[\[{\]]|\{\s*[\"}])")
_DOCUMENT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*\[|\{)")
_MOST_COLUMNS = 5_000  # the database takes seconds and gigabytes for more
_BYTES = 10  # of memory for a byte of a document


def recognises(source: object) -> bool:
    """Whether this begins like a JSON array of rows, or like an object."""
    return isinstance(source, Files) and _BEGINNING.match(source.head) is not None


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the objects of all files, each a row.

    Raises ``ValueError`` if a file is no JSON, or its values are not objects.
    """
    options.only(source.name, "JSON", "null")
    n_bytes = sum(path.stat().st_size for path in source.paths)
    if n_bytes > options.max_bytes:
        raise too_large(Path(source.name), f"has {n_bytes} bytes", options.max_bytes)
    found = _document(source, options.max_bytes)
    if found is not None:
        return table_from(connection, found, source.name, options.null)
    query = "SELECT * FROM read_json(?, sample_size=-1, map_inference_threshold=-1, union_by_name=true)"
    paths = [str(_without_mark(source, path)) for path in source.paths]
    with errors_as_values(source.name):
        columns = connection.sql(query, params=[paths]).columns
    if columns == ["json"]:
        raise ValueError(f"{source.name} must hold objects with names and values, one for each row")
    if len(columns) > _MOST_COLUMNS:
        raise ValueError(f"{source.name} has {len(columns)} columns; at most {_MOST_COLUMNS} can be read from JSON")
    return table_of(connection, query, [paths], source.name, null=options.null, lazy=options.lazy)


def _document(source: Files, max_bytes: int) -> Any:
    """The rows or columns of a file that is one object, or an array of arrays; None for others."""
    if len(source.paths) != 1 or not _DOCUMENT.match(source.head) or _has_lines(source.head):
        return None
    contents = source.paths[0].read_bytes()
    if len(contents) * _BYTES > max_bytes:
        raise too_large(Path(source.name), f"takes {len(contents) * _BYTES} bytes as one document", max_bytes)
    try:
        found = json.loads(contents)
    except RecursionError:
        raise ValueError(f"{source.name} has too many brackets inside each other") from None
    except ValueError:  # several objects, or none: the database knows
        return None
    return found if isinstance(found, list) else _rows_or_columns(found)


def _without_mark(source: Files, path: Path) -> Path:
    """The file, or a copy without the byte order mark at its beginning, which the database takes for a value."""
    with open(path, "rb") as file:
        marked = file.read(len(BOM_UTF8)) == BOM_UTF8
        return source.write(pieces(file, source.max_bytes)) if marked else path


def _has_lines(head: bytes) -> bool:
    """Whether the first line is an object, with others below."""
    first, _, others = head.partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(others.strip())


def _rows_or_columns(found: dict[str, Any]) -> Any:
    """A list of rows or a dict of columns, in the ways in which pandas and others write one; None for a single row."""
    names, values = found.get("columns"), list(found.values())
    if isinstance(names, list) and isinstance(found.get("data"), list):
        return [dict(zip(map(str, names), row, strict=False)) for row in found["data"] if isinstance(row, list)]
    rows = [value for value in values if isinstance(value, list) and value and all(isinstance(x, dict) for x in value)]
    if len(rows) == 1:
        return rows[0]
    if values and all(isinstance(value, list) for value in values):
        return found
    if not values or not all(isinstance(value, dict) and value for value in values):
        return None
    keys = dict.fromkeys(key for value in values for key in value)
    if all(name.isdigit() for name in found) and not all(key.isdigit() for key in keys):
        return values  # each value is a row, its name the row's number
    return {name: [value.get(key) for key in keys] for name, value in found.items()}
