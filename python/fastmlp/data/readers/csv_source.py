"""From a text file to rows of fields: the part of CSV reading that does not depend on what columns mean.

Lines, rows and columns have limits, so that a small compressed file cannot fill
memory with one endless line, a quote that is never closed, or a million
columns. The delimiter is guessed from the first lines. Every row knows the line
that it ends on, as shown in an editor.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fastmlp.checks.errors import printable
from fastmlp.machine.files import MAX_BYTES, open_binary, too_large

DELIMITERS = ("\t", ";", ",")  # tried in this order, since a comma may also be part of a text or a number
MOST_COLUMNS = 100_000
_LONGEST_LINE = 1 << 20  # characters
_LONGEST_ROW = 2 << 20  # characters; a quoted field may span many lines
_N_SNIFFED = 20  # lines from which the delimiter is guessed


class Row(NamedTuple):
    """The fields of a row, stripped of blanks; the line that it ends on (from 1); its number of characters."""

    line: int
    fields: list[str]
    n_characters: int = 0


def read_rows(path: Path, delimiter: str | None = None, max_bytes: int = MAX_BYTES) -> Generator[Row, None, None]:
    """Yield the rows of a CSV file, plain or gzip, UTF-8 with or without a byte order mark.

    Empty lines are skipped; in a file of one column they count as a blank field.

    Raises
    ------
    ValueError
        The file is not text or has more than ``max_bytes`` characters; a line or row is too long; there are too many
        columns; a quote is never closed; rows differ in length.
    OSError
        The file cannot be opened.
    """
    n_row = n_read = 0

    def consumed() -> Iterator[str]:
        """The lines, with the characters of the current row counted."""
        nonlocal n_row
        for line in itertools.chain(sample, lines):
            n_row += len(line)
            if n_row > _LONGEST_ROW:
                raise ValueError(
                    f"{path}: the row that begins on line {last_line + 1} is longer than {_LONGEST_ROW} characters; "
                    "a quote may never be closed"
                )
            yield line

    with open_binary(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        lines = _lines(text, path)
        sample = _first_lines(lines)
        if delimiter is None:
            delimiter = _sniffed_delimiter(sample)
        reader = csv.reader(consumed(), delimiter=delimiter, skipinitialspace=True, strict=True)
        width = last_line = 0
        try:
            for fields in reader:
                n_read += n_row
                if n_read > max_bytes:
                    raise too_large(path, f"at least {n_read} characters of text", max_bytes)
                n_row, n_characters, last_line = 0, n_row, reader.line_num
                if not fields:
                    if width != 1:
                        continue
                    fields = [""]
                width = width or _checked_width(fields, path)
                if len(fields) != width:
                    raise ValueError(
                        f"{path}: line {reader.line_num} has {len(fields)} fields, "
                        f"the lines before have {width} (delimiter {delimiter!r})"
                    )
                yield Row(reader.line_num, [field.strip() for field in fields], n_characters)
        except csv.Error as error:
            raise ValueError(
                f"{path}: line {reader.line_num} is not valid CSV ({printable(str(error), 200)})"
            ) from None


def _checked_width(fields: Sequence[str], path: Path) -> int:
    if len(fields) > MOST_COLUMNS:
        raise ValueError(f"{path} has {len(fields)} columns; expected {MOST_COLUMNS} at most")
    return len(fields)


def _first_lines(lines: Iterator[str]) -> list[str]:
    """The lines from which the delimiter is guessed; all but the last fit the length limit of one line."""
    sample: list[str] = []
    n_characters = 0
    for line in lines:
        sample.append(line)
        n_characters += len(line)
        if len(sample) == _N_SNIFFED or n_characters > _LONGEST_LINE:
            break
    return sample


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """Yield the lines of ``text``; a line that is too long or not text is an error."""
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
    """Count the fields of each row, except for the last row of a full sample, which may be cut off."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        counts = [len(fields) for fields in reader if fields]
    except csv.Error:
        return []
    is_full = len(lines) == _N_SNIFFED or sum(map(len, lines)) > _LONGEST_LINE
    return counts[:-1] if is_full and len(counts) > 1 else counts


def as_number(text: str) -> float | None:
    """Return the number in ``text`` ('nan' and 'inf' included), or ``None`` if it is not a number.

    >>> as_number("-1.5e3"), as_number("1_000"), as_number("ten")
    (-1500.0, None, None)
    """
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def looks_like_header(rows: Sequence[Row]) -> bool:
    """Whether the first row names the columns: some field is text, and the first value below it a number.

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
