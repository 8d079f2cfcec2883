"""Numbers: scaled as scikit-learn's RobustScaler does it, then softly clipped."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.kinds.number import Number, robust


def clipped(z):
    return z / np.sqrt(1 + (z / 3) ** 2)


def test_the_twin_of_scikit_learn():
    scalers = pytest.importorskip("sklearn.preprocessing")
    x = np.random.default_rng(0).lognormal(size=500)
    scaled = scalers.RobustScaler().fit_transform(x[:, None])[:, 0]
    encoded = TableEncoder(dtype="float64").fit_transform(pd.DataFrame({"x": x}))
    np.testing.assert_allclose(encoded[:, 0], clipped(scaled), rtol=1e-12)


def test_missing_numbers_are_at_the_median_and_have_a_feature():
    encoder = TableEncoder(dtype="float64").fit(pd.DataFrame({"x": [1.5, None, 2.0, 3.0, 7.0, None, None, 9.0]}))
    x = encoder.transform(pd.DataFrame({"x": [None, 3.0]}))
    assert encoder.get_feature_names_out().tolist() == ["x", "x=(missing)"]
    assert x[0, 0] == x[1, 0] == 0.0
    assert x[:, 1].tolist() == [1, 0]


def test_a_number_missing_for_the_first_time_is_filled_and_counted():
    encoder = TableEncoder().fit(pd.DataFrame({"x": np.arange(30) / 7}))
    X, notes = encoder.encode(pd.DataFrame({"x": [None, 1.0, None]}))
    assert X.shape == (3, 1) and X[0, 0] == X[2, 0] == 0.0
    assert notes.missing == {"x": 2}


def test_a_column_that_is_mostly_one_value_is_scaled_by_the_others():
    values = np.array([0.0] * 90 + [100.0, 200.0, 300.0, 400.0, 500.0])
    assert robust(values) == (0.0, 1 / 200)


def test_two_values_are_one_apart_before_the_clip():
    x = TableEncoder(dtype="float64").fit_transform(pd.DataFrame({"x": [3.0, 8.0, 3.0, 3.0]}))
    np.testing.assert_allclose(x[:, 0], clipped(np.array([-0.5, 0.5, -0.5, -0.5])))


def test_infinite_numbers_are_at_the_end_of_the_clip():
    x = TableEncoder(dtype="float64").fit_transform(pd.DataFrame({"x": [np.inf, -np.inf, 1.5, 2.0, 3.0, 4.0]}))
    np.testing.assert_allclose(x[:2, 0], [3.0, -3.0], atol=1e-6)


def test_numbers_far_out_have_a_feature_without_the_clip():
    x = pd.Series(np.random.default_rng(0).normal(size=400) ** 4)
    encoder = TableEncoder(dtype="float64").fit(pd.DataFrame({"x": x}))
    z = (x - x.median()) / (x.quantile(0.75) - x.quantile(0.25))
    assert z.max() > 10
    assert encoder.get_feature_names_out().tolist() == ["x", "x unclipped"]
    encoded = encoder.transform(pd.DataFrame({"x": x}))
    np.testing.assert_allclose(encoded, np.column_stack([clipped(z), z / z.std(ddof=0)]))
    farther = encoder.transform(pd.DataFrame({"x": [2 * x.max(), np.inf, -np.inf]}))[:, 1]
    np.testing.assert_allclose(farther, encoded[:, 1].max() * np.array([1, 1, -1]))


@pytest.mark.parametrize("wrong", [{"reach": -1.0}, {"reach": 20.0, "spread": 0.0}, {"reach": 1e7, "spread": 1e7}])
def test_what_a_saved_feature_without_the_clip_can_not_be(wrong):
    with pytest.raises(ValueError, match="reach"):
        Number(0.0, 1.0, 0, **wrong).check()


@given(st.lists(st.floats(allow_nan=False, width=64), min_size=1, max_size=30))
def test_any_numbers_give_a_scale_and_finite_features(values):
    ordered = np.sort(np.array(values))
    kind = Number(*robust(ordered), 0)
    kind.check()
    out = np.empty((len(values), 1))
    kind.write(ordered, out)
    assert np.isfinite(out).all() and (np.abs(out) <= 3).all()
    assert (np.diff(out[:, 0]) >= 0).all()
