"""Dates and times: what varies becomes features."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.kinds import moment


def encoded(values, **settings):
    table = pd.DataFrame({"t": values})
    encoder = TableEncoder(dtype="float64", **settings).fit(table)
    return encoder, encoder.transform(table)


def test_the_twin_of_pandas():
    days = pd.Series(pd.date_range("2019-12-01 00:00", periods=900, freq="11h"))
    encoder, X = encoded(days)
    names = encoder.get_feature_names_out().tolist()
    for part, period, values in (
        ("month", 12, days.dt.month - 1),
        ("weekday", 7, days.dt.day_of_week),
        ("hour", 24, days.dt.hour),
    ):
        angle = 2 * np.pi * values / period
        np.testing.assert_allclose(X[:, names.index(f"t.{part}_sin")], np.sin(angle), atol=1e-12)
        np.testing.assert_allclose(X[:, names.index(f"t.{part}_cos")], np.cos(angle), atol=1e-12)
    elapsed = (days - days[0]) / pd.Timedelta(days=1)
    z = (elapsed - elapsed.median()) / (elapsed.quantile(0.75) - elapsed.quantile(0.25))
    np.testing.assert_allclose(X[:, 0], z / np.sqrt(1 + z * z / 9), atol=1e-9)


def test_only_parts_that_vary():
    of_days = encoded(pd.date_range("2024-03-01", periods=20))[0]
    assert of_days.kinds_["t"].parts == ("day", "weekday")
    of_hours = encoded(pd.to_datetime(["2024-03-01 08:00", "2024-03-01 09:00"]))[0]
    assert of_hours.kinds_["t"].parts == ("hour",)


def test_times_of_day():
    import datetime

    encoder, _ = encoded([datetime.time(h, 30) for h in range(24)])
    assert encoder.kinds_["t"].parts == ("hour",)


def test_missing_dates_have_no_part():
    days = [None, *pd.date_range("2024-01-01", periods=50, freq="5D")]
    encoder, X = encoded(days)
    assert encoder.kinds_["t"].missing == 1
    assert X[0, 1] == 1 and not X[0, [0, *range(2, X.shape[1])]].any()


@pytest.mark.parametrize("far", ["0001-01-01", "9999-12-31"])
def test_dates_far_away(far):
    encoder, _ = encoded(pd.date_range("2024-01-01", periods=50, freq="5D"))
    X = encoder.transform(pd.DataFrame({"t": [far]}))
    assert np.isfinite(X).all() and abs(X[0, 0]) == pytest.approx(3, abs=1e-3)


def test_another_kind_of_value_is_refused_by_name_unless_all_are_missing():
    encoder, _ = encoded(pd.date_range("2024-01-01", periods=50, freq="5D"))
    with pytest.raises(ValueError, match="column 't' holds values of type .*, but held dates"):
        encoder.transform(pd.DataFrame({"t": [1.5]}))
    X, notes = encoder.encode(pd.DataFrame({"t": [np.nan]}))
    assert not X.any() and notes.missing == {"t": 1}


@pytest.mark.parametrize("spread", [30, 10_000, 600_000])
def test_the_parts_are_those_of_the_calendar_for_days_close_together_and_far_apart(spread):
    days = np.random.default_rng(0).uniform(-spread, spread, 500)
    parts = moment._parts(days)
    stamps = np.round(days * 86400).astype("M8[s]").astype(datetime)
    expected = [(stamp.month - 1, stamp.day - 1, stamp.weekday(), stamp.hour) for stamp in stamps]
    assert list(zip(*(parts[name].tolist() for name in moment.PERIODS), strict=True)) == expected
