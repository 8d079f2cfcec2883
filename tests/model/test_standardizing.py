"""Standardised columns against scikit-learn's StandardScaler."""

import numpy as np
import pytest

import fastmlp as fm

preprocessing = pytest.importorskip("sklearn.preprocessing")
N = 400
RNG = np.random.default_rng(0)
SIGNS, NOISE = np.resize([-1.0, 0.0, 1.0], N), RNG.normal(size=N)
ULP = np.spacing(1.0)
COLUMNS = {
    "constant": np.full(N, 0.1),
    "constant, large": np.full(N, 1e9 / 3),
    "one, an ulp about it": 1 + ULP * SIGNS,
    "one, an ulp in a single row": np.where(np.arange(N) == 7, 1 + ULP, 1.0),
    "a thousand ulps": 1 + 1000 * ULP * SIGNS,
    "large, an ulp about it": 1e9 + np.spacing(1e9) * SIGNS,
    "large, small": 1e9 + 1e-3 * NOISE,
    "large, real": 1e9 + NOISE,
    "tiny, about 0": 1e-12 * NOISE,
    "tiny": 1e-12 * (1 + NOISE),
    "below the noise of 1, about 0": 1e-30 * NOISE,
    "ordinary": 3 + 2 * NOISE,
}
X = np.stack(list(COLUMNS.values()), axis=1)


def reference(rows):
    fitted = preprocessing.StandardScaler().fit(rows)
    return fitted.mean_, 1 / fitted.scale_


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_deviations_below_the_noise_of_the_mean_count_as_constant_and_all_others_as_real(dtype):
    rows = X.astype(dtype)
    layer, (mean, scale) = fm.Input.standardized(rows), reference(rows)
    np.testing.assert_allclose(layer.shift, mean, rtol=1e-12, atol=1e-40)
    np.testing.assert_array_equal(layer.scale == 1, scale == 1)
    np.testing.assert_allclose(layer.scale, scale, rtol=1e-7)
    constant = {name for name, each in zip(COLUMNS, layer.scale, strict=True) if each == 1}
    if dtype == "float64":
        assert constant == set(COLUMNS) & {
            "constant", "constant, large", "one, an ulp about it", "one, an ulp in a single row",
            "large, an ulp about it",
        }  # fmt: skip


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "uint64"])
def test_a_whole_number_that_differs_in_one_row_is_no_noise(dtype):
    rows = np.full((N, 2), 201, dtype)
    rows[7, 0] = 202
    layer, (mean, scale) = fm.Input.standardized(rows), reference(rows)
    np.testing.assert_allclose(layer.shift, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.scale, scale, rtol=1e-9)
    assert layer.scale[0] > 20 and layer.scale[1] == 1


def test_noise_in_a_column_does_not_reach_the_predictions():
    rows = np.stack([NOISE, 1 + ULP * SIGNS], axis=1)
    net = fm.Network([fm.Input.standardized(rows), 8, 1], activation="tanh", dtype="float64", seed=0)
    moved = net.predict(rows + np.array([0, 1e-9]))
    np.testing.assert_allclose(moved, net.predict(rows), rtol=0, atol=1e-7)


def test_the_same_in_blocks_of_rows_and_at_once():
    rows = np.tile(X, (10, 1))  # more rows than a block
    layer, (mean, scale) = fm.Input.standardized(rows), reference(rows)
    np.testing.assert_array_equal(layer.scale == 1, scale == 1)
    np.testing.assert_allclose(layer.scale, scale, rtol=1e-7)
    np.testing.assert_allclose(layer.shift, mean, rtol=1e-12, atol=1e-40)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_targets_are_scaled_by_the_same_rule(dtype):
    y, net = X.astype(dtype), fm.Network([1, len(COLUMNS)], target_scale="standard", dtype="float64", seed=0)
    net.fit(NOISE[:, None], y, epochs=1)
    mean, scale = reference(y)
    np.testing.assert_allclose(net.target_scale[0], mean, rtol=1e-12, atol=1e-40)
    np.testing.assert_array_equal(net.target_scale[1] == 1, scale == 1)
    np.testing.assert_allclose(net.target_scale[1], scale, rtol=1e-7)


def test_missing_targets_do_not_count():
    there = RNG.random(X.shape) < 0.6
    there[0] = True
    net = fm.Network([1, len(COLUMNS)], loss=fm.Loss("mse", missing=True), target_scale="standard", dtype="float64")
    net.fit(NOISE[:, None], np.where(there, X, np.nan), epochs=1)
    for column, keep in enumerate(there.T):
        mean, scale = reference(X[keep, column : column + 1])
        assert (net.target_scale[1][column] == 1) == (scale[0] == 1)
        np.testing.assert_allclose(net.target_scale[1][column], scale[0], rtol=1e-7)
        np.testing.assert_allclose(net.target_scale[0][column], mean[0], rtol=1e-12, atol=1e-40)
