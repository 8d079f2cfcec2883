"""ARFF: attributes, quotes, sparse rows, and lines that do not fit."""

import pytest
from table_values import columns

from fastmlp.tables.reading import read_table

TEXT = """% from a museum
@RELATION 'old coins'

@attribute 'weight in g' NUMERIC
@ATTRIBUTE metal {gold,'red gold', silver}
@attribute grade {1,2,3}
@attribute note string
@attribute found date 'yyyy-MM-dd'
@attribute n integer

@DATA
5.1,gold,1,'it\\'s, well',2020-01-01,3
?, 'red gold' ,2,"a, b",?,4
% a comment
4,silver,3,don't,2020-01-03,5
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "coins.arff"


def test_attributes_tell_the_types(path):
    path.write_text(TEXT.replace('"a, b"', "'a, b'"))
    assert columns(read_table(path)) == {
        "weight in g": ("DOUBLE", ["5.1", None, "4.0"]), "metal": ("ENUM", ["gold", "red gold", "silver"]),
        "grade": ("ENUM", ["1", "2", "3"]), "note": ("VARCHAR", ["it's, well", "a, b", "don't"]),
        "found": ("VARCHAR", ["2020-01-01", None, "2020-01-03"]), "n": ("BIGINT", ["3", "4", "5"]),
    }  # fmt: skip


def test_sparse_rows_and_tabs(path):
    head = "@relation x\n@attribute a real\n@attribute b {no,'oh yes'}\n@attribute c real\n@data\n"
    expected = {"a": ("BIGINT", ["5", "0"]), "b": ("ENUM", ["oh yes", "no"]), "c": ("DOUBLE", [None, "2.5"])}
    path.write_text(head + "{0 5, 1 'oh yes', 2 ?}\n{2 2.5}\n")
    assert columns(read_table(path)) == expected
    path.write_text(head + "5\t'oh yes'\t?\n0\tno\t2.5\n")
    assert columns(read_table(path)) == expected


def test_null_names_values_that_are_missing(path):
    path.write_text("@relation x\n@attribute a real\n@attribute b {x}\n@data\n-9,none\n-9.0,x\nno,x\n")
    assert columns(read_table(path, null=[-9, "none", "no"])) == {
        "a": ("DOUBLE", [None] * 3), "b": ("ENUM", [None, "x", "x"])
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("@attribute a real\n@data\n1\nx\n", r"arff, line 5, column 'a': expected a number, got 'x'; null=\['x'\]"),
        ("@attribute a real\n@data\n1_0\n", "expected a number, got '1_0'"),
        ("@attribute a {x,y}\n@data\nz\n", r"line 4, column 'a': expected one of x, y, got 'z'"),
        ("@attribute a real\n@data\n1,2\n", "line 4: 2 fields, expected 1"),
        ("@attribute a real\n@data\n{1 2}\n", "line 4: '1 2' is none of 1 attributes"),
        ("@attribute a real\n@data\n{x}\n", "line 4: 'x' is none of 1 attributes"),
        ("@attribute a\n@data\n1\n", "line 2: expected an attribute with a name and a type"),
        ("@attribute a real\n@data\n", "has no rows"),
        ("@attribute a real\n", "has no rows"),
        ("@data\n1\n", "line 3: 1 fields, expected 0"),
    ],
)
def test_what_does_not_fit_is_named(path, rest, words):
    path.write_text("@relation x\n" + rest)
    with pytest.raises(ValueError, match=words) as refused:
        read_table(path)
    assert str(refused.value).startswith(str(path))


def test_the_limit_counts_what_rows_take(path):
    path.write_text(TEXT)
    with pytest.raises(ValueError, match="bytes in memory, more than max_bytes=1000"):
        read_table(path, max_bytes=1000)


def test_long_lines_take_no_longer_than_their_length(path):
    path.write_text("@relation x\n@attribute a real\n@data\n" + " " * 300_000 + "1\n{0 " + "'1 " * 100_000 + "\n")
    with pytest.raises(ValueError, match="line 5"):
        read_table(path)
