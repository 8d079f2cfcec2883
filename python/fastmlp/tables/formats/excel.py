"""Excel workbooks (.xlsx): one sheet, whose first row that is not empty holds the names of the columns."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.checks.errors import printable, some_names, unknown_name
from fastmlp.machine.files import too_large
from fastmlp.tables.formats.frames import NamedColumn, table_from
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table
from fastmlp.tables.types import MISSING
from fastmlp.tables.unpacking import Files

_OLD = b"\xd0\xcf\x11\xe0"  # .xls, of before 2007
_MISSING = {"#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", *MISSING}
_BYTES = 50  # of memory for a cell
_N_TRIED = 20  # rows in which the header is looked for
_INSTALL = "reading Excel needs openpyxl: pip install 'fastmlp[excel]'"


def recognises(source: object) -> bool:
    """Whether this is a workbook: a ZIP archive that `open_files` left packed, or a file of the old format."""
    return isinstance(source, Files) and source.head.startswith((b"PK\3\4", _OLD))


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the cells of a sheet.

    Raises ``ValueError`` if the file is damaged or old, or there is no such sheet; ``ImportError`` without openpyxl.
    """
    options.only(source.name, "an Excel workbook", "header", "null", "sheet")
    if source.head.startswith(_OLD):
        raise ValueError(f"{source.name} is of Excel's old format; save it as .xlsx or as CSV")
    if len(source.paths) != 1:
        raise ValueError(f"{source.name} stands for {len(source.paths)} workbooks; expected one")
    rows = _rows(source, options)
    names = [] if options.header is False else _take_header(rows, options.names)
    if not rows:
        raise ValueError(f"{source.name} has no rows")
    columns = []
    for j in range(max(map(len, [names, *rows]))):
        values = np.fromiter((row[j] if j < len(row) else None for row in rows), dtype=object, count=len(rows))
        name = names[j] if j < len(names) else None
        if name is not None or any(value is not None for value in values):
            columns.append(NamedColumn(f"column_{j}" if name is None else str(name), values))
    return table_from(connection, columns, source.name, options.null)


def _take_header(rows: list[list[Any]], known: Collection[str]) -> list[Any]:
    """Take the names, and what is above, out of the rows: the first row, or the first with a name that is known."""
    stripped = [{str(cell).strip() for cell in row} for row in rows[:_N_TRIED]]
    at = next((i for i, cells in enumerate(stripped) if cells & {*known}), 0)
    names = rows[at] if rows else []
    del rows[: at + 1]
    return names


def _rows(source: Files, options: Options) -> list[list[Any]]:
    """The rows of the sheet that are not empty, without the empty cells at their ends."""
    try:
        import openpyxl
    except ImportError:
        raise ImportError(_INSTALL) from None
    rows: list[list[Any]] = []
    room = options.max_bytes // _BYTES
    try:
        with open(source.paths[0], "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that openpyxl does not know
            if sum(member.file_size for member in zipfile.ZipFile(file).infolist()) > options.max_bytes:
                raise too_large(Path(source.name), "it unpacks to more", options.max_bytes)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheet = _sheet(book.worksheets, source.name, options.sheet)
            sheet.reset_dimensions()  # which a file may claim to be of any size
            for cells in sheet.iter_rows(values_only=True):
                row = [None if _is_missing(cell) else cell for cell in cells]
                while row and row[-1] is None:
                    row.pop()
                rows += [row] if row else []
                room -= len(row)
                if room < 0:
                    raise too_large(Path(source.name), "its cells take more", options.max_bytes)
    except Exception as error:  # openpyxl raises whatever it stumbles over
        if isinstance(error, MemoryError) or str(error).startswith(source.name):
            raise
        raise ValueError(f"{source.name} is damaged: {printable(str(error), 200)}") from None
    return rows


def _sheet(sheets: list[Any], origin: str, wanted: str | int | None) -> Any:
    """The sheet of this name or position; the first one if none is named."""
    names = [sheet.title for sheet in sheets]
    if isinstance(wanted, str):
        if wanted not in names:
            raise ValueError(f"{origin}: {unknown_name('sheet', wanted, names)}")
        return sheets[names.index(wanted)]
    if not -len(sheets) <= (wanted or 0) < len(sheets):
        raise ValueError(f"{origin}: sheet={wanted} is not there; the sheets are {some_names(names)}, counted from 0")
    return sheets[wanted or 0]


def _is_missing(cell: Any) -> bool:
    return isinstance(cell, str) and cell.strip() in _MISSING
