"""What the texts of a column have in common: whole numbers, numbers, days, moments, times of day, or nothing.

Found in some of the rows, and only hoped for the others. So a column is first read as a type into which more fits:
whole numbers as DOUBLE, days as TIMESTAMP. The database itself rounds 3.5 and cuts off the time of day without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastmlp.tables.database import column

_DIGITS = "regexp_full_match(trim({0}), '[-+]?\\d+')"
_DAY = 24 * 3600 * 10**6  # microseconds
_EXACT = 10**15  # smaller whole numbers are exact as DOUBLE


class Hope(NamedTuple):
    """The type as which a column is read, and what becomes of it if a condition holds for all its values.

    ``{0}`` stands for the column.
    """

    read_as: str
    condition: str
    expression: str


NUMBER = Hope("DOUBLE", "count({0}) >= 0", "{0}")
WHOLE = Hope("DOUBLE", f"count_if({{0}} <> trunc({{0}}) OR abs({{0}}) >= {_EXACT}) = 0", "{0}::BIGINT")
LONG = Hope("BIGINT", "count({0}) >= 0", "{0}")
MOMENT = Hope("TIMESTAMP", "count({0}) >= 0", "{0}")
DAY = Hope("TIMESTAMP", "count_if({0} <> date_trunc('day', {0})) = 0", "{0}::DATE")
TIME = Hope("TIME", "count({0}) >= 0", "{0}")
TEXT = Hope("VARCHAR", "count_if({0} < '!' OR ends_with({0}, ' ')) = 0", "{0}")
"""A blank comes before all else that is printed, so that a comparison finds it at the start, in half the time."""
EMPTY = Hope("VARCHAR", "count({0}) = 0", "{0}")
"""Without a value in the rows looked at."""


def infer(counts: Callable[[Sequence[str]], Sequence[int]], n_columns: int, decimal: str) -> list[Hope]:
    """What can be hoped of each column.

    ``counts`` gives the values of aggregates over the rows looked at, with all columns as texts.
    """
    columns = [column(j) for j in range(n_columns)]
    number = "try_cast({0} AS DOUBLE)"
    if decimal == ",":
        number = "CASE WHEN contains({0}, '.') THEN NULL ELSE try_cast(replace({0}, ',', '.') AS DOUBLE) END"
    asked = ["count({0})", f"count({number})", f"count_if({number} % 1 = 0)", "coalesce(max(length({0})), 0)"]
    found = iter(counts([question.format(name) for name in columns for question in asked]))
    hopes, n_values, further = [], [], []
    for j, (name, present, numbers, whole, longest) in enumerate(zip(columns, found, found, found, found, strict=True)):
        n_values.append(present)
        hopes.append(EMPTY if not present else TEXT if numbers < present else WHOLE if whole == present else NUMBER)
        if hopes[j] is TEXT:
            further.append((j, TIME, f"count(try_cast({name} AS TIME))"))
            further.append((j, MOMENT, f"count(try_cast({name} AS TIMESTAMP))"))
            further.append((j, DAY, f"count_if(epoch_us(try_cast({name} AS TIMESTAMP)) % {_DAY} = 0)"))
        elif hopes[j] is WHOLE and longest > 15:
            further.append((j, NUMBER, f"count({name})"))
            further.append((j, LONG, f"count_if({_DIGITS.format(name)} AND try_cast({name} AS BIGINT) IS NOT NULL)"))
    if further:
        for (j, hope, _), n_fitting in zip(further, counts([asked for _, _, asked in further]), strict=True):
            if n_fitting == n_values[j]:
                hopes[j] = hope  # the last that fits says most
    return hopes
