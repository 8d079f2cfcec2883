"""Delimited text: real files, small files of one property each, and tables written in any dialect come back."""

import csv
import gzip
import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table, read_table
from fastmlp.tables.types import MISSING

DATA = Path(os.environ.get("FASTMLP_DATA") or "/nowhere") / "tables"
SMALL = DATA.parents[1] / "cases" / "small"
LETTERS = {"B": "BIGINT", "D": "DOUBLE", "V": "VARCHAR", "T": "TIME", "S": "TIMESTAMP", "A": "DATE"}

# Rows, types, and what Python's own reader needs to know to read the same; {}: a comma and a header.
REAL = {
    "AirQualityUCI.csv": (9357, "VTDBBD" + 6 * "B" + "DDD", {}),
    "Soybean.csv": (683, "V" + 35 * "B", {}),
    "Zoo.csv": (101, 12 * "V" + "B" + 4 * "V", {}),
    "airfoil_self_noise.dat": (1503, "B" + 5 * "D", {"delimiter": "\t"}),
    "auto-mpg.data": (398, "DBDBBDBBV", {"delimiter": " "}),
    "auto-mpg_orig.data": (398, "DBDBBDBBV", {"delimiter": " "}),
    "bike_test.csv": (3476, "BV" + 8 * "B" + 4 * "D", {}),
    "bike_train.csv": (13903, "BV" + 8 * "B" + 4 * "D" + "B", {}),
    "breast_cancer.csv": (569, "BV" + 30 * "D", {}),
    "framingham.csv": (4240, 10 * "B" + "DDD" + 3 * "B", {}),
    "house_test.csv": (1459, None, {}),
    "house_train.csv": (1460, None, {}),
    "insurance.csv": (1338, "BVDBVVD", {}),
    "j_abalone.csv": (4177, "V" + 7 * "D" + "B", {"header": False}),
    "j_glass.data": (214, "B" + 9 * "D" + "B", {"header": False}),
    "j_horse-colic.csv": (300, "BBBD" + 11 * "B" + "DBBDDBD" + 6 * "B", {"header": False}),
    "j_housing.data": (506, "DDDB" + 4 * "D" + "BB" + 4 * "D", {"header": False, "delimiter": " "}),
    "mushrooms.csv": (8124, 23 * "V", {}),
    "s_GermanCredit.csv": (1000, "VBVVBVVBVVBVBVVBVBVVB", {}),
    "s_Life_Expectancy_Data.csv": (1649, None, {}),
    "sb_penguins.csv": (344, "VVDDBBV", {}),
    "sb_taxis.csv": (6433, "SSB" + 5 * "D" + 6 * "V", {}),
    "sb_tips.csv": (244, "DDVVVVB", {}),
    "seeds_dataset.txt": (210, 7 * "D" + "B", {"header": False, "delimiter": " "}),
    "student-mat.csv": (395, None, {"delimiter": ";"}),
    "telco.csv": (7043, "VVBVVB" + 12 * "V" + "DDV", {}),
    "titanic.csv": (891, "BBBVVDBBVDVV", {}),
    "titanic_test.csv": (418, "BBVVDBBVDVV", {}),
    "vega_seattle-weather.csv": (1461, "A" + 4 * "D" + "V", {}),
}  # fmt: skip


def columns_of(table):
    """The values of each column, None where missing."""
    values = table.select({f"x{j}": f"c{j}" for j in range(len(table.names))})
    return [column.tolist() for column in values.values()]


def types(table):
    return "".join(letter for type_ in table.types for letter, name in LETTERS.items() if name == type_)


def python_rows(path, delimiter=",", header=True):
    """Names and fields by Python's own means."""
    text = path.read_text("utf-8-sig")
    if path.name == "student-mat.csv":
        text = "".join(
            line.strip().removeprefix('"').removesuffix('"').replace('""', '"') + "\n" for line in text.splitlines()
        )
    if delimiter == " ":
        text = "\n".join(" ".join(line.split()) for line in text.splitlines())
    rows = [[field.strip() for field in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    width = len(rows[-1])
    names = rows.pop(0)[:width] if header else [f"column_{j}" for j in range(width)]
    return names, rows


@pytest.mark.skipif(not DATA.exists(), reason="FASTMLP_DATA has no tables")
@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_as_by_hand(name):
    n_rows, expected, arguments = REAL[name]
    table = read_table(DATA / name)
    names, rows = python_rows(DATA / name, **arguments)
    assert len(table) == n_rows == len(rows)
    assert table.names == tuple(names)
    assert expected is None or types(table) == expected
    for j, (type_, values) in enumerate(zip(table.types, columns_of(table), strict=True)):
        texts = [None if row[j] in MISSING else row[j] for row in rows]
        made = {"BIGINT": float, "DOUBLE": float, "TIME": lambda text: f"{text:0>8}"}.get(type_, str)
        texts = [None if text is None else made(text) for text in texts]
        if type_ in ("DATE", "TIME", "TIMESTAMP"):
            values = [None if value is None else str(value)[: None if type_ != "DATE" else 10] for value in values]
        assert values == texts, names[j]


INCOME = ("age", "Income", "height", "label")
CASES = {
    "base.csv": (300, INCOME, "DDDV"),
    "bom.csv": (300, INCOME, "DDDV"),
    "bool.csv": (300, ("flag", *INCOME[1:]), "VDDV"),
    "comment.csv": (300, INCOME, "DDDV"),
    "const.csv": (300, (*INCOME, "const"), "DDDVB"),
    "cr.csv": (300, INCOME, "DDDV"),
    "crlf.csv": (300, INCOME, "DDDV"),
    "date.csv": (300, ("day", *INCOME[1:]), "ADDV"),
    "dup.csv": (300, ("a", "a_1", "b", "label"), "DDDV"),
    "hdr_trail.csv": (300, INCOME, "DDDV"),
    "id.csv": (300, ("id", *INCOME), "VDDDV"),
    "latin1.csv": (300, ("age", "Income", "größe", "label"), "DDDV"),
    "newline.csv": (300, ("note", *INCOME[1:]), "VDDV"),
    "r1_alltext.csv": (60, ("cap", "odor", "class"), "VVV"),
    "r2_deccomma.csv": (60, ("temp", "humidity", "kind"), "DDV"),
    "r2b_deccomma_num.csv": (60, ("temp", "humidity", "load"), "DDD"),
    "r3_numheader.csv": (60, ("0", "1", "2"), "DDD"),
    "r4_headerless_q.csv": (61, ("column_0", "column_1", "column_2", "column_3"), "BBDV"),
    "r5_id.csv": (300, ("id", "date", "x", "y"), "VADD"),
    "r6_blank.csv": (3, ("city", "rooms"), "VB"),
    "r6_new.csv": (4, ("city", "rooms"), "VB"),
    "r6_train.csv": (60, ("city", "rooms", "price"), "VBB"),
    "r7_01.csv": (60, ("x1", "x2", "default"), "DDB"),
}


@pytest.mark.skipif(not SMALL.exists(), reason="there are no small cases beside FASTMLP_DATA")
@pytest.mark.parametrize("name", CASES)
def test_small_files_of_one_property_each(name):
    table = read_table(SMALL / name)
    assert (len(table), table.names, types(table)) == CASES[name]


@pytest.fixture
def read(tmp_path):
    """Read a text, or bytes, as a file."""

    def read_text(contents, **arguments):
        path = tmp_path / "t.csv"
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return read_table(path, **arguments)

    return read_text


LATE = 50_000  # rows, more than are looked at first


def test_a_whole_column_with_a_late_fraction_is_one_of_numbers(read):
    (values,) = columns_of(read("x\n" + LATE * "1\n" + "3.5\n"))
    assert values[-1] == 3.5 and len(values) == LATE + 1


def test_a_column_of_days_with_a_late_time_is_one_of_moments(read):
    table = read("x\n" + LATE * "2020-01-31\n" + "2020-02-01 10:30:00\n")
    assert table.types == ("TIMESTAMP",)
    assert str(columns_of(table)[0][-1]) == "2020-02-01 10:30:00"


def test_a_late_text_makes_a_column_of_texts(read):
    table = read("x,y\n" + LATE * "1,2\n" + "north,3\n")
    assert types(table) == "VB"
    assert columns_of(table)[0][-2:] == ["1", "north"]


def test_a_column_that_begins_late_is_looked_at_again(read):
    table = read("x,y\n" + LATE * "1,\n" + "2,2.5\n")
    assert types(table) == "BD"


def test_late_bytes_that_are_not_utf8_are_read_as_cp1252(read):
    table = read(b"x,y\n" + LATE * b"1,a\n" + "2,größe €\n".encode("cp1252"))
    assert columns_of(table)[1][-1] == "größe €"


def test_a_late_missing_value_with_a_blank_is_missing(read):
    table = read("x,y\n" + LATE * "1,a\n" + " ?, b \n")
    assert types(table) == "BV"
    assert [column[-1] for column in columns_of(table)] == [None, "b"]


def test_long_numbers_stay_exact(read):
    table = read("id,n\n1234567890123456789,12345678901234567890123\n7,1\n")
    assert types(table) == "BD"
    assert columns_of(table)[0] == [1234567890123456789, 7]


def test_blanks_around_fields_and_before_missing_values(read):
    table = read("39, State-gov, 77516, <=50K\n50, ?, 83311, >50K\n38, Private, ?, <=50K\n")
    assert types(table) == "BVBV"
    assert columns_of(table)[1:3] == [["State-gov", None, "Private"], [77516, 83311, None]]


def test_null_is_a_text_or_a_number_however_it_is_written(read):
    table = read("x,y,z\n-200,a,1\n-200.0,none,2\n3.5,b,-200\n", null=[-200, "none"])
    assert columns_of(table) == [[None, None, 3.5], ["a", None, "b"], [1, 2, None]]


def test_columns_without_name_and_values_are_left_out(read):
    table = read("day;T;;\n10/03/2004;13,6;;\n11/03/2004;-200;;\n;;;\n", null=["-200"])
    assert table.names == ("day", "T")
    assert columns_of(table)[1] == [13.6, None, None]


def test_dates_in_which_day_and_month_may_be_taken_for_each_other_stay_texts(read):
    assert types(read("day,iso\n01/02/2004,2004-02-01\n03/04/2004,2004-04-03\n")) == "VA"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,4,5\n6,7\n", r"t.csv, line 3 has 3 fields where the others have 2: '3,4,5'; .*delimiter=','"),
        ("a,b\n1,2\n3\n4,5\n", "line 3 has 1 field where the others have 2"),
        ("a,b\n" + LATE * "1,2\n" + "3,4,5\n", f"line {LATE + 2} has 3 fields"),
        ("a b\n1 2\n3 4 5\n6 7\n", "line 3 has 3 fields where the others have 2: '3 4 5'"),
        ('a,b\n1,"x\n2,y\n3,z\n', "line 2: a quote is not closed"),
        ("", "t.csv has no rows"),
        ("\n\n\n", "t.csv has no rows"),
        ("a,b\n", "t.csv has a header but no rows"),
        (bytes(range(256)), "t.csv is not text"),
        ("a,größe\n1,2\n".encode("latin-1"), "t.csv is not utf-8 text"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(read, text, message):
    arguments = {"encoding": "utf-8"} if "utf-8" in message else {}
    with pytest.raises(ValueError, match=message):
        read(text, **arguments)


def test_a_terminal_never_sees_what_a_file_says_to_it(read):
    with pytest.raises(ValueError) as error:
        read("a,b\n1,2\n\x1b[31mred\n")
    assert "\x1b" not in str(error.value)


def test_options_of_other_formats_are_refused(read):
    with pytest.raises(ValueError, match="sheet='2024' does not apply: .*t.csv is delimited text"):
        read("a\n1\n", sheet="2024")


def test_more_than_max_bytes_is_refused(read):
    with pytest.raises(ValueError, match="has 8 bytes, more than max_bytes=7"):
        read("a,b\n1,2\n", max_bytes=7)
    with pytest.raises(ValueError, match="more than max_bytes=9"):
        read("a b\n" + "1 2\n" * 2, max_bytes=9, encoding="utf-16")


def test_several_files_are_put_together_by_name(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b;c;a\ny;2020-01-31;2,5\n")
    table = read_table(tmp_path / "*.csv")
    assert table.names == ("a", "b", "c")
    assert columns_of(table)[:2] == [[1.0, 2.5], ["x", "y"]]
    assert [str(day) for day in columns_of(table)[2]] == ["None", "2020-01-31 00:00:00"]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder; name the files in it"):
        read_table(tmp_path)


def test_a_name_that_is_a_pattern_too_is_a_name(tmp_path):
    (tmp_path / "a[1].csv").write_text("x\n1\n")
    (tmp_path / "a1.csv").write_text("x\n2\n")
    assert columns_of(read_table(tmp_path / "a[1].csv")) == [[1]]


def test_a_lazy_table_is_read_anew_and_is_the_same(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("x y\n" + "1 a\n" * 1000 + "2.5 b\n")
    lazy, held = open_table(connect(), path, Options(lazy=True)), read_table(path)
    assert (lazy.names, lazy.types, len(lazy)) == (held.names, held.types, 1001)
    assert columns_of(lazy) == columns_of(held) == columns_of(lazy)


def test_quotes_in_a_long_file_keep_their_line_ends(tmp_path):
    rows = [[str(i), f"line {i}\nand, more"] for i in range(40_000)]
    path = tmp_path / "t.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["n", "note"], *rows])
    table = read_table(path)
    assert columns_of(table) == [[int(n) for n, _ in rows], [note for _, note in rows]]


def test_a_wide_table(read, width=200):
    table = read(",".join(f"x{j}" for j in range(width)) + "\n" + (",".join(["0.5"] * width) + "\n") * 3)
    assert table.types == ("DOUBLE",) * width
    assert table.names[-1] == f"x{width - 1}"


texts = st.text(st.sampled_from("abcXYZ äöß€,;|\t\"'\n.:-/%é"), max_size=12).map(lambda text: f"w{text}w")
column_values = st.sampled_from(
    [st.integers(-999, 999), st.integers(-(10**14), 10**14), st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), texts]
)


@st.composite
def tables(draw):
    """Columns of one kind each, with some values missing, but at least one in each column and each row."""
    n_rows, n_columns = draw(st.integers(2, 12)), draw(st.integers(2, 5))
    columns = []
    for _ in range(n_columns):
        values = draw(st.lists(draw(column_values), min_size=n_rows, max_size=n_rows))
        missing = draw(st.sets(st.integers(1, n_rows - 1), max_size=2))
        columns.append([None if i in missing else value for i, value in enumerate(values)])
    return columns


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["", "NA", "?", "null"]),
    st.booleans(),
)
@example([[1, 2], ["w,w", "w;w"]], "|", "\r", csv.QUOTE_MINIMAL, "cp1252", "?", True)
def test_a_table_in_any_dialect_comes_back(tmp_path, columns, delimiter, end, quoting, encoding, missing, packed):
    if end == "\r" and quoting == csv.QUOTE_MINIMAL:
        columns = [
            [value.replace("\n", " ") if isinstance(value, str) else value for value in each] for each in columns
        ]
        # Python puts no quotes around a line feed there, so that it ends a row.
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting)
    names = [f"name {j}" for j in range(len(columns))]
    writer.writerow(names)
    writer.writerows([missing if value is None else value for value in row] for row in zip(*columns, strict=True))
    contents = buffer.getvalue().encode(encoding)
    path = tmp_path / "t.csv"
    path.write_bytes(gzip.compress(contents) if packed else contents)
    table = read_table(path)
    assert table.names == tuple(names)
    assert columns_of(table) == columns


def test_reading_is_the_same_whatever_the_order_of_rows(read):
    rows = [f"{x},{'ab'[x % 2]}\n" for x in range(1000)]
    random.Random(0).shuffle(rows)
    table = read("x,y\n" + "".join(rows))
    assert np.argsort(columns_of(table)[0]).tolist() == np.argsort([int(row.split(",")[0]) for row in rows]).tolist()


def test_a_quote_that_is_never_closed_is_one_error(read):
    with pytest.raises(ValueError, match=r"after line 1: a quote may never be closed"):
        read('a,b\n"' + "a\n" * 200_000)


def test_a_small_file_cannot_have_a_million_columns(read):
    with pytest.raises(ValueError, match="has 1000001 columns; expected 100000 at most"):
        read("a" + "," * 1_000_000 + "\n")
