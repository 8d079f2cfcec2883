"""The few types that columns of a table have: all others of the database become one of them.

BOOLEAN; whole numbers from TINYINT to UBIGINT; FLOAT and DOUBLE; DATE, TIME and TIMESTAMP (in UTC); VARCHAR; and ENUM,
texts that the source itself declares to be categories. A struct becomes a column for each of its fields, a duration its
number of seconds; lists, maps and the like become texts. Texts lose the blanks around them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?", "-", "#N/A", "<NA>")
"""Texts that stand for a missing value, whatever the source."""
NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
)
Nulls = Sequence[str | int | float]

_OTHERS = ("BOOLEAN", "DATE", "TIME", "TIMESTAMP", "ENUM", "VARCHAR")
_TIMESTAMP = ("{}::TIMESTAMP", "TIMESTAMP")
_CASTS = {
    "HUGEINT": ("{}::DOUBLE", "DOUBLE"), "UHUGEINT": ("{}::DOUBLE", "DOUBLE"), "BIGNUM": ("{}::DOUBLE", "DOUBLE"),
    "DECIMAL": ("{}::DOUBLE", "DOUBLE"), "INTERVAL": ("epoch({})", "DOUBLE"),
    "TIME_NS": ("{}::TIME", "TIME"), "TIME WITH TIME ZONE": ("{}::TIME", "TIME"),
    "JSON": ("({} ->> '$')", "VARCHAR"),  # a text without its quotes
    "TIMESTAMP_S": _TIMESTAMP, "TIMESTAMP_MS": _TIMESTAMP, "TIMESTAMP_NS": _TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": ("make_timestamp(epoch_us({}))", "TIMESTAMP"),
}  # fmt: skip
"""How values of other types become values of a plain one, and of which; those not named here become texts."""
_DEEPEST = 8  # structs inside structs; one that is deeper is a text
# IN with a dozen texts would take DuckDB 2 ms a column to plan, and a pattern five times as long for each value.
_IS_MISSING = f"try_cast(trim({{0}}, ' ') AS ENUM({', '.join(map(repr, MISSING))})) IS NOT NULL"


class Plain(NamedTuple):
    """A column of a plain type: its name, the expression that makes it, and values to bind in the expression."""

    name: str
    expression: str
    parameters: list[Any]


def type_name(type_: Any) -> str:
    """The name of a type, without its values, its precision, or its fields.

    >>> type_name("ENUM('red', 'green')"), type_name("DECIMAL(4,1)"), type_name("STRUCT(a INTEGER)[]")
    ('ENUM', 'DECIMAL', 'LIST')
    """
    return "LIST" if str(type_).endswith("]") else str(type_).partition("(")[0]


def plain_columns(
    name: str, type_: Any, expression: str, null: Nulls, texts: str = "{}", depth: int = 0
) -> Iterator[Plain]:
    """The plain columns that stand for one of the database; ``null`` and ``texts`` as in `table_of`."""
    kind = type_name(type_)
    if kind == "STRUCT" and depth < _DEEPEST:
        for k, (field, inner) in enumerate(type_.children):
            inside = f"struct_extract_at({expression}, {k + 1})"
            yield from plain_columns(f"{name}.{field}", inner, inside, null, texts, depth + 1)
        return
    if kind not in (*NUMBERS, *_OTHERS):
        cast, kind = _CASTS.get(kind, ("{}::VARCHAR", "VARCHAR"))
        expression = cast.format(expression)
    tests, codes = [], numbers(null) if kind in NUMBERS else []
    if kind == "VARCHAR":
        expression = texts.format(expression)
        tests, codes = [_IS_MISSING.format(expression)], [str(code) for code in null]
        expression = f"trim({expression}, ' ')"
    if codes:
        tests.append(f"list_contains(?, {expression})")
    if tests:
        expression = f"CASE WHEN {' OR '.join(tests)} THEN NULL ELSE {expression} END"
    yield Plain(name, expression, [codes] if codes else [])


def numbers(codes: Nulls) -> list[Any]:
    """The numbers among codes, which may be written as texts."""
    found = []
    for code in codes:
        with contextlib.suppress(ValueError):
            found.append(float(code))
    return found
