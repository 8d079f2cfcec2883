"""A few rows give the same features and notes as the database gives, or are left to it."""

from datetime import date, datetime, timezone

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.few_rows import MOST_ROWS, few_rows
from fastmlp.tables.reading import read_table

N = 60
TABLE = pd.DataFrame(
    {
        "size": [None, *np.linspace(0.5, 9, N - 1)],
        "price": [f"{x},5" for x in range(N)],
        "colour": ["red", "blue", None, "green", "red", "yellow"] * (N // 6),
        "day": pd.date_range("2024-01-01 07:00", periods=N, freq="37h"),
        "written": [f"{1 + i % 28}.{1 + i % 12}.2024" for i in range(N)],
        "count": np.arange(N) % 7,
        "flag": [True, False, False] * (N // 3),
        "code": [10, 20, 30] * (N // 3),
    }
)
ENCODER = TableEncoder(null=["green", -1], categorical=["code"], dtype="float64").fit(TABLE)


def assert_same(rows):
    X, notes = ENCODER.encode(rows)
    of_database, notes_of_database = ENCODER.encode(read_table(rows))
    np.testing.assert_allclose(X, of_database, rtol=1e-12, atol=1e-12)
    assert notes == notes_of_database


def test_frames_dicts_and_lists_of_dicts_are_read_alike():
    rows = TABLE[: MOST_ROWS - 5]
    assert_same(rows)
    expected = ENCODER.transform(read_table(rows))
    plain = rows.astype({"day": object})
    for same in (
        rows, pl.DataFrame(rows), plain.to_dict("list"), plain.to_dict("records"), rows.iloc[:, ::-1],
        {name: rows[name].to_numpy() for name in rows},
    ):  # fmt: skip
        np.testing.assert_allclose(ENCODER.transform(same), expected, rtol=1e-12, atol=1e-12)


NUMBERS = st.sampled_from([0, 1, -1, -1.0, 2.5, 1e300, float("inf"), float("nan"), None])
TEXTS = st.sampled_from(["red", " blue ", "mauve", "NA", "", "green", "7", "3.0", None])
WRITTEN = st.sampled_from(["1,5", "1.234,5", "x", "?", "12 %", "-7", None])
DAYS = st.one_of(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.none())
DATES = st.sampled_from(["1.2.2024", "01.12.1999", "2024-01-01", "31.2.2024", "soon", None])
CODES = st.sampled_from([[10, 20], [10.0, 30.5], ["10", "20.0"], [True, False], [None, 30], ["red", None], [7, -1]])


@given(st.lists(st.tuples(NUMBERS, WRITTEN, TEXTS, DAYS, DATES), min_size=2, max_size=2), CODES)
def test_any_values(rows, codes):
    size, price, colour, day, written = map(list, zip(*rows, strict=True))
    flag = [value is None for value in size]
    columns = {"size": size, "price": price, "colour": colour, "day": day, "written": written}
    assert_same(columns | {"count": [3, 4], "flag": flag, "code": codes})


@pytest.mark.parametrize(
    "day", [date(2024, 2, 29), datetime(2024, 2, 29, 12, tzinfo=timezone.utc), np.datetime64("2024-02-29T12:00:00.5")]
)
def test_kinds_of_dates(day):
    assert_same(TABLE[:1].to_dict("list") | {"day": [day]})


def test_times_are_left_to_the_database():
    assert_same(TABLE[:2].assign(day=pd.to_datetime(["2024-01-01", None])))


@pytest.mark.parametrize(
    "source",
    [
        {}, [], {"a": []}, {"a": [1], "b": [1, 2]}, {"a": "text"}, {1: [1]}, [1, 2], np.zeros(3), None,
        pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"a": range(MOST_ROWS + 1)}), "file.csv", TABLE[:0],
    ],
)  # fmt: skip
def test_what_is_left_to_the_database(source):
    assert few_rows(source) is None


def test_missing_columns_are_named_here_too():
    with pytest.raises(ValueError, match="lacks the columns size, flag"):
        ENCODER.transform(TABLE[:2].drop(columns=["size", "flag"]))
