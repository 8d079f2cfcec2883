"""CSV files as training data: numbers stay, texts become one-hot columns, the target becomes ``y``.

    rows (csv_source) -> roles of the columns (here) -> numbers (table_columns) -> X and y (here)

A ``TableEncoding`` records how the columns were encoded, so that a second file
gets the same features. Nothing is guessed silently: blanks, mixed columns and
unknown categories are errors that name the field.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown, unknown_name
from fastmlp.checks.values import check_size
from fastmlp.data.readers.csv_source import Row, looks_like_header, read_rows
from fastmlp.data.readers.table_columns import ColumnReader, Places, check_blanks
from fastmlp.data.readers.table_encoding import ColumnEncoding, TableEncoding
from fastmlp.machine.files import MAX_BYTES, as_path, too_large

_BLOCK = 4096  # rows converted at a time; also how far header detection looks
_BLOCK_CHARACTERS = 4 * 2**20  # limit for long rows: fields take twenty times the memory of their text
_N_NAMED = 5  # columns listed in an error


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A table as numbers, as returned by `read_csv`.

    Attributes
    ----------
    X : ndarray (n, n_features) of float64
    y : ndarray (n,) or None
        int64 indices into ``classes`` if the target is a class, float64 if it is a number, None without a target.
    encoding : TableEncoding
        How the columns were encoded; pass it to `read_csv` to encode another file alike.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fruit.csv"
    >>> _ = path.write_text("grams,fruit\\n150,apple\\n120,banana\\n")
    >>> read_csv(path)
    Table(2 rows, 1 features, target 'fruit' with 2 classes)
    """

    X: NDArray[np.float64]
    y: NDArray[Any] | None
    encoding: TableEncoding

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column of ``X``; ``"column=value"`` for a one-hot column."""
        return self.encoding.feature_names

    @property
    def target_name(self) -> str | None:
        """Name of the target column; ``None`` without a target."""
        return self.encoding.target.name if self.encoding.target else None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes in the order of the labels; ``None`` if the target is not a class."""
        return self.encoding.classes

    def __repr__(self) -> str:
        target = "no target" if self.y is None else f"target {self.target_name!r}"
        kind = f" with {len(self.classes)} classes" if self.y is not None and self.classes else ""
        return f"Table({self.X.shape[0]} rows, {self.X.shape[1]} features, {target}{kind})"


def read_csv(
    path: str | os.PathLike[str],
    target: str | int | None = -1,
    *,
    header: bool | None = None,
    delimiter: str | None = None,
    classification: bool | None = None,
    categorical: Sequence[str | int] = (),
    drop: Sequence[str | int] = (),
    encoding: TableEncoding | None = None,
    max_bytes: int = MAX_BYTES,
) -> Table:
    """Read a CSV file, plain or gzip, as inputs and targets.

    The first field of a column decides whether it is numeric or text. A text column becomes one column of zeros and
    ones per category; categories are sorted.

    Parameters
    ----------
    path : path
        UTF-8, with or without a byte order mark.
    target : str or int or None, default -1
        Name or position of the column to predict; negative positions count from the end. None: the file has no target.
    header : bool, optional
        Whether the first row names the columns. Default: True if one of its fields is text and the first field below
        is a number; so pass True if all columns are text. Without names, columns are ``column_0``, ``column_1``, ...
    delimiter : str, optional
        One character, not a blank. Default: tab, semicolon or comma, whichever splits the lines evenly.
    classification : bool, optional
        True: the target is a class (texts or whole numbers); False: it is a number. Default: texts are classes,
        numbers are numbers.
    categorical : sequence of str or int
        Names or positions of columns of numbers that are codes, to be read as text.
    drop : sequence of str or int
        Names or positions of columns to leave out, such as row numbers.
    encoding : TableEncoding, optional
        The ``encoding`` of another table. Its columns are found by name (in a file without a header, by position) and
        encoded in the same way; other columns are ignored, and the target may be missing. ``target``,
        ``classification``, ``categorical`` and ``drop`` must then be left out.
    max_bytes : int, default 4 GiB
        Limit on the characters of text and on the memory for ``X``, in bytes. A small compressed file can unpack to a
        thousand times its size.

    Returns
    -------
    Table
        With ``X``, ``y``, ``feature_names``, ``target_name``, ``classes`` and ``encoding``.

    Raises
    ------
    ValueError
        Blank fields, NaN or infinity, text among numbers, unknown categories, or more than 1000 texts in a column (the
        message names row and column); rows of unequal length (it names the line); a missing or unknown column; no
        rows; a file that is not text or not a regular file; more than ``max_bytes``, 100 000 columns, 1 Mi characters
        in a line or 2 Mi in a row.
    TypeError
        An argument of the wrong type.
    OSError
        The file cannot be opened.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fruit.csv"
    >>> _ = path.write_text("grams,colour,fruit\\n150,red,apple\\n120,yellow,banana\\n170,green,apple\\n")
    >>> table = read_csv(path)
    >>> table.feature_names
    ('grams', 'colour=green', 'colour=red', 'colour=yellow')
    >>> table.X[0], table.y, table.classes
    (array([150.,   0.,   1.,   0.]), array([0, 1, 0]), ('apple', 'banana'))
    >>> _ = path.write_text("colour,grams\\ngreen,160\\n")
    >>> read_csv(path, encoding=table.encoding).X
    array([[160.,   1.,   0.,   0.]])
    """
    path = as_path(path)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n '):
        raise ValueError(f"delimiter must be one character, not a quote, blank or line end; got {shown(delimiter)}")
    if encoding is not None and not isinstance(encoding, TableEncoding):
        raise TypeError(f"encoding must be a TableEncoding, got {type(encoding).__name__}")
    if encoding is not None and (target, classification, *categorical, *drop) != (-1, None):
        raise ValueError("encoding already sets target, classification, categorical and drop; leave those out")
    check_size("max_bytes", max_bytes, sys.maxsize)
    places = Places(path)
    with contextlib.closing(read_rows(path, delimiter, max_bytes)) as rows:
        block = _next_block(rows)
        if not block:
            raise ValueError(f"{path} has no rows")
        if encoding is not None:
            named = _has_names(block[0], encoding) if header is None else header
            names = _column_names(block[0], named, places)
            columns, y_column = _known_columns(places, names, named, encoding)
        else:
            named = looks_like_header(block) if header is None else header
            names = _column_names(block[0], named, places)
            columns, y_column = _new_columns(places, names, target, classification, categorical, drop)
        readers = columns if y_column is None else [*columns, y_column]
        block = block[1:] if named else block
        while block:
            _add_block(readers, block, places)
            n_bytes = len(places.lines) * len(columns) * 8
            if n_bytes > max_bytes:
                what = f"at least {len(places.lines)} rows of {len(columns)} columns need {n_bytes} bytes"
                raise too_large(path, what, max_bytes)
            block = _next_block(rows)
    if not places.lines:
        raise ValueError(f"{path} has a header but no rows")
    check_blanks(readers, places)
    X, input_encodings = _inputs(columns, places, max_bytes)
    y, y_encoding = (None, None) if y_column is None else _targets(y_column, classification, places)
    return Table(X, y, encoding or TableEncoding(input_encodings, y_encoding, len(names)))


def _next_block(rows: Iterator[Row]) -> list[Row]:
    """The next rows: as many as may be held as text at once."""
    block: list[Row] = []
    n_characters = 0
    for row in rows:
        block.append(row)
        n_characters += row.n_characters
        if len(block) == _BLOCK or n_characters > _BLOCK_CHARACTERS:
            break
    return block


def _has_names(first: Row, encoding: TableEncoding) -> bool:
    """Whether the first row names any of the columns in ``encoding``."""
    return not {column.name for column in encoding.columns}.isdisjoint(first.fields)


def _column_names(first: Row, named: bool, places: Places) -> list[str]:
    """The names of the columns: from the first row if it is a header, else by position."""
    names = [field if named and field else f"column_{j}" for j, field in enumerate(first.fields)]
    twice = sorted(name for name, n in Counter(names).items() if n > 1)
    if twice:
        raise ValueError(f"{places.path}: the header names {_listed(twice)} more than once")
    return names


def _listed(names: Sequence[str]) -> str:
    """The first few names, quoted."""
    quoted = [f"{name!r:.60}" for name in names[:_N_NAMED]]
    return ", ".join([*quoted, *(["..."] if len(names) > _N_NAMED else [])])


def _new_columns(
    places: Places,
    names: Sequence[str],
    target: str | int | None,
    classification: bool | None,
    categorical: Sequence[str | int],
    drop: Sequence[str | int],
) -> tuple[list[ColumnReader], ColumnReader | None]:
    """Decide which columns are inputs, which is the target, and which are left out."""
    y_position = None if target is None else _position("target", target, names)
    as_text = _positions("categorical", categorical, names)
    dropped = _positions("drop", drop, names)
    if y_position is not None and y_position in dropped | as_text:
        raise ValueError(f"target {names[y_position]!r:.100} must not be in drop or categorical too")
    columns = [
        ColumnReader(places, name, j, "text" if j in as_text else None)
        for j, name in enumerate(names)
        if j not in dropped and j != y_position
    ]
    if not columns:
        raise ValueError(f"{places.path} has no input column left; its columns: {_listed(names)}")
    if y_position is None:
        return columns, None
    return columns, ColumnReader(places, names[y_position], y_position)


def _positions(argument: str, keys: Sequence[str | int], names: Sequence[str]) -> set[int]:
    if isinstance(keys, str):
        raise TypeError(f"{argument} must be a sequence of column names or positions, got {shown(keys)}")
    return {_position(argument, key, names) for key in keys}


def _position(argument: str, key: str | int, names: Sequence[str]) -> int:
    """The position of the column with this name or position."""
    if isinstance(key, str):
        if key not in names:
            raise unknown_name(argument, key, names)
        return names.index(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise TypeError(f"{argument} must name a column by text or by position, got {shown(key)}")
    if not -len(names) <= key < len(names):
        raise ValueError(f"{argument}={key} is not a column; the file has {len(names)}, counted from 0")
    return key % len(names)


def _known_columns(
    places: Places, names: Sequence[str], named: bool, encoding: TableEncoding
) -> tuple[list[ColumnReader], ColumnReader | None]:
    """Find the columns of ``encoding`` in the file."""
    target = encoding.target
    if named:
        where = {name: j for j, name in enumerate(names)}
        missing = [column.name for column in encoding.columns if column.name not in where]
        if missing:
            raise ValueError(f"{places.path} lacks the columns {_listed(missing)}")
    else:
        has_target = target is not None and len(names) == encoding.n_columns
        expected = {encoding.n_columns, encoding.n_columns - (target is not None)}
        if len(names) not in expected:
            raise ValueError(
                f"{places.path} has {len(names)} columns and no header; "
                f"expected {' or '.join(map(str, sorted(expected)))}"
            )
        gap = encoding.n_columns if has_target or target is None else target.position
        where = {column.name: column.position - (column.position > gap) for column in encoding.columns}
        if target is not None and has_target:
            where[target.name] = target.position

    def known(column: ColumnEncoding) -> ColumnReader:
        categories = None if column.kind == "numeric" else column.categories
        return ColumnReader(places, column.name, where[column.name], column.kind, categories)

    found_target = target is not None and target.name in where
    return [known(column) for column in encoding.columns], known(target) if target and found_target else None


def _add_block(readers: Sequence[ColumnReader], block: Sequence[Row], places: Places) -> None:
    """Pass to every column its fields of the next rows."""
    first_row = len(places.lines)
    places.lines.extend(row.line for row in block)
    fields = list(zip(*(row.fields for row in block), strict=True))
    for reader in readers:
        reader.add(fields[reader.position], first_row)


def _inputs(
    readers: Sequence[ColumnReader], places: Places, max_bytes: int
) -> tuple[NDArray[np.float64], tuple[ColumnEncoding, ...]]:
    """Build ``X``: numbers as they are, categories one-hot."""
    finished = [reader.finished() for reader in readers]
    n_rows = len(places.lines)
    widths = [len(encoding.feature_names) for encoding, _ in finished]
    n_bytes = n_rows * sum(widths) * 8
    if n_bytes > max_bytes:
        widest = finished[int(np.argmax(widths))][0]
        raise ValueError(
            f"{places.path}: {n_rows} rows with {sum(widths)} features need {n_bytes} bytes, more than "
            f"max_bytes={max_bytes}; column {widest.name!r:.100} alone has {max(widths)} categories: drop it, or group "
            "its values"
        )
    X = np.zeros((n_rows, sum(widths)))
    start = 0
    for (encoding, values), width in zip(finished, widths, strict=True):
        if encoding.kind == "numeric":
            X[:, start] = values
        else:
            X[np.arange(n_rows), start + values.astype(np.intp)] = 1.0
        start += width
    return X, tuple(encoding for encoding, _ in finished)


def _targets(reader: ColumnReader, classification: bool | None, places: Places) -> tuple[NDArray[Any], ColumnEncoding]:
    """Build ``y``: labels for classes, numbers otherwise."""
    if classification is False and reader.kind == "text":
        raise ValueError(f"{places.path}: target {reader.name!r:.100} is text; classification=False needs numbers")
    encoding, values = reader.finished_classes() if classification else reader.finished()
    return (values if encoding.kind == "numeric" else values.astype(np.int64)), encoding
