"""Inference: what the texts of a column have in common."""

import pytest

from fastmlp.tables.database import connect
from fastmlp.tables.inference import DAY, EMPTY, LONG, MOMENT, NUMBER, TEXT, TIME, WHOLE, infer


def inferred(*columns, decimal="."):
    """What is hoped of columns of texts."""
    connection = connect()
    n_rows = max(map(len, columns))
    names = ", ".join(f"c{j} VARCHAR" for j in range(len(columns)))
    connection.execute(f"CREATE TABLE t({names})")
    rows = [[column[i] if i < len(column) else None for column in columns] for i in range(n_rows)]
    connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", rows)
    return infer(
        lambda asked: connection.execute(f"SELECT {', '.join(asked)} FROM t").fetchone(), len(columns), decimal
    )


@pytest.mark.parametrize(
    ("texts", "hope"),
    [
        (["1", " -2 ", "+3"], WHOLE),
        (["1", None, "3."], WHOLE),
        (["1", "2.5"], NUMBER),
        (["1e3", ".5"], NUMBER),
        (["1", "x"], TEXT),
        (["1234567890123456789", "1"], LONG),
        (["12345678901234567890", "1"], NUMBER),
        (["1234567890123456", "1e3"], NUMBER),
        (["2020-01-31", "2021-12-01"], DAY),
        (["2020-01-31", "2021-12-01 10:00"], MOMENT),
        (["2020-01-31T10:00:00Z"], MOMENT),
        (["10:30", "9:00:00"], TIME),
        (["10/03/2004", "11/03/2004"], TEXT),  # March or October?
        (["true", "false"], TEXT),
        (["0x1F"], TEXT),
        ([None, None], EMPTY),
    ],
)
def test_columns(texts, hope):
    assert inferred(texts) == [hope]


def test_columns_do_not_mix():
    assert inferred(["1", "2"], ["x"], ["10:30"], ["2020-01-31"]) == [WHOLE, TEXT, TIME, DAY]


def test_decimal_commas():
    assert inferred(["1,5", "2"], ["1", "2"], ["1.5"], decimal=",") == [NUMBER, WHOLE, TEXT]
    assert inferred(["1,5", "2"]) == [TEXT]
