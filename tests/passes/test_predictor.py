"""The short way of a prediction gives what the long way gives, refuses what it refuses, and follows the network."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.passes.inference import FEW_ROWS, make_predictor

LAYERS = [
    [fm.Input(5), fm.Dense(7, "gelu"), fm.Dense(3, "softmax")],
    [fm.Input(5, shift=0.3, scale=2.0), fm.Dense(40, "silu", bias=False), fm.Dropout(0.5), fm.Dense(1)],
    [fm.Input(5), fm.Dense(6), fm.BatchNorm(), fm.Activation("mish"), fm.Dense(4), fm.LayerNorm(), fm.Dense(2)],
]


def rows(n, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 5)).astype(dtype)


def network(layers, dtype):
    net = fm.Network(layers, dtype=dtype, seed=0)
    net.fit(rows(60, dtype), rows(60, dtype, 1)[:, : net.n_outputs], epochs=2)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("n", [1, 2, 3, FEW_ROWS, FEW_ROWS + 1])
def test_both_ways_agree(layers, dtype, n):
    net, X = network(layers, dtype), rows(n, dtype, 2)
    short, long = net.predict(X), net.predict(X, n_threads=2)
    assert short.dtype == long.dtype == dtype and short.shape == long.shape == (n, net.n_outputs)
    assert np.abs(short - long).max() <= 8 * np.finfo(dtype).eps * np.abs(long).max()  # small outputs are differences


def test_it_takes_only_a_few_dense_rows_of_its_own_dtype():
    net = network(LAYERS[0], "float32")
    short, X = make_predictor(net), rows(4, "float32")
    assert short(X) is not None
    for other in (
        X.astype("float64"), X.astype(">f4"), X[:, ::-1], np.asfortranarray(X), X[:0], X[0], X[:, :4],
        np.tile(X, (5, 1)), np.full_like(X, np.nan), np.full_like(X, np.inf), X[None],
    ):  # fmt: skip
        assert short(other) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_as_ever(bad):
    net, X = network(LAYERS[0], "float32"), rows(3, "float32")
    X[1, 4] = bad
    with pytest.raises(ValueError, match="X must be finite, got .*inf|nan in row 1, column 4"):
        net.predict(X)


def test_later_changes_are_seen():
    net, X = network(LAYERS[2], "float32"), rows(2, "float32")
    net.predict(X)
    net.fit(rows(60, "float32"), rows(60, "float32", 1)[:, :2], epochs=1)
    np.testing.assert_allclose(net.predict(X), net.predict(X, n_threads=2), rtol=1e-5)
    net.params = np.zeros(net.n_params)
    np.testing.assert_array_equal(net.predict(X), 0)


def test_copies_have_their_own():
    net, X = network(LAYERS[1], "float32"), rows(1, "float32")
    before = net.predict(X)
    for twin in (net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(twin.predict(X), before)
        twin.params[:] = 0
        assert (twin.predict(X) == 0).all()
        np.testing.assert_array_equal(net.predict(X), before)


def test_threads_take_turns():
    net, X = network(LAYERS[0], "float32"), rows(400, "float32")
    expected = net.predict(X, n_threads=2)
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda i: net.predict(X[i : i + 1])[0], range(400)))
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-7)


def test_the_result_is_the_callers():
    net, X = network(LAYERS[0], "float32"), rows(1, "float32")
    first = net.predict(X)
    kept = first.copy()
    net.predict(2 * X)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zeros_are_left_out_of_some_rows_and_not_of_others(dtype):
    rng = np.random.default_rng(3)
    net = fm.Network([70, fm.Dense(9, "tanh"), 2], dtype=dtype, seed=0)
    full = rng.normal(size=(3, 70))
    for density in (0.1, 1.0, 0.0, 0.5, 0.2, 1.0):
        X = np.where(rng.random((3, 70)) < density, full, 0.0).astype(dtype)
        W, V = net.weights
        expected = np.tanh(X @ W.astype(float) + net.biases[0]) @ V.astype(float) + net.biases[1]
        np.testing.assert_allclose(net.predict(X), expected, rtol=0, atol=50 * np.finfo(dtype).eps)
