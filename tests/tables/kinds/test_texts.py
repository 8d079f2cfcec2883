"""Numbers and dates written as text: what is recognised, and that Python's check and SQL's reading agree."""

from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.kinds.texts import DATE_FORMATS, NUMBER_STYLES, date_format, number_style

ONES = np.ones(3, np.int64)
READ = {
    "1,234.5": {
        "1": 1, "-2.5": -2.5, "+7": 7, "$1,234": 1234, "$1,234.50": 1234.5, "-$12": -12, "$-12": -12, "12 %": 12,
        "13,570": 13570, "1,234,567": 1234567, ".5": 0.5, "3.": 3, "1e3": 1000, "2.5E-2": 0.025, "€ 7": 7, "7 €": 7,
        "£1,000,000.25": 1000000.25,
    },
    "1.234,5": {"0,5": 0.5, "1.234,5": 1234.5, "12,25 €": 12.25, "1 234,5": 1234.5, "-1.234.567": -1234567, "3 %": 3},
}  # fmt: skip
NOT_READ = ["", "a", "12a", "1,23,4", "1-2", "--1", "12 kg", "1.2.3", "e5", "%", "0x1F", "1_000", "$", "nan", "inf"]


def in_sql(sql, texts):
    return [duckdb.execute(f"SELECT {sql} FROM (SELECT ? AS t)", [text]).fetchall()[0][0] for text in texts]


@pytest.mark.parametrize("style", READ)
def test_numbers_as_people_write_them(style):
    texts = list(READ[style])
    assert in_sql(NUMBER_STYLES[style].sql("t"), texts) == list(READ[style].values())
    assert number_style(texts, np.ones(len(texts), np.int64)) == style


@pytest.mark.parametrize("text", NOT_READ)
def test_other_texts_are_no_numbers(text):
    assert [value for style in NUMBER_STYLES.values() for value in in_sql(style.sql("t"), [text])] == [None, None]
    assert number_style([text] * 3, ONES) is None


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
@example(-0.0)
def test_a_number_that_python_writes_is_read_back(value):
    assert in_sql(NUMBER_STYLES["1,234.5"].sql("t"), [repr(value)]) == [value]


def test_codes_with_leading_zeros_are_no_numbers():
    assert number_style(["00501", "10001", "94103"], ONES) is None
    assert number_style(["0", "0.5", "10"], ONES) == "1,234.5"


def test_a_few_other_texts_do_not_matter():
    counts = np.array([95, 5])
    assert number_style(["1", "none"], counts) == "1,234.5"
    assert number_style(["1", "none"], np.array([95, 6])) is None
    assert date_format(["2024-01-01", "none"], counts) == "%Y-%m-%d"


@pytest.mark.parametrize("format", DATE_FORMATS)
def test_every_format_is_read_by_sql_as_by_python(format):
    moments = [datetime(2003, 4, 5, 6, 7, 8), datetime(1999, 12, 31, 23, 59, 1), datetime(2021, 7, 16, 12, 0, 0)]
    texts = [moment.strftime(format) for moment in moments]
    plain = [text.replace(" 0", " ").lstrip("0") for text in texts]  # 5/4/2003
    for written in (texts, plain):
        wanted = [datetime.strptime(text, format) for text in written]
        assert in_sql(f"try_strptime(t, '{format}')", written) == wanted


@pytest.mark.parametrize(
    ("texts", "format"),
    [
        (["2024-03-01", "2024-03-31"], "%Y-%m-%d"),
        (["31/12/2024", "01/02/2024"], "%d/%m/%Y"),
        (["12/31/2024", "01/02/2024"], "%m/%d/%Y"),
        (["01.02.2024", "03.04.2024"], "%d.%m.%Y"),
        (["3 Jan 2024", "28 Feb 2024"], "%d %b %Y"),
        (["March 3, 2024", "July 14, 2024"], "%B %d, %Y"),
        (["18:05", "6:00"], "%H:%M"),
        (["2024-01-01T10:00:00Z", "2024-01-01T11:30:00Z"], "%Y-%m-%dT%H:%M:%SZ"),
        (["2024-01-01 10:00:00.250", "2024-01-01 11:30:00.5"], "%Y-%m-%d %H:%M:%S.%f"),
        (["1/2/24 3:04 PM", "12/30/24 11:59 AM"], "%m/%d/%y %I:%M %p"),
        (["Monday", "Tuesday"], None),
        (["31/12/2024", "12/31/2024"], None),
    ],
)
def test_dates_as_people_write_them(texts, format):
    assert date_format(texts, np.ones(2, np.int64)) == format


def test_texts_that_are_numbers_or_dates_give_the_features_of_these():
    n = np.arange(40)
    days = pd.date_range("2023-11-30", periods=40, freq="31h")
    plain = pd.DataFrame({"price": 1000.5 + 7 * n, "when": days})
    texts = pd.DataFrame(
        {"price": [f"${x:,.2f}" for x in plain["price"]], "when": days.strftime("%d/%m/%Y %H:%M").to_list()}
    )
    of_texts = TableEncoder().fit(texts)
    wanted = TableEncoder().fit(plain).transform(plain)
    np.testing.assert_allclose(of_texts.transform(texts), wanted, rtol=1e-6)
    np.testing.assert_allclose(of_texts.transform(plain), wanted, rtol=1e-6)


def test_texts_that_are_no_numbers_are_missing_and_counted():
    table = pd.DataFrame({"price": [*map(str, range(39)), "free"]})
    X, notes = TableEncoder(keep=["price"]).fit(table).encode(table)
    assert notes.missing == {"price": 1}
    assert X[-1, 1] == 1 and X[0, 1] == 0
