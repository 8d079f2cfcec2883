"""How a text file writes its table: delimiter, quotes, decimal mark, header, names.

Decided from the beginning of the file and from what the person said. Every delimiter is tried; the right one cuts all
rows alike. A header is a first row unlike the rows below it, or one with a name that the person typed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import NamedTuple

from fastmlp.tables.options import Options
from fastmlp.tables.types import MISSING

BLANKS = " "
"""The delimiter that stands for any run of blanks and tabs."""
_DELIMITERS = "\t,;|" + BLANKS  # of two that cut equally well, the first
_NO_DELIMITER = "\x1f"  # for a table of one column: a character that no text has
_REMARK = "#"
_NUMBER = re.compile(r"[-+]?[$€£]?(\d[\d.,]*|[.,]\d+)([eE][-+]?\d+)?\s?%?$")
_TIME = re.compile(r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})?[ T]?(\d{1,2}:\d\d(:\d\d([.,]\d+)?)?)?\s?([AaPp][Mm]|Z)?$")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?%?$")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+$")
_BETWEEN_BLANKS = re.compile(r'"(?:[^"]|"")*"|[^ \t\r\n]+')
_QUOTED_LINE = re.compile(r'"(?:[^"]|"")*"$')
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)
_MOST_ROWS = 1000  # looked at


@dataclass(frozen=True)
class Dialect:
    """How to read a file, and the names of its columns.

    Attributes
    ----------
    delimiter, quote, escape, decimal : str
        Single characters.
    quoted_lines : bool
        Whether lines are quoted once more, as a whole.
    padded : bool
        Whether a missing value has a blank before it.
    remarks : bool
        Whether there are lines among the rows that begin with ``#`` and are left out.
    skip : int
        Rows before the data, blank ones too: remarks and the header.
    names : tuple of str or None
        For each field of a row; None for a field that has neither a name nor values. Empty if the file has no rows.
    """

    delimiter: str
    quote: str = '"'
    escape: str = '"'
    decimal: str = "."
    quoted_lines: bool = False
    padded: bool = False
    remarks: bool = False
    skip: int = 0
    names: tuple[str | None, ...] = ()

    @property
    def is_common(self) -> bool:
        """Whether the database reads such a file as it is."""
        return not (self.delimiter == BLANKS or self.quoted_lines or self.remarks)


class Row(NamedTuple):
    """The fields of a row, and how many rows come before it, blank ones too."""

    before: int
    fields: list[str]


def cut(lines: Iterable[str], dialect: Dialect) -> Iterator[Row]:
    """The rows of a file by Python's means, without blank ones.

    >>> [row.fields for row in cut(['1  "a b" 2.5'], Dialect(BLANKS))]
    [['1', 'a b', '2.5']]
    """
    if dialect.quoted_lines:
        lines = (_without_quotes(line) for line in lines)
    if dialect.delimiter == BLANKS:
        rows: Iterator[list[str]] = ([_plain(part) for part in _BETWEEN_BLANKS.findall(line)] for line in lines)
    else:
        doubled = dialect.escape == dialect.quote
        rows = csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            doublequote=doubled,
            escapechar=None if doubled else dialect.escape,
            skipinitialspace=True,
        )
    for before, fields in enumerate(rows):
        if fields and not (dialect.remarks and fields[0].startswith(_REMARK)):
            yield Row(before, fields)


def find_dialect(text: str, options: Options, whole: bool = True) -> Dialect:
    """The dialect of a file that begins with ``text``, and ends there if ``whole``.

    >>> found = find_dialect("size;price\\n1,5;2\\n", Options())
    >>> found.delimiter, found.decimal, found.names
    (';', ',', ('size', 'price'))
    """
    lines = list(io.StringIO(text, newline=""))
    if not whole and len(lines) > 1:
        lines.pop()  # it is cut in the middle
    raw = Dialect(options.delimiter or ",", *_quotes(text), quoted_lines=_are_quoted(lines))
    tried = [replace(raw, delimiter=mark) for mark in options.delimiter or _DELIMITERS]
    best = max((_tried(lines, each, whole, options) for each in tried), key=lambda each: each.rank)
    one_column = best.width < 2 or (not best.rank[0] and len(best.rows[0].fields) == 1)
    if one_column and not options.delimiter:
        absent = next((mark for mark in _DELIMITERS[:-1] if mark not in text), _NO_DELIMITER)
        best = _tried(lines, replace(raw, delimiter=absent, quoted_lines=False), whole, options)
    rows = [row.fields for row in best.rows[best.start :]]
    header, taken = _header(best, rows, options)
    body = rows[taken:]
    first = best.rows[best.start].before if rows else 0
    return replace(
        best.raw,
        decimal=options.decimal or _decimal(body, best.raw.delimiter),
        padded=any(
            f"{best.raw.delimiter} {m}{end}" in text for m in MISSING for end in (best.raw.delimiter, "\n", "\r")
        ),
        remarks=any(remark.before > first for remark in best.remarks),
        skip=best.rows[best.start + taken].before if body else first + taken,
        names=_names(header, body, best.width),
    )


def _quotes(text: str) -> tuple[str, str]:
    """The character around fields, and the one that makes it part of a field."""
    if '"' not in text and _SINGLE_QUOTED.search(text):
        return "'", "'"
    return '"', "\\" if '\\"' in text and '""' not in text else '"'


def _are_quoted(lines: Sequence[str]) -> bool:
    """Whether nearly all lines after the first are one quoted field with delimiters and quotes in it."""
    rest = [line.strip() for line in lines[1:_MOST_ROWS] if line.strip()]
    fitting = [line for line in rest if _QUOTED_LINE.match(line) and '""' in line[1:-1]]
    return len(fitting) > 0.95 * len(rest) and any(mark in fitting[0] for mark in _DELIMITERS[:-1])


def _without_quotes(line: str) -> str:
    """The line inside the quotes around it, if there are any."""
    return _plain(line.strip()) if _QUOTED_LINE.match(line.strip()) else line


def _plain(part: str) -> str:
    """A field of which the quotes, if any, are part."""
    return part[1:-1].replace('""', '"') if len(part) > 1 and part[0] == part[-1] == '"' else part


class _Tried(NamedTuple):
    """The rows as one delimiter cuts them. Remarks are apart; the table begins with the row ``start``."""

    raw: Dialect
    rows: list[Row]
    remarks: list[Row]
    start: int
    width: int
    rank: tuple[float, ...]


def _tried(lines: Sequence[str], raw: Dialect, whole: bool, options: Options) -> _Tried:
    """Cut the lines; the rank tells how well that went."""
    try:
        rows = list(islice(cut(lines, raw), _MOST_ROWS))
    except csv.Error:
        rows = []
    if not whole and 2 < len(rows) < _MOST_ROWS:
        rows.pop()  # a quoted line end may be cut in the middle
    widths = Counter(len(row.fields) for row in rows)
    width = max(widths, key=lambda each: (widths[each], each), default=0)
    remarks = [row for row in rows if row.fields[0].startswith(_REMARK) and not _fits(row.fields, width)]
    rows = [row for row in rows if row not in remarks]
    start = next((i for i, row in enumerate(rows) if _fits(row.fields, width)), 0)
    if start and len(rows[start - 1].fields) == width - 1 > 1 and not _is_header([row.fields for row in rows[start:]]):
        start -= 1  # as R writes it: no name for the column of row names
    table = [row.fields for row in rows[start:]]
    share = sum(_fits(fields, width) for fields in table) / max(len(table), 1)
    named = bool(table) and not set(options.names).isdisjoint(name.strip() for name in table[0])
    cells = [cell for fields in table[1:] for cell in fields]
    clean = sum(map(_is_clean, cells)) / max(len(cells), 1)
    if raw.delimiter == BLANKS:  # texts have blanks too
        mixed = any(mark in cell for cell in cells if not _is_clean(cell) for mark in _DELIMITERS[1:-1])
        share, clean = (0.0 if mixed else share), (clean if clean > 0.95 else -1.0)
    return _Tried(raw, rows, remarks, start, width, (width > 1 and share > 0.6, named, share, start == 0, clean))


def _fits(fields: Sequence[str], width: int) -> bool:
    """Whether a row has that many fields, perhaps with a delimiter at its end."""
    return len(fields) == width or (len(fields) == width + 1 and not fields[-1])


def _is_clean(cell: str) -> bool:
    """Whether a field is what a program writes: a number, a date or time, or a missing value."""
    return bool(_NUMBER.match(cell) or _TIME.match(cell)) or cell.strip() in MISSING


def _header(best: _Tried, rows: Sequence[list[str]], options: Options) -> tuple[list[str] | None, int]:
    """The fields that name the columns, if any do, and the number of rows that they take."""
    if not rows or options.header is False:
        return None, 0
    if options.header or not set(options.names).isdisjoint(name.strip() for name in rows[0]) or _is_header(rows):
        return rows[0], 1
    remark = best.remarks[-1] if best.remarks else None
    if remark is not None and remark.before < best.rows[best.start].before:  # as numpy.savetxt writes names
        line = best.raw.delimiter.join(remark.fields).lstrip(_REMARK + " ")
        names = next((row.fields for row in cut([line], best.raw)), [])
        if len(names) == best.width > 1 and not any(map(_is_clean, names)):
            return names, 0
    return None, 0


def _is_header(rows: Sequence[list[str]]) -> bool:
    """Whether the first row is unlike the others: a text above numbers or dates, or texts that never come again."""
    first, body = rows[0], rows[1:]
    if not body:
        return not any(_is_clean(cell) for cell in first)
    columns = list(zip_longest(*body, fillvalue=""))[: len(first)]
    values = [[cell.strip() for cell in column if cell.strip() not in MISSING] for column in columns]
    ordered = [bool(column) and sum(map(_is_clean, column)) > 0.9 * len(column) for column in values]
    if any(ordered):
        if any(
            known and not _is_clean(name) and name.strip() not in column
            for known, name, column in zip(ordered, first, values, strict=False)
        ):
            return True
        counted = [name.strip() for name in first[not first[0].strip() :]]  # 0, 1, 2, ...: names that pandas gives
        whole = all(cell.lstrip("-").isdigit() for column in values for cell in column)
        return counted == [str(j) for j in range(len(counted))] and len(counted) > (3 if whole else 1)
    again = sum(name.strip() in column for name, column in zip(first, values, strict=False))
    return again <= 0.2 * len(first)


def _decimal(body: Sequence[list[str]], delimiter: str) -> str:
    """The decimal mark: a comma if numbers have commas that cut no thousands, and none has a point."""
    if delimiter == ",":
        return "."
    cells = [cell for fields in body for cell in fields if _NUMBER.match(cell)]
    commas = [cell for cell in cells if _DECIMAL_COMMA.match(cell)]
    points = sum("." in cell and "," not in cell for cell in cells)
    return "," if len(commas) > points and not all(map(_THOUSANDS.match, commas)) else "."


def _names(header: list[str] | None, body: Sequence[list[str]], width: int) -> tuple[str | None, ...]:
    """A name for each field of a row."""
    blank_end = bool(body) and all(not fields[-1].strip() for fields in body)
    names = [""] * width if header is None else [name.strip() for name in header]
    if len(names) == width - 1:
        names = [*names, ""] if blank_end else ["", *names]
    names = (names + [""] * width)[:width] if body else names
    used = [bool(name) or any(fields[j].strip() for fields in body if j < len(fields)) for j, name in enumerate(names)]
    last = max((j for j, is_used in enumerate(used) if is_used), default=-1)
    return tuple(name or f"column_{j}" if j <= last else None for j, name in enumerate(names))
