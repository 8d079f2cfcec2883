"""Piecewise-linear encoding: a number for each bin of a column."""

import copy
import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import piecewise_linear
from safetensors import safe_open
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm

RNG = np.random.default_rng(5)
MANY = np.linspace(-2.0, 2.0, 150)  # more bins than the core processes together
EDGES = {
    "all": [[-1.0, 0.1, 0.5, 2.0], [-2.0, 0.3], MANY],
    "some": [None, [-1.0, -0.2, 0.7], None],
    "none": [None, None, None],
}


def layer(edges="all", **more):
    return fm.PiecewiseLinear(EDGES[edges], **more)


def network(first, dtype="float64", before=(), seed=1):
    layers = [fm.Input(3), *before, first, fm.Dense(5, "tanh"), fm.Dense(2)]
    return shake(fm.Network(layers, loss="mse", dtype=dtype, seed=seed), np.random.default_rng(seed))


def samples(n=40):
    return make_samples("mse", np.random.default_rng(2), n, 3, 2)


FORMS = {
    "first": (), "hidden": (fm.Dense(3, "tanh"),), "after_a_scaling": (fm.Scaling(),),
    "after_a_norm": (fm.Dense(3), fm.BatchNorm()),
}  # fmt: skip


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("form", FORMS)
def test_it_agrees_with_the_twin_and_with_differences(form, edges, plain):
    net, (X, T, weight) = network(layer(edges, plain=plain, weight=1.7), before=FORMS[form]), samples()
    twin = twin_of(net)
    few = slice(6)  # so that no step of the differences crosses an edge
    assert fm.check_gradients(net, X[few], T[few], sample_weight=weight[few]) < 1e-6
    value, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert value == pytest.approx(twin.loss(X, T, weight), rel=1e-12)
    assert relative_error(gradient, twin.flat_gradient(X, T, weight)) < 1e-9
    assert relative_error(net.predict(X), twin.forward(X)) < 1e-11
    assert relative_error(net.input_gradients(X), twin.input_gradients(X)) < 1e-9


@pytest.mark.parametrize("form", ["first", "hidden"])
def test_each_row_has_a_gradient_of_its_own(form):
    net, (X, T, _) = network(layer(), before=FORMS[form]), samples(7)
    assert relative_error(net.sample_gradients(X, T), twin_of(net).sample_gradients(X, T)) < 1e-9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_that_pass_come_first_then_the_bins(dtype):
    first = fm.PiecewiseLinear([[0, 1, 3], None, [0, 2]], plain=False, weight=2.0)
    net = fm.Network([3, first, 1], dtype=dtype, seed=0)
    X = [[-1.0, 7.0, 0.5], [0.25, 8.0, 2.0], [2.0, 9.0, 99.0]]
    f, g = 4 / np.sqrt(2), 4.0
    expected = [[7, -f / 2, -f / 2, -g / 4], [8, -f / 4, -f / 2, g / 2], [9, f / 2, 0, g / 2]]
    np.testing.assert_allclose(net.activations(X)[0], expected, rtol=1e-6, atol=1e-7)


def test_the_derivative_is_that_of_the_bin_below_and_0_outside():
    net = fm.Network([1, fm.PiecewiseLinear([[0, 1, 3]], plain=False), fm.Dense(1, bias=False)], dtype="float64")
    net.weights[0][:] = [[1.0], [10.0]]
    f = 2 / np.sqrt(2)
    slopes = net.input_gradients([[-1.0], [0.0], [0.5], [1.0], [2.0], [3.0], [4.0]])[:, 0, 0]
    np.testing.assert_allclose(slopes, np.multiply([0, 0, 1, 1, 5, 5, 0], f))


@pytest.mark.parametrize("n_bins", [2, 5, 64, 65, 200])
def test_the_numbers_of_a_column_are_together_as_large_as_the_weight(n_bins):
    X = RNG.normal(size=(500, 1))
    first = fm.PiecewiseLinear.quantiles(X, n_bins, plain=False, weight=3.0)
    Y = fm.Network([1, first, 1], dtype="float64").activations(X)[0]
    assert Y.shape == (500, n_bins)
    sizes = np.sqrt((Y**2).sum(axis=1))
    assert sizes.max() <= 3 + 1e-9 and sizes.min() >= 3 * np.sqrt(1 - 1 / n_bins) - 1e-9


@pytest.mark.parametrize("batch_size", [8, 1000])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_gradient_descent_follows_the_twin(n_threads, batch_size):
    net, (X, T, _) = network(layer("all")), samples(60)
    twin, size = twin_of(net), min(batch_size, 60)
    net.fit(X, T, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.1), shuffle=False, n_threads=n_threads)
    for _ in range(3):
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            twin.set_flat(twin.flat() - 0.1 * twin.flat_gradient(X[rows], T[rows]))
    assert relative_error(net.params, twin.flat()) < 1e-10


def test_threads_and_many_rows_give_what_one_row_gives():
    X = RNG.normal(size=(3000, 3)).astype(np.float32)
    net = network(fm.PiecewiseLinear.quantiles(X, 20), "float32")
    every = net.predict(X, n_threads=2)
    np.testing.assert_allclose(every, net.predict(X, n_threads=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(every[:20], [net.predict(x[None])[0] for x in X[:20]], rtol=1e-5, atol=1e-6)


increasing = st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=70, unique=True).map(sorted)


@settings(deadline=None)
@given(
    edges=increasing.filter(lambda edges: np.diff(edges).min() >= 1e-30),
    x=st.lists(st.floats(-3e38, 3e38), min_size=1, max_size=5),
    at=st.integers(0, 69),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_any_edges_give_finite_numbers_between_the_bounds(edges, x, at, dtype):
    """Also with edges that are one number in float32."""
    X = np.array([[*x, edges[at % len(edges)]]], np.float64).T
    net = fm.Network([1, fm.PiecewiseLinear([edges], plain=False), fm.Dense(1)], dtype=dtype, seed=0)
    Y = net.activations(X)[0]
    assert np.isfinite(Y).all()
    if dtype == "float64":
        np.testing.assert_allclose(Y, piecewise_linear(X, [edges], False, 1.0), rtol=1e-9, atol=1e-9)
    assert (np.abs(Y) <= (1 + 1e-6) / np.sqrt(len(edges) - 1)).all()


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, 2), st.floats(-1e20, 1e20).map(lambda x: round(x, 6))), min_size=1, max_size=40),
    st.integers(2, 9),
)
def test_quantiles_of_any_table_make_a_network_that_trains(rows, n_bins):
    X = np.array(rows)
    first = fm.PiecewiseLinear.quantiles(X, n_bins, plain=False)
    assert [edges is None for edges in first.edges] == [len(np.unique(column)) < 3 for column in X.T]
    if None not in first.edges:
        net = fm.Network([2, first, 1], dtype="float64", seed=0)
        net.fit(X, X[:, 0], epochs=1)
        assert np.isfinite(net.params).all()


def test_quantiles_are_those_of_scaled_columns():
    X = RNG.normal(100, 20, size=(400, 3))
    X[:, 2] = X[:, 2] > 100
    inputs = fm.Input.standardized(X)
    first = fm.PiecewiseLinear.quantiles(X, 4, inputs=inputs)
    scaled = (X - inputs.shift) * inputs.scale
    assert first == fm.PiecewiseLinear.quantiles(scaled, 4)
    assert first.edges[2] is None and len(first.edges[0]) == 5
    assert fm.PiecewiseLinear.quantiles(X, columns=[1]).edges[::2] == (None, None)


def test_quantiles_drop_edges_that_are_too_close_for_float32():
    X = np.array([0.0, 1e-40, 2e-40, 1.0, 2.0])[:, None]
    assert fm.PiecewiseLinear.quantiles(X).edges == ((0.0, 1.0, 2.0),)
    assert fm.PiecewiseLinear.quantiles(X * 1e-40).edges == (None,)


def test_it_learns_a_function_of_one_column_that_a_linear_model_cannot():
    X = RNG.uniform(-2, 2, size=(1000, 1))
    y = np.sin(5 * X[:, 0])
    losses = []
    for first in ([], [fm.PiecewiseLinear.quantiles(X, 30)]):
        net = fm.Network([1, *first, fm.Dense(1)], loss="mse", seed=0)
        losses.append(net.fit(X, y, epochs=60, optimizer=fm.Adam(0.05))["loss"][-1])
    assert losses[0] > 0.3 and losses[1] < 0.01


def test_nan_reaches_the_outputs():
    """As a network diverges, NaN must not look like a number."""
    net = network(layer(), before=(fm.Dense(3),))
    net.weights[0][:] = np.nan
    assert np.isnan(net.predict(samples()[0])).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_edges_are_part_of_the_file_to_the_bit(dtype, tmp_path):
    net, (X, T, _) = network(layer("all", plain=False, weight=2.0), dtype), samples()
    net.fit(X, T, epochs=2)
    net.save(tmp_path / "net.safetensors")
    loaded = fm.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    with safe_open(tmp_path / "net.safetensors", framework="numpy") as file:
        saved = json.loads(file.metadata()["fastmlp"])["network"]["layers"][0]
    assert saved["kind"] == "PiecewiseLinear" and saved["edges"][1] == [-2.0, 0.3]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net)), fm.Network.copy])
def test_copies_have_edges_of_their_own(copied):
    net, X = network(layer()), samples()[0]
    expected, twin = net.predict(X), copied(net)
    del net
    np.testing.assert_array_equal(twin.predict(X), expected)


def test_it_is_shown_with_the_number_of_bins():
    net = fm.Network([3, layer("some", weight=2.0), 4, 1])
    assert repr(net.layers[0]) == "PiecewiseLinear(3 columns, 2 bins, weight=2.0)"
    assert repr(net).startswith("Network(3 -> PiecewiseLinear(3 columns, 2 bins, weight=2.0) -> 4 relu -> 1 identity")


def test_what_it_was_made_from_can_change():
    edges = [np.array([0.0, 1.0])]
    first = fm.PiecewiseLinear(edges)
    edges[0][:] = 7
    assert first.edges == ((0.0, 1.0),)
    assert first.set_params(weight=2.0) == fm.PiecewiseLinear([[0.0, 1.0]], weight=2.0)


BAD = [
    (lambda: fm.PiecewiseLinear(5), TypeError, "edges must be a sequence with edges or None for each column, got 5"),
    (lambda: fm.PiecewiseLinear("abc"), TypeError, "edges must be a sequence"),
    (lambda: fm.PiecewiseLinear([]), ValueError, "edges must have an entry for each column, got none"),
    (lambda: fm.PiecewiseLinear([None, [1.0]]), ValueError, r"edges\[1\] must have at least two edges, or be None"),
    (lambda: fm.PiecewiseLinear([[1.0, 1.0]]), ValueError, r"edges\[0\] must increase, by at least 1e-30, got 1.0 bef"),
    (lambda: fm.PiecewiseLinear([[1.0, 0.0]]), ValueError, "must increase"),
    (lambda: fm.PiecewiseLinear([[0.0, 1e-35]]), ValueError, "must increase"),
    (lambda: fm.PiecewiseLinear([[0.0, np.inf]]), ValueError, r"edges\[0\]"),
    (lambda: fm.PiecewiseLinear([[np.nan, 1.0]]), ValueError, r"edges\[0\]"),
    (lambda: fm.PiecewiseLinear([[0.0, 1e31]]), ValueError, r"edges\[0\] must be at most 1e\+30 in size"),
    (lambda: fm.PiecewiseLinear([["a", "b"]]), TypeError, r"edges\[0\]"),
    (lambda: fm.PiecewiseLinear([[0, 1]], plain=1), TypeError, "plain must be True or False, got 1"),
    (lambda: fm.PiecewiseLinear([[0, 1]], weight=0), ValueError, "weight must be a finite number with 0.0 < weight"),
    (lambda: fm.PiecewiseLinear([[0, 1]], weight=1e7), ValueError, "weight <= 1000000.0"),
    (
        lambda: fm.Network([3, fm.PiecewiseLinear([[0, 1]]), 1]),
        ValueError,
        "must have an entry for each of the 3 columns that it gets, got 1",
    ),
    (lambda: fm.Network([1, 1, fm.PiecewiseLinear([[0, 1]])]), ValueError, "the last layer must be Dense or Activ"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0, np.nan]]), ValueError, "X"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0]], n_bins=1), ValueError, "n_bins must be at least 2, got 1"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0]], n_bins=2.0), TypeError, "n_bins must be a whole number, got 2.0"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0]], columns=[1]), ValueError, "columns .* from 0 to 0, got 1"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0]], columns=["a"]), TypeError, "columns must be whole numbers, got 'a'"),
    (lambda: fm.PiecewiseLinear.quantiles([[1.0]], inputs=fm.Input(2)), ValueError, "inputs must be an Input of the 1"),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD, ids=[words[:30] for _, _, words in BAD])
def test_what_cannot_be_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_nan_in_x_is_refused():
    net = network(layer())
    with pytest.raises(ValueError, match="X must be finite, got nan in row 0, column 1"):
        net.predict([[0.0, np.nan, 1.0]])
