"""Columns of any type of the database become columns of a few types."""

import pytest

from fastmlp.tables.database import connect
from fastmlp.tables.table import table_of
from fastmlp.tables.types import MISSING

CASES = {
    "1::HUGEINT": ("DOUBLE", "1.0"),
    "1.5::DECIMAL(4, 1)": ("DOUBLE", "1.5"),
    "TIMESTAMPTZ '2024-05-06 12:00:00+02'": ("TIMESTAMP", "2024-05-06 10:00:00"),
    "TIMESTAMP_NS '2024-05-06 12:00:00'": ("TIMESTAMP", "2024-05-06 12:00:00"),
    "TIMESTAMPTZ 'infinity'": ("TIMESTAMP", None),
    "INTERVAL 2 DAY": ("DOUBLE", "172800.0"),
    "[1, 2]": ("VARCHAR", "[1, 2]"),
    "MAP {'a': 1}": ("VARCHAR", "{a=1}"),
    "NULL": ("VARCHAR", None),
    "5::UTINYINT": ("UTINYINT", "5"),
    "true": ("BOOLEAN", "true"),
    "'x'::ENUM('x', 'y')": ("ENUM", "x"),
    "'ab'::BLOB": ("VARCHAR", "ab"),
    "' red '": ("VARCHAR", "red"),
    "'\u00a0'": ("VARCHAR", "\u00a0"),
}


def read(expression, null=()):
    table = table_of(connect(), f"SELECT {expression} AS x", [], "made", null=null)
    found = table.select({f"v{j}": f"c{j}::VARCHAR" for j in range(len(table.names))})
    values = [array.tolist()[0] for array in found.values()]
    return dict(zip(table.names, zip(table.types, values, strict=True), strict=True))


@pytest.mark.parametrize("expression", CASES)
def test_a_type_becomes_a_plain_one(expression):
    assert read(expression) == {"x": CASES[expression]}


@pytest.mark.parametrize("text", [*MISSING, "  ", " NA "])
def test_texts_for_a_missing_value(text):
    assert read(f"'{text}'") == {"x": ("VARCHAR", None)}


@pytest.mark.parametrize("text", ["none", "NAN", "--", "N", "nanny", "0", "n?a", "a" * 30])
def test_texts_that_only_look_like_one(text):
    assert read(f"'{text}'") == {"x": ("VARCHAR", text)}


def test_structs_are_columns():
    assert read("{'a': 1, 'b': {'c d': 'x', 'e': [1]}}") == {
        "x.a": ("INTEGER", "1"), "x.b.c d": ("VARCHAR", "x"), "x.b.e": ("VARCHAR", "[1]")
    }  # fmt: skip
    deep = "1"
    for _ in range(12):
        deep = f"{{'a': {deep}}}"
    assert list(read(deep)) == ["x" + ".a" * 8]


@pytest.mark.parametrize(
    ("expression", "null", "value"),
    [("-200", [-200], None), ("-200.0::DOUBLE", ["-200"], None), ("'-200'", [-200], None), ("'no'", ["no"], None),
     ("1", ["no"], "1"), ("'yes'", ["no", "'"], "yes")],
)  # fmt: skip
def test_values_that_the_caller_says_are_missing(expression, null, value):
    assert read(expression, null)["x"][1] == value
