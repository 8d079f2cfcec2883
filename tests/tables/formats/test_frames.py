"""Frames, arrays and dicts: names, types and values, with or without gaps."""

import datetime
import decimal
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_values import columns

from fastmlp.tables.reading import read_table

UTC = datetime.timezone.utc
DAY = datetime.date(2024, 5, 6)
NOON = datetime.datetime(2024, 5, 6, 12)
PARIS = pd.DatetimeIndex([NOON, pd.NaT]).tz_localize("Europe/Paris")


def column(values):
    """The same for a single column of a dict."""
    return columns(read_table({"x": values}))["x"]


@pytest.mark.parametrize(
    ("values", "type_", "texts"),
    [
        ([1, None, 3], "BIGINT", ["1", None, "3"]),
        ([1, 2.5, None], "DOUBLE", ["1.0", "2.5", None]),
        ([1, float("nan")], "BIGINT", ["1", None]),
        ([True, None], "BOOLEAN", ["true", None]),
        ([True, 2], "BIGINT", ["1", "2"]),
        ([decimal.Decimal("1.5"), 1], "DOUBLE", ["1.5", "1.0"]),
        ([2**70, 1], "DOUBLE", ["1.1805916207174113e+21", "1.0"]),
        (["red ", None, " ", "?"], "VARCHAR", ["red", None, None, None]),
        (["1", 2, 2.5], "VARCHAR", ["1", "2", "2.5"]),
        (["a", float("nan")], "VARCHAR", ["a", None]),
        ([b"a", None], "VARCHAR", ["a", None]),
        ([DAY, None], "DATE", ["2024-05-06", None]),
        ([NOON, None, DAY], "TIMESTAMP", ["2024-05-06 12:00:00", None, "2024-05-06 00:00:00"]),
        ([NOON.replace(tzinfo=UTC), NOON], "TIMESTAMP", ["2024-05-06 12:00:00"] * 2),
        ([np.datetime64("2024-05-06"), None], "TIMESTAMP", ["2024-05-06 00:00:00", None]),
        ([NOON.time(), None], "TIME", ["12:00:00", None]),
        ([datetime.timedelta(minutes=1), None], "DOUBLE", ["60.0", None]),
        ([None, None], "VARCHAR", [None, None]),
        ([[1], [2]], "VARCHAR", ["[1]", "[2]"]),
        (np.array([1, 2], ">i4"), "INTEGER", ["1", "2"]),
        (np.array([1.5], np.float16), "FLOAT", ["1.5"]),
        (np.array([1.5], np.longdouble), "DOUBLE", ["1.5"]),
        (np.array(["2024-05", "NaT"], "M8[M]"), "TIMESTAMP", ["2024-05-01 00:00:00", None]),
        (np.array([1, 2], "m8[h]"), "DOUBLE", ["3600.0", "7200.0"]),
        (np.array(["a", "b"]), "VARCHAR", ["a", "b"]),
        (np.array([b"a", b""]), "VARCHAR", ["a", None]),
        (np.arange(6)[::3], "BIGINT", ["0", "3"]),
        (np.ma.array([1, 2], mask=[0, 1]), "BIGINT", ["1", None]),
        (np.ma.array(["a", "b"], mask=[0, 1]), "VARCHAR", ["a", None]),
        (pl.Series(["a", None]), "VARCHAR", ["a", None]),
        (pd.Series([1, None], dtype="Int64"), "BIGINT", ["1", None]),
    ],
    ids=repr,
)
def test_a_column_gets_the_type_of_its_values(values, type_, texts):
    assert column(values) == (type_, texts)


@pytest.mark.parametrize(
    ("values", "type_", "texts"),
    [
        (pd.array([1, None], "Int64"), "BIGINT", ["1", None]),
        (pd.array([1.5, None], "Float32"), "FLOAT", ["1.5", None]),
        (pd.array([True, None], "boolean"), "BOOLEAN", ["true", None]),
        (pd.array(["a", None], "string"), "VARCHAR", ["a", None]),
        (np.array([pd.NA, 1], object), "INTEGER", [None, "1"]),
        (np.array([pd.NaT, pd.Timestamp(NOON)], object), "TIMESTAMP", [None, "2024-05-06 12:00:00"]),
        (np.array([True, None], object), "BOOLEAN", ["true", None]),
        (pd.Categorical(["a", None]), "ENUM", ["a", None]),
        (pd.Categorical([3, 1]), "ENUM", ["3", "1"]),
        (pd.Categorical([None, None]), "VARCHAR", [None, None]),
        (pd.Categorical(np.array([1, "1"], object)), "VARCHAR", ["1", "1"]),
        (PARIS, "TIMESTAMP", ["2024-05-06 10:00:00", None]),
        (pd.period_range("2024-05", periods=2, freq="M"), "TIMESTAMP", ["2024-05-01 00:00:00", "2024-06-01 00:00:00"]),
        (pd.to_timedelta([1, None], unit="min"), "DOUBLE", ["60.0", None]),
        (pd.interval_range(0, 2), "VARCHAR", ["(0, 1]", "(1, 2]"]),
        (pd.arrays.SparseArray([0.0, 1.0]), "DOUBLE", ["0.0", "1.0"]),
        (pd.array([1, None], "int64[pyarrow]"), "BIGINT", ["1", None]),
        (pd.array([DAY, None], "date32[pyarrow]"), "DATE", ["2024-05-06", None]),
    ],
    ids=repr,
)
def test_a_column_of_pandas_too(values, type_, texts):
    frame = pd.DataFrame({"x": values, "n": [1.5, 2.5]}, index=[7, 7])
    assert columns(read_table(frame)) == {"x": (type_, texts), "n": ("DOUBLE", ["1.5", "2.5"])}


POLARS = pl.DataFrame(
    {
        "i": [1, None], "s": ["x", None], "f": pl.Series([1.5, None], dtype=pl.Float32), "b": [True, None],
        "c": pl.Series(["u", None], dtype=pl.Categorical), "d": [DAY, None], "n": [None, None], "l": [[1], None],
        "t": pl.Series([NOON, None]).dt.replace_time_zone("Europe/Paris"), "m": [decimal.Decimal("1.5"), None],
        "r": [{"a": 1, "b": {"c": "x"}}, {"a": 2, "b": {"c": "y"}}],
    }
)  # fmt: skip
EXPECTED = {
    "i": ("BIGINT", ["1", None]), "s": ("VARCHAR", ["x", None]), "f": ("FLOAT", ["1.5", None]),
    "b": ("BOOLEAN", ["true", None]), "c": ("VARCHAR", ["u", None]), "d": ("DATE", ["2024-05-06", None]),
    "n": ("VARCHAR", [None, None]), "l": ("VARCHAR", ["[1]", None]), "t": ("TIMESTAMP", ["2024-05-06 10:00:00", None]),
    "m": ("DOUBLE", ["1.5", None]), "r.a": ("BIGINT", ["1", "2"]), "r.b.c": ("VARCHAR", ["x", "y"]),
}  # fmt: skip


class Capsule:
    """Some other library's frame."""

    def __init__(self, frame):
        self.frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self.frame.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "given", [POLARS, POLARS.to_arrow(), POLARS.to_arrow().to_batches()[0], POLARS.to_arrow().to_reader(),
              Capsule(POLARS.to_arrow())],
    ids=["polars", "table", "batch", "reader", "capsule"],
)  # fmt: skip
def test_frames_with_the_arrow_interface(given):
    assert columns(read_table(given)) == EXPECTED


def test_names_are_as_in_the_frame():
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "a", "A", ("x", 1)])
    assert read_table(frame).names == ("a", "a_1", "A", "('x', 1)")
    assert read_table(pa.table([[1], [2]], names=["a", "A"])).names == ("a", "A")
    assert read_table(pd.DataFrame([[1, 2]])).names == ("0", "1")


def test_arrays_and_lists_of_rows():
    assert columns(read_table(np.array([[1.0, 2.0]]))) == {
        "column_0": ("DOUBLE", ["1.0"]), "column_1": ("DOUBLE", ["2.0"])
    }  # fmt: skip
    rows = [[1, "red"], [2, None]]
    expected = {"column_0": ("BIGINT", ["1", "2"]), "column_1": ("VARCHAR", ["red", None])}
    assert columns(read_table(rows)) == columns(read_table(np.array(rows, object))) == expected
    structured = np.array([(1, 2.0, "x")], dtype=[("a", ">i4"), ("b", "f8"), ("c", "U3")])
    expected = {"a": ("INTEGER", ["1"]), "b": ("DOUBLE", ["2.0"]), "c": ("VARCHAR", ["x"])}
    assert columns(read_table(structured)) == expected
    assert columns(read_table([{"a": 1}, {"a": 2, "b": "x"}])) == {
        "a": ("BIGINT", ["1", "2"]), "b": ("VARCHAR", [None, "x"])
    }  # fmt: skip


def test_rows_may_be_none():
    assert len(read_table(np.ones((0, 2)))) == 0
    assert read_table(pd.DataFrame({"a": [], "b": pd.Categorical([])})).types == ("DOUBLE", "VARCHAR")


def test_null_names_values_that_are_missing():
    table = read_table({"n": [-200, 1.5], "s": ["none", "-200"]}, null=[-200, "none"])
    assert columns(table) == {"n": ("DOUBLE", [None, "1.5"]), "s": ("VARCHAR", [None, None])}


def test_changing_the_frame_afterwards_does_not_change_the_table():
    values = np.array([1.0, 2.0])
    table = read_table({"x": values})
    values[:] = 9
    assert table.select({"x": "c0"})["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (np.arange(3), ValueError, "rows and columns, got an array of shape"),
        ([], ValueError, "rows and columns"),
        ({}, ValueError, "no columns"),
        (pd.DataFrame(index=[1]), ValueError, "no columns"),
        (pl.DataFrame(), ValueError, "no columns"),
        ({"a": [1, 2], "b": [1]}, ValueError, "one length, got a: 2, b: 1"),
        ({"a": 1}, ValueError, "'a' must have one value a row"),
        ({"a": np.ones((2, 2))}, ValueError, "'a' must have one value a row"),
        ({"a\x1b": np.array([1j])}, TypeError, r"column 'a\\\\x1b' must hold numbers, texts or dates, got complex128"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 1)])), ValueError, "MultiIndex of 2 levels"),
        (pl.Series([1]), ValueError, "one column of Series"),
        (pl.DataFrame({"a": [object()]}), TypeError, "Python objects"),
        (pl.DataFrame({"a": pl.Series([1], dtype=pl.Int128)}), TypeError, "the table: .*_pli128"),
        ({"a": ["\ud800"]}, ValueError, "the table: .*UTF-8"),
        (3, TypeError, "source must be the path of a file, a frame, .* got int"),
    ],
)
def test_what_is_no_table_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        read_table(given)


def test_options_of_files_are_refused():
    with pytest.raises(ValueError, match="delimiter=';' does not apply: the table is in memory"):
        read_table({"a": [1]}, delimiter=";")


def test_names_and_values_never_become_sql(tmp_path):
    evil = "x\"'); DROP TABLE held; --"
    frame = pd.DataFrame({evil: [evil, "b"], "category": pd.Categorical([evil, None])})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.json", orient="records")
    frame.to_feather(tmp_path / "a.feather", compression="uncompressed")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for source in (frame, *sorted(tmp_path.iterdir())):
        table = read_table(source, null=[evil[:5]])
        assert [values for _, values in columns(table).values()] == [[evil, "b"], [evil, None]]
        assert table.names == (evil, "category")


def test_a_frame_of_polars_needs_no_pyarrow():
    code = (
        "import sys; sys.modules['pyarrow'] = None; import polars; from fastmlp.tables.reading import read_table;"
        "table = read_table(polars.DataFrame({'a': [1, None], 'b': ['x', 'y']}));"
        "print(table.types, len(table), sorted({'pandas', 'pyarrow'} & {n for n, m in sys.modules.items() if m}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[0] == "('BIGINT', 'VARCHAR') 2 []"


cell = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.dates(),
                 st.datetimes(), st.decimals(), st.binary(max_size=3), st.lists(st.integers(), max_size=2))  # fmt: skip


@given(st.lists(cell, min_size=1, max_size=8))
def test_any_objects_become_a_column_or_one_clear_error(values):
    for make in (dict, pd.DataFrame):
        array = np.fromiter(values, dtype=object, count=len(values))
        try:
            table = read_table(make({"x": array}))
        except (ValueError, TypeError) as error:
            assert str(error).startswith(("the table", "column 'x'"))
        else:
            assert len(table) == len(values)
