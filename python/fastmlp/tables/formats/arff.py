"""ARFF, the format of Weka and OpenML: attributes with their types, then rows, all fields or only those not zero."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any

from fastmlp.checks.errors import shown
from fastmlp.tables.formats.declared import Declared, read_declared, text_of
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table
from fastmlp.tables.unpacking import Files

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?(?:%[^\n]*\n|\s)*@relation\b", re.IGNORECASE)
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(\{{.*\}}|\w+)", re.IGNORECASE | re.DOTALL)
_FIRST_QUOTE = re.compile(r"(?:^|[,\t])\s*(['\"])")
_QUOTED_VALUE = re.compile(r"(\d+)\s+(['\"])")
_NUMBERS = ("numeric", "real", "integer")


def recognises(source: object) -> bool:
    """Whether this begins with the name of a relation, below comments."""
    return isinstance(source, Files) and _BEGINNING.match(source.head) is not None


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows, with the types and the categories of the attributes.

    Raises ``ValueError`` naming the line that does not fit its attributes.
    """
    options.only(source.name, "ARFF", "null")
    lines = enumerate(text_of(source, options.max_bytes).splitlines(), 1)
    columns: list[Declared] = []
    for line, text in lines:
        word = text.strip().partition(" ")[0].partition("\t")[0].lower()
        if word == "@attribute":
            columns.append(_attribute(text.strip(), f"{source.name}, line {line}"))
        elif word == "@data":
            break
    return read_declared(connection, source, columns, _rows(lines, columns, source.name), options)


def _attribute(text: str, place: str) -> Declared:
    found = _ATTRIBUTE.match(text)
    if not found:
        raise ValueError(f"{place}: expected an attribute with a name and a type, got {shown(text, 80)}")
    name, type_ = _plain(found[1]), found[2]
    if type_.startswith("{"):
        values = [value.strip() for value in _split(type_[1:-1], ",", place)]
        return Declared(name, "category", tuple(dict.fromkeys(value for value in values if value)))
    return Declared(name, "number" if type_.lower() in _NUMBERS else "text")


def _rows(lines: Iterator[tuple[int, str]], columns: list[Declared], origin: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of each row below ``@data``."""
    zeros = [column.values[0] if column.values else "0" for column in columns]
    for line, text in lines:
        text, at = text.strip(), f"{origin}, line {line}"
        if not text or text.startswith("%"):
            continue
        if not text.startswith("{"):
            yield line, _split(text, "," if "," in text else "\t", at)
            continue
        fields = list(zeros)
        for item in _split(_QUOTED_VALUE.sub(r"\2\1 ", text.strip("{} \t")), ",", at):  # 3 'red' -> '3 red'
            place, _, value = item.strip().partition(" ")
            if not place:
                continue
            if not place.isdecimal() or int(place) >= len(fields):
                raise ValueError(f"{at}: {shown(item, 60)} is none of {len(fields)} attributes from 0")
            fields[int(place)] = value
        yield line, fields


def _split(text: str, delimiter: str, place: str) -> list[str]:
    """The fields of a line without quotes around them; a delimiter inside quotes belongs to the field."""
    quote = _FIRST_QUOTE.search(text)
    if not quote:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, quotechar=quote[1], escapechar="\\", skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f"{place}: {shown(text, 60)} cannot be split into fields ({error})") from None


def _plain(name: str) -> str:
    """A name without its quotes."""
    quoted = name[:1] in ("'", '"') and name[-1:] == name[:1] and len(name) > 1
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if quoted else name
