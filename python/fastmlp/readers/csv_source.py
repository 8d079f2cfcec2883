"""From a text file to rows of fields: the part of CSV reading that knows nothing about columns' meaning.

Lines are read with a limit on their length, so that a compressed file cannot
unfold into memory as one endless line. The delimiter is found on the first
lines. Every row knows the line it ends on, because that is what an editor shows.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fastmlp.files import open_binary

DELIMITERS = ("\t", ";", ",")  # in this order: a comma may also be part of a text or a number
_LONGEST_LINE = 1 << 20  # characters
_N_SNIFFED = 20  # lines looked at to find the delimiter


class Row(NamedTuple):
    """The fields of one row, without blanks around them, and the line on which it ends (from 1)."""

    line: int
    fields: list[str]


def read_rows(path: Path, delimiter: str | None = None) -> Generator[Row, None, None]:
    """Yield the rows of a CSV file, plain or gzip, UTF-8 with or without a byte order mark.

    Empty lines are passed over (in a file of one column they count as a blank
    field). The generator checks that all rows have as many fields as the first.

    Raises
    ------
    ValueError : not text, a line too long, a quote never closed, rows of unequal length.
    OSError : the file cannot be opened.
    """
    with open_binary(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        lines = _lines(text, path)
        sample = list(itertools.islice(lines, _N_SNIFFED))
        if delimiter is None:
            delimiter = _sniffed_delimiter(sample)
        reader = csv.reader(itertools.chain(sample, lines), delimiter=delimiter, skipinitialspace=True, strict=True)
        width = 0
        try:
            for fields in reader:
                if not fields:
                    if width != 1:
                        continue
                    fields = [""]
                width = width or len(fields)
                if len(fields) != width:
                    raise ValueError(
                        f"{path}: line {reader.line_num} has {len(fields)} fields, "
                        f"the lines before have {width} (delimiter {delimiter!r})"
                    )
                yield Row(reader.line_num, [field.strip() for field in fields])
        except csv.Error as error:
            raise ValueError(f"{path}: line {reader.line_num} is not proper CSV ({error})") from None


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """Yield the lines of ``text``, refusing what is too long or not text."""
    for number in itertools.count(1):
        try:
            line = text.readline(_LONGEST_LINE + 1)
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8 text ({error.reason} near line {number})") from None
        if not line:
            return
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"{path}: line {number} is longer than {_LONGEST_LINE} characters")
        if "\0" in line:
            raise ValueError(f"{path}: line {number} holds a zero byte; expected UTF-8 text")
        yield line


def _sniffed_delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter that splits every line into the same number of fields, more than one.

    >>> _sniffed_delimiter(["1,5;2", "2,5;3"])
    ';'
    """
    widths = {delimiter: _widths(lines, delimiter) for delimiter in DELIMITERS}
    for delimiter, counts in widths.items():
        if len(set(counts)) == 1 and counts[0] > 1:
            return delimiter
    return max(reversed(DELIMITERS), key=lambda delimiter: (widths[delimiter] or [0])[0])


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    """Count the fields of each row; the last row of a full sample may be cut off and is left out."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        counts = [len(fields) for fields in reader if fields]
    except csv.Error:
        return []
    return counts[:-1] if len(lines) == _N_SNIFFED and len(counts) > 1 else counts


def as_number(text: str) -> float | None:
    """Return the number written in ``text`` ('nan' and 'inf' included), or ``None`` if it is none.

    >>> as_number("-1.5e3"), as_number("1_000"), as_number("ten")
    (-1500.0, None, None)
    """
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def looks_like_header(rows: Sequence[Row]) -> bool:
    """Tell whether the first row names the columns: some field is text and the first value below it a number.

    >>> looks_like_header([Row(1, ["age", "name"]), Row(2, ["31", "Ada"])])
    True
    """
    if not rows:
        return False
    for j, name in enumerate(rows[0].fields):
        below = next((row.fields[j] for row in rows[1:] if row.fields[j]), "")
        if name and as_number(name) is None and as_number(below) is not None:
            return True
    return False
