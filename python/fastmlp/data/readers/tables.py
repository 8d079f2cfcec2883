"""CSV files as training data: numbers stay, texts become one-hot columns, the target becomes ``y``.

    rows (csv_source) -> which column is what (here) -> numbers (table_columns) -> X and y (here)

What was decided about the columns is kept as a ``TableEncoding``, so that a
second file can be made into the same features. Nothing is guessed silently:
blanks, mixed columns and unknown categories are errors that name the place.
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

from fastmlp.checks.errors import unknown_name
from fastmlp.checks.values import check_size
from fastmlp.data.readers.csv_source import Row, looks_like_header, read_rows
from fastmlp.data.readers.table_columns import ColumnReader, Places, check_blanks
from fastmlp.data.readers.table_encoding import ColumnEncoding, TableEncoding
from fastmlp.machine.files import MAX_BYTES, as_path, too_large

_BLOCK = 4096  # rows turned into numbers at a time; also how far header detection looks
_BLOCK_CHARACTERS = 4 * 2**20  # fewer rows, where they are long: fields take twenty times their text
_N_NAMED = 5  # columns named one by one in an error


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A table as numbers.

    ``X`` is float64 (n, n_features). ``y`` is int64 (n,), positions in
    ``classes``, when the target is a class; float64 (n,) when it is a number;
    ``None`` when there is no target. ``encoding`` tells how the columns were made.
    """

    X: NDArray[np.float64]
    y: NDArray[Any] | None
    encoding: TableEncoding

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column of ``X``; ``"column=value"`` for a one-hot one."""
        return self.encoding.feature_names

    @property
    def target_name(self) -> str | None:
        """Name of the target column, ``None`` when the encoding has none."""
        return self.encoding.target.name if self.encoding.target else None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes in the order of the labels; ``None`` unless the target is a class."""
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

    A column is numeric or text, as its first field is. Text columns become one
    column of zeros and ones per category, in the sorted order of the categories.

    Parameters
    ----------
    path : the file; UTF-8, with or without a byte order mark.
    target : name or position (negative ones count from the end) of the column to predict;
        default the last. ``None``: the file has no target.
    header : whether the first row names the columns. Default: it does if one of its fields is text and
        the first field below is a number (so say ``True`` where all columns are text). Without names,
        columns are ``column_0``, ``column_1``, ...
    delimiter : one character, not a blank. Default: tab, semicolon or comma, whichever splits the
        lines evenly.
    classification : ``True``: the target is a class (texts or whole numbers); ``False``: it is a
        number; default: texts are classes, numbers are numbers.
    categorical : names or positions of columns to be read as text although they hold numbers (codes).
    drop : names or positions of columns to be left out (row numbers, for one).
    encoding : the ``encoding`` of another table. The columns are then found by name (by position in
        a file without a header) and encoded as there; other columns are passed over, and the target may be
        missing. ``target``, ``classification``, ``categorical`` and ``drop`` must be left out.
    max_bytes : the most characters of text that are read, and the most memory that ``X`` may take, in bytes;
        default 4 GiB. A small compressed file can unpack to a thousand times its size.

    Returns
    -------
    Table : ``X``, ``y``, ``feature_names``, ``target_name``, ``classes``, ``encoding``.

    Raises
    ------
    ValueError : blanks, NaN or infinity, text among numbers, unknown categories, more than 1000
        texts in one column (row and column named); rows of unequal length (line named);
        a missing or unknown column; no rows; a file that is not text or no regular file; more than
        ``max_bytes``, 100 000 columns, 1 Mi characters in a line or 2 Mi in a row.
    TypeError : an argument of the wrong type.
    OSError : the file cannot be opened.

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
        raise ValueError(f"delimiter must be one character, no quote, blank or line end; got {delimiter!r}")
    if encoding is not None and not isinstance(encoding, TableEncoding):
        raise TypeError(f"encoding must be a TableEncoding, got {type(encoding).__name__}")
    if encoding is not None and (target, classification, *categorical, *drop) != (-1, None):
        raise ValueError("encoding settles target, classification, categorical and drop; leave those out")
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
                what = f"{len(places.lines)} rows and more with {len(columns)} columns are {n_bytes} bytes"
                raise too_large(path, what, max_bytes)
            block = _next_block(rows)
    if not places.lines:
        raise ValueError(f"{path} has a header but no rows")
    check_blanks(readers, places)
    X, input_encodings = _inputs(columns, places, max_bytes)
    y, y_encoding = (None, None) if y_column is None else _targets(y_column, classification, places)
    return Table(X, y, encoding or TableEncoding(input_encodings, y_encoding, len(names)))


def _next_block(rows: Iterator[Row]) -> list[Row]:
    """The next rows, as many as are good to have as text."""
    block: list[Row] = []
    n_characters = 0
    for row in rows:
        block.append(row)
        n_characters += row.n_characters
        if len(block) == _BLOCK or n_characters > _BLOCK_CHARACTERS:
            break
    return block


def _has_names(first: Row, encoding: TableEncoding) -> bool:
    """Tell whether the first row names any of the columns in ``encoding``."""
    return not {column.name for column in encoding.columns}.isdisjoint(first.fields)


def _column_names(first: Row, named: bool, places: Places) -> list[str]:
    """Return the names of the columns: from the first row if they are there, else by position."""
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
    """Decide which columns are inputs, which is the target and which are left out."""
    y_position = None if target is None else _position("target", target, names)
    as_text = _positions("categorical", categorical, names)
    dropped = _positions("drop", drop, names)
    if y_position is not None and y_position in dropped | as_text:
        raise ValueError(f"target {names[y_position]!r:.100} may not be in drop or categorical as well")
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
        raise TypeError(f"{argument} must be a sequence of column names or positions, got {keys!r}")
    return {_position(argument, key, names) for key in keys}


def _position(argument: str, key: str | int, names: Sequence[str]) -> int:
    """Return the position of the column that ``key`` names."""
    if isinstance(key, str):
        if key not in names:
            raise unknown_name(argument, key, names)
        return names.index(key)
    if isinstance(key, bool) or not isinstance(key, int):
        raise TypeError(f"{argument} must name a column by text or by position, got {key!r}")
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
    """Hand every column its fields of the next rows."""
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
