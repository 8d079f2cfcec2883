"""Rows at any distance from each other in memory: they are read in place, and give the bits of a copy."""

import tracemalloc

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import fastmlp as fm
from fastmlp.data.inputs import check_inputs
from fastmlp.data.samples import check_samples

rng = np.random.default_rng(4)
N = 70  # columns: enough for a first layer that leaves out zeros
VIEWS = {
    "all columns but the last": lambda A: A[:, :-1],
    "all columns but the first": lambda A: A[:, 1:],
    "every second row": lambda A: A[::2],
    "rows in reverse": lambda A: A[::-1],
    "windows over a series": lambda A: sliding_window_view(A.reshape(-1)[: len(A) + N - 1], N),
    "one row many times": lambda A: np.broadcast_to(A[3], A.shape),
    "one column": lambda A: A[:, 5:6],
    "a single row": lambda A: A[7:9:2, 1:],
}
COPIED = {
    "columns in reverse": lambda A: A[:, ::-1],
    "every second column": lambda A: A[:, ::2],
    "Fortran order": np.asfortranarray,
    "one number many times": lambda A: np.broadcast_to(A[:, :1], A.shape),
    "numbers at odd addresses": lambda A: np.frombuffer(b"x" + A.tobytes(), A.dtype, offset=1).reshape(A.shape),
}


def data(dtype, n=90):
    """Rows with many zeros."""
    return (np.maximum(rng.random((n, N)) - 0.8, 0) * 900).astype(dtype)


def network(n_features, dtype="float32", **arguments):
    layers = [fm.Input(n_features, scale=0.01), 6, 2]
    return fm.Network(layers, loss="mse", activation="tanh", dtype=dtype, seed=0, **arguments)


def trained(X, y, dtype):
    """Everything that comes out of the rows."""
    net = network(X.shape[1], dtype)
    batches = min(20, len(X))
    history = net.fit(X, y, epochs=2, batch_size=batches, optimizer="sgd", validation_data=(X, y), metrics=["r2"])
    net.fit(fm.Chunks([(X, y)] * 2), epochs=1, batch_size=7, optimizer=fm.Adam(0.001))
    net.train_on_batch(X, y, optimizer=fm.SGD(0.01))
    loss, gradients = net.loss_and_gradients(X, y)
    return [
        net.params, history["val_loss"], history["val_r2"], net.predict(X), loss, gradients[0][0],
        *net.evaluate(X, y).values(), net.input_gradients(X), net.sample_gradients(X, y), net.activations(X)[0],
        fm.Input.standardized(X).scale,
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("view", VIEWS | COPIED)
def test_rows_of_any_stride_give_the_bits_of_a_copy(view, dtype):
    X = (VIEWS | COPIED)[view](data(dtype))
    y = rng.random((3 * len(X), 4))[::3, 1:3]
    for of_network in ("float32", "float64"):
        outcomes = trained(X, y, of_network), trained(X.copy(), y.copy(), of_network)
        for got, expected in zip(*outcomes, strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_few_rows_of_any_stride_take_the_fast_path(view, dtype):
    X = VIEWS[view](data(dtype))[:5]
    net = network(X.shape[1], dtype)
    net.predict(X)
    assert net._predictor(X) is not None
    np.testing.assert_array_equal(net.predict(X), net.predict(X.copy()))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_contiguous_rows_are_read_in_place_and_other_columns_copied(dtype):
    A = data(dtype)
    for view in VIEWS.values():
        rows = check_inputs(network(view(A).shape[1]), view(A))
        assert np.shares_memory(rows.data, A) and rows.data.view(dtype).tolist() == view(A).tolist()
        assert np.shares_memory(check_samples(network(N), A, A[:, 3:5]).targets.rows.data, A)
        assert np.shares_memory(check_samples(fm.Network([N, 1]), A, A[:, 3]).targets.rows.data, A)
    for view in COPIED.values():
        rows = check_inputs(network(view(A).shape[1]), view(A))
        assert not np.shares_memory(rows.data, A) and rows.data.view(dtype).tolist() == view(A).tolist()


def test_labels_and_class_weights_of_any_stride():
    table = np.column_stack([data("float64"), rng.integers(0, 3, 90), rng.integers(0, 3, 90)])
    X, y = table[::-2, :-2], table[::-2, -2]
    results = []
    for inputs, labels in ((X, y), (X.copy(), y.copy())):
        net = fm.Network([N, 3], seed=0)
        net.fit(inputs, labels, epochs=2, batch_size=8, class_weight="balanced", optimizer=fm.SGD(1e-4))
        results.append([net.params.tobytes(), *net.evaluate(inputs, labels).values()])
    assert results[0] == results[1]


@pytest.mark.parametrize("where", [(0, 0), (44, 68), (3, 17)])
def test_numbers_that_are_not_finite_are_found_in_rows_of_any_stride(where):
    for A in (data("float32"), data("float64")):
        X = A[:, :-1][::2]
        X[where] = np.nan
        with pytest.raises(ValueError, match=rf"^X must be finite, got nan in row {where[0]}, column {where[1]}$"):
            network(N - 1).predict(X)
        reverse = 44 - where[0]
        with pytest.raises(ValueError, match=rf"^y must be finite, got nan in row {reverse};"):
            fm.Network([1, 1]).evaluate(np.ones((45, 1)), X[::-1, where[1]])


def test_a_gap_between_the_rows_may_hold_anything():
    A = data("float32")
    A[:, -1] = np.nan
    A[1::2] = np.inf
    assert np.isfinite(network(N - 1).predict(A[::2, :-1])).all()


def test_a_fit_of_slices_is_resumed_with_a_copy_of_them(tmp_path):
    A, y = data("float32"), rng.random((90, 2))
    once = network(N - 1)
    once.fit(A[:, 1:], y, epochs=4, batch_size=16, optimizer=fm.Adam(0.001))
    for X in (A[:, 1:], A[:, 1:].copy()):
        net = network(N - 1)
        path = tmp_path / f"{X.flags.c_contiguous}.checkpoint"
        arguments = {"epochs": 4, "batch_size": 16, "optimizer": fm.Adam(0.001), "checkpoint": path}
        net.fit(A[:, 1:], y, callbacks=[_Pause()], **arguments)
        net.fit(X, y, resume=True, **arguments)
        np.testing.assert_array_equal(net.params, once.params)


class _Pause(fm.Callback):
    def on_epoch_end(self, run):
        run.pause("enough for now")


def peak_of(call):
    """Bytes allocated by NumPy and Python at the same time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # one epoch is enough here
@pytest.mark.parametrize("of_a_file", [False, True])
@pytest.mark.parametrize("view", ["all columns but the last", "every second row", "windows over a series"])
def test_slices_of_an_array_or_a_memory_map_take_no_memory(view, of_a_file, tmp_path):
    A = np.ones((40_000, N), dtype=np.float32)
    if of_a_file:
        np.save(tmp_path / "A.npy", A)
        A = np.load(tmp_path / "A.npy", mmap_mode="r")
    X = VIEWS[view](A)
    y = np.zeros((len(X), 2), dtype=np.float32)
    net = fm.Network([X.shape[1], 2], loss="mse", seed=0)
    fit = {"epochs": 1, "batch_size": 200, "optimizer": fm.SGD(1e-4), "n_threads": 1}
    estimator = fm.MLPRegressor(hidden_layer_sizes=(), solver="sgd", max_iter=1, tol=0, n_iter_no_change=9)
    calls = {
        "fit": lambda: net.fit(X, y, **fit),
        "chunks": lambda: net.fit(fm.Chunks([(X, y)]), **fit),
        "predict": lambda: net.predict(X, n_threads=1),
        "evaluate": lambda: net.evaluate(X, y, n_threads=1),
        "gradients": lambda: net.loss_and_gradients(X, y, n_threads=1),
        "standardized": lambda: fm.Input.standardized(X),
        "estimator": lambda: estimator.fit(X, y[:, 0]).predict(X),
    }
    net.fit(X[:9], y[:9], **fit)  # imports and caches
    for name, call in calls.items():
        assert peak_of(call) < X.nbytes / 4, name
