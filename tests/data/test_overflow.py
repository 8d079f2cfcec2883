"""Numbers that overflow when the network scales them are refused, with their place, wherever they come in."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmlp as fm
from fastmlp.data import overflow
from fastmlp.data.overflow import bound_of, check_scaled
from fastmlp.estimators import MLPRegressor

SAID = r"^scaled X.* must be finite in float32, got 1e\+35 in row 3, column 1, which .* scale in Input or dtype="
Y = np.zeros(6, "float32")


def network(dtype="float32", scale=1e5, shift=0.0, activation="tanh", **given):
    return fm.Network([fm.Input(2, shift, scale), fm.Dense(3, activation), 1], dtype=dtype, seed=0, **given)


def table(value=1e35, dtype="float32"):
    X = np.ones((6, 2), dtype)
    X[3, 1] = value
    return X


CALLS = {
    "predict": lambda net, X: net.predict(X),
    "predict in parts": lambda net, X: net.predict(np.tile(X, (20, 1))),
    "evaluate": lambda net, X: net.evaluate(X, Y),
    "fit": lambda net, X: net.fit(X, Y, epochs=1),
    "fit with Levenberg-Marquardt": lambda net, X: net.fit(X, Y, epochs=1, optimizer=fm.LevenbergMarquardt()),
    "train_on_batch": lambda net, X: net.train_on_batch(X, Y),
    "gradient": lambda net, X: net.gradient(X, Y),
    "loss_and_gradients": lambda net, X: net.loss_and_gradients(X, Y),
    "sample_gradients": lambda net, X: net.sample_gradients(X, Y),
    "activations": lambda net, X: net.activations(X),
    "validation": lambda net, X: net.fit(np.ones((6, 2)), Y, epochs=1, validation_data=(X, Y)),
    "chunks": lambda net, X: net.fit(fm.Chunks(lambda: [(X, Y)]), epochs=1),
    "predicted chunks": lambda net, X: list(net.predict(fm.Chunks(lambda: [X]))),
}


@pytest.mark.parametrize("call", CALLS)
def test_what_overflows_is_named_in_every_call(call):
    net = network()
    before = net.params.copy()
    with pytest.raises(ValueError, match=SAID):
        CALLS[call](net, table())
    assert np.array_equal(net.params, before)


def test_estimators_name_it():
    X, y = table(1.0), Y.copy()
    y[4] = -1e35
    with pytest.raises(ValueError, match=r"^scaled y must be finite in float32, got -1e\+35 in row 4, column 0"):
        MLPRegressor(hidden_layer_sizes=(3,), target_scale=(0.0, 1e5), random_state=0).fit(X, y)


@pytest.mark.parametrize("n", [1, 16, 17])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_few_rows_are_checked_as_many_are(activation, n):
    X = np.ones((n, 2), "float32")
    net = network(activation=activation)
    assert np.isfinite(net.predict(X)).all()
    X[-1, 0] = -1e34
    with pytest.raises(ValueError, match=rf"^scaled X must be finite in float32, got -1e\+34 in row {n - 1}, column 0"):
        net.predict(X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("work", ["float32", "float64"])
def test_only_the_column_that_overflows_is_refused(dtype, work):
    # The large number is past the bound of the largest scale, but its own column has a small one.
    X = table(1e36, dtype)
    net = network(work, scale=[1e5, 1e-30])
    assert np.isfinite(net.predict(X)).all() and np.isfinite(net.predict(X[3:4])).all()
    with pytest.raises(ValueError, match="row 3, column 0") if work == dtype == "float32" else np.errstate():
        net.predict(X[:, ::-1])


def test_rows_with_gaps_and_sparse_rows_say_the_same():
    wide = np.ones((12, 5), "float32")
    wide[6, 2] = 1e35
    net = network()
    for X in (wide[::2, 1:3], scipy.sparse.csr_array(table()), scipy.sparse.csc_array(table())):
        with pytest.raises(ValueError, match=SAID):
            net.predict(X)


def test_it_is_found_in_any_block(monkeypatch):
    monkeypatch.setattr(overflow, "AT_ONCE", 4)
    with pytest.raises(ValueError, match=SAID):
        network().predict(table(), n_threads=1)


def test_a_network_of_float64_is_not_told_to_be_one():
    with pytest.raises(ValueError, match=r"^scaled X must be finite in float64, got 1e\+300 .* scale in Input$"):
        network("float64", scale=1e20).predict(table(1e300, "float64"))


def test_bytes_overflow_only_with_an_extreme_scale():
    X = np.full((2, 2), 255, "uint8")
    assert np.isfinite(network(scale=1e36).predict(X)).all()
    with pytest.raises(ValueError, match=r"^scaled X must be finite in float32, got 255 in row 0, column 0"):
        network(scale=1e37).predict(X)


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "loss_and_gradients", "validation"])
def test_targets_that_overflow_are_named(call):
    net, X, y = network(scale=1.0, target_scale=(0.0, 1e5)), table(1.0), Y.copy()
    y[4] = -1e35
    calls = {
        "fit": lambda: net.fit(X, y, epochs=1),
        "validation": lambda: net.fit(X, Y, epochs=1, validation_data=(X, y)),
        "evaluate": lambda: net.evaluate(X, y),
        "train_on_batch": lambda: net.train_on_batch(X, y),
        "loss_and_gradients": lambda: net.loss_and_gradients(X, y),
    }
    said = r"^scaled y.* must be finite in float32, got -1e\+35 in row 4, column 0, .* scale in target_scale or dtype="
    with pytest.raises(ValueError, match=said):
        calls[call]()


def test_a_scale_that_the_fit_finds_is_checked_too():
    net, X, y = network(scale=1.0, target_scale="standard"), table(1.0), np.arange(6, dtype="float32") / 1e5
    with pytest.raises(ValueError, match=r"^scaled y of validation_data must be finite .* row 4, column 0"):
        net.fit(X, y, epochs=1, validation_data=(X, np.where(np.arange(6) == 4, 1e35, y).astype("float32")))
    assert net.fit(X, y, epochs=1)["loss"].size == 1


def test_ordinary_scalings_cost_no_check():
    bytes_, single, double = (np.dtype(name) for name in ("uint8", "float32", "float64"))
    for shift, scale, dtype in [(0, 1 / 255, bytes_), (9, 100, bytes_), (0, 1 / 255, single), (100, 0.5, double)]:
        assert bound_of(shift, scale, dtype, single) == np.inf
    assert bound_of(0, 100, single, double) == np.inf


def test_finite_rows_within_the_bound_are_not_searched(monkeypatch):
    monkeypatch.setattr("fastmlp.data.rows.check_scaled", None)
    assert np.isfinite(network().predict(table(1e33), n_threads=1)).all()


EXPONENTS = st.floats(-38, 38)


@settings(max_examples=200)
@given(EXPONENTS, EXPONENTS, EXPONENTS, st.booleans(), st.sampled_from(["float32", "float64"]))
def test_the_verdict_is_that_of_numpy(x, shift, scale, negative, given):
    # In the arithmetic of the core: float64 numbers are scaled in float64, then rounded to the network's float32.
    x, shift, scale = (float(np.float32(10.0**power)) for power in (x, shift, scale))
    if not np.isfinite([x, shift, scale]).all():
        return
    X = np.array([[-x if negative else x]], given)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        number = X.dtype.type
        right = bool(np.isfinite(((X - number(shift)) * number(scale)).astype("float32")).all())
    work = np.dtype("float32")
    if x <= bound_of(shift, scale, X.dtype, work):
        assert right
    try:
        check_scaled("X", X, (np.array([shift]), np.array([scale])), work, "Input")
    except ValueError:
        assert not right
    else:
        assert right
