"""Orange's header of three rows, or of one row with prefixes."""

import os

import pytest
from table_values import columns

from fastmlp.tables.reading import read_table

TABLES = os.path.join(os.environ.get("FASTMLP_DATA", "none"), "tables")
THREE = (
    "name\tsize\tkind\tcode\tclass\tskip\tmade\n"
    "string\tc\tbig\\ one small\td\tdiscrete\tcontinuous\ttime\n"
    "meta\t\t\t\tclass\tignore\t\n"
    "Ann\t1.5\tbig one\t01\tyes\t9\t2024-05-06\n"
    "Bob\t?\tsmall\t2\tno\t8\t\n"
)
ONE = "mS#name\tC#size\tD#kind\tD#code\tcD#class\tiC#skip\tT#made\n" + "".join(THREE.splitlines(True)[3:])
EXPECTED = {
    "size": ("DOUBLE", ["1.5", None]), "kind": ("ENUM", ["big one", "small"]), "code": ("ENUM", ["01", "2"]),
    "class": ("ENUM", ["yes", "no"]), "made": ("VARCHAR", ["2024-05-06", None]),
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.tab"


@pytest.mark.parametrize("text", [THREE, ONE, ONE.replace("\t", ","), THREE.replace("\n", "\r\n")])
def test_the_header_tells_types_and_roles(path, text):
    path.write_text(text)
    assert columns(read_table(path)) == EXPECTED


def test_columns_left_out_come_back_by_name(path):
    path.write_text(THREE)
    found = columns(read_table(path, target="name"))
    assert list(found) == ["name", "size", "kind", "code", "class", "made"]
    assert found["name"] == ("VARCHAR", ["Ann", "Bob"])
    assert columns(read_table(path, target="skip"))["skip"] == ("BIGINT", ["9", "8"])


@pytest.mark.parametrize(
    "text",
    ["a\tb\n1\t2\n3\t4\n", "C#,Java\n1,2\n", "a\tb\nc\td\ne\tf\n", "a\tb\n\t\n\t\nx\ty\n", "#a,b\n1,2\n",
     "age,class\nover 7,x\n>= 7,y\n"],
)  # fmt: skip
def test_other_tables_have_no_such_header(path, text):
    path.write_text(text)
    table = read_table(path)
    assert "ENUM" not in table.types and len(table.names) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (THREE.replace("1.5", "big"), r"people\.tab, line 4, column 'size': expected a number, got 'big'"),
        (THREE.replace("\tno", ""), r"people\.tab, line 5: 6 fields, expected 7"),
        (ONE.replace("\tno", ""), r"people\.tab, line 3: 6 fields, expected 7"),
        ("".join(THREE.splitlines(True)[:3]), "has no rows"),
    ],
)
def test_what_does_not_fit_is_named(path, text, words):
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_table(path)


@pytest.mark.mnist
@pytest.mark.skipif(not os.path.isdir(TABLES), reason="FASTMLP_DATA names no folder with tables")
def test_heart_disease():
    table = read_table(os.path.join(TABLES, "orange_heart_disease.tab"))
    assert table.names[:4] + table.names[-1:] == ("age", "gender", "chest pain", "rest SBP", "diameter narrowing")
    assert table.types == (
        "BIGINT", "ENUM", "ENUM", "BIGINT", "BIGINT", "ENUM", "ENUM", "BIGINT", "ENUM", "DOUBLE", "ENUM", "BIGINT",
        "ENUM", "ENUM",
    )  # fmt: skip
    assert len(table) == 303
