"""Predictions and measurements: they change nothing, and don't depend on how the work is cut up."""

import threading

import numpy as np
import pytest
from scipy import sparse
from twins import relative_error, shake, twin_of

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1100, 6))
LABELS = RNG.integers(0, 4, size=1100)


@pytest.fixture(scope="module", params=["float32", "float64"])
def net(request):
    layers = [6, fm.Dense(9, "gelu"), fm.BatchNorm(), fm.Dropout(0.4), fm.LayerNorm(), 4]
    trained = fm.Network(layers, loss="cross_entropy", dtype=request.param, seed=0)
    trained.fit(X, LABELS, epochs=1)
    return trained


def state(net):
    return net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state


@pytest.mark.parametrize("n_threads", [0, -1, 1.0, "2", True, 2**40])
def test_bad_thread_counts(net, n_threads):
    for call in (lambda: net.predict(X, n_threads=n_threads), lambda: net.evaluate(X, LABELS, n_threads=n_threads)):
        with pytest.raises((ValueError, TypeError), match="n_threads must be "):
            call()


@pytest.mark.parametrize("n_threads", [None, 1, 2, 5, 64])
def test_prediction_changes_nothing_and_is_that_of_one_row_at_a_time(net, n_threads):
    before = state(net)
    out = net.predict(X, n_threads=n_threads)
    assert out.shape == (1100, 4) and out.dtype == X.dtype and out.flags.c_contiguous
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-5)
    single = np.concatenate([net.predict(X[i : i + 1], n_threads=n_threads) for i in range(0, 1100, 100)])
    tolerance = 1e-5 if net.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(out[::100], single, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(net.predict(X, n_threads=n_threads), out)
    assert state(net) == before


def test_dropout_is_off_and_the_running_statistics_are_used(net):
    inner = [6, fm.Dense(9, "gelu"), fm.BatchNorm(), fm.LayerNorm(), 4]
    plain = fm.Network(inner, loss="cross_entropy", dtype=net.dtype, seed=5)
    plain.params[:] = net.params
    plain.statistics[:] = net.statistics
    np.testing.assert_array_equal(plain.predict(X), net.predict(X))


@pytest.mark.parametrize("n_threads", [None, 1, 2, 7])
def test_evaluation_is_the_mean_over_the_predictions(net, n_threads):
    before = state(net)
    weights = RNG.uniform(0, 2, size=1100)
    predicted = net.predict(X).astype(np.float64)
    losses, right = -np.log(predicted[np.arange(1100), LABELS]), predicted.argmax(axis=1) == LABELS
    measured = net.evaluate(X, LABELS, n_threads=n_threads)
    assert measured["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert measured["accuracy"] == pytest.approx(right.mean(), rel=1e-12)
    measured = net.evaluate(X, LABELS, sample_weight=weights, n_threads=n_threads)
    assert measured["loss"] == pytest.approx(np.average(losses, weights=weights), rel=1e-5)
    assert measured["accuracy"] == pytest.approx(np.average(right, weights=weights), rel=1e-5)
    assert all(type(value) is float for value in measured.values())
    assert state(net) == before


GIVEN = {
    "float64": lambda X: X,
    "float32": lambda X: X.astype("float32"),
    "list": lambda X: X.tolist(),
    "float16": lambda X: X.astype("float16"),
    "int64": lambda X: X.round().astype("int64"),
    "uint8": lambda X: np.abs(X.round()).astype("uint8"),
    "bool": lambda X: X > 0,
    "csr_float64": sparse.csr_array,
    "csr_float32": lambda X: sparse.csr_array(X.astype("float32")),
    "csr_int64": lambda X: sparse.csr_array(X.round().astype("int64")),
}


@pytest.mark.parametrize("own", ["float32", "float64"])
@pytest.mark.parametrize("given", GIVEN)
def test_the_precision_of_a_prediction_is_that_of_X_not_of_training(given, own):
    layers = [fm.Input(6, scale=1.7), fm.Dense(9, "gelu"), fm.BatchNorm(), fm.LayerNorm(), fm.Dense(4)]
    net = shake(fm.Network(layers, loss="cross_entropy", dtype=own, seed=0), np.random.default_rng(1))
    rows = GIVEN[given](X[:40])
    result = given[-7:] if given[-7:] in ("float32", "float64") else "float64" if given == "list" else own
    values = np.asarray(rows.todense() if sparse.issparse(rows) else rows).astype("float64")
    twin = twin_of(net)
    tolerance = 1e-11 if result == "float64" else 1e-4
    for got, expected in [
        (net.predict(rows), twin.layer_outputs(values)[-1]),
        (net.input_gradients(rows), twin.input_gradients(values)),
        *zip(net.activations(rows), twin.layer_outputs(values), strict=True),
    ]:
        assert got.dtype == result
        assert relative_error(got, expected) < tolerance


@pytest.mark.parametrize("own", ["float32", "float64"])
def test_finite_differences_of_predictions_are_the_input_gradients(own):
    layers = [fm.Input.standardized(X), fm.Dense(9, "tanh"), fm.BatchNorm(), fm.Dense(5, "silu"), 2]
    net = fm.Network(layers, dtype=own, seed=0)
    net.fit(X.astype(own), np.sin(X[:, :2]), epochs=2)
    rows, step = X[:3], 1e-8 * np.eye(6)
    base = net.predict(rows)
    numeric = np.stack([(net.predict(rows + h) - base) / 1e-8 for h in step], axis=2)
    central = np.stack([(net.predict(rows + 1e3 * h) - net.predict(rows - 1e3 * h)) / 2e-5 for h in step], axis=2)
    gradients = net.input_gradients(rows)
    assert relative_error(central, gradients) < 1e-8
    assert relative_error(numeric, gradients) < 1e-5


def test_a_prediction_of_float64_rows_is_that_of_the_network_in_float64():
    net = fm.Network([fm.Input(6, 0.1, 1 / 3), fm.Dense(9, "gelu"), fm.BatchNorm(), fm.LayerNorm(), 4], seed=0)
    net.fit(X.astype("float32"), X[:, :4], epochs=2)
    wide = net.astype("float64")
    np.testing.assert_array_equal(net.predict(X), wide.predict(X))
    np.testing.assert_array_equal(net.input_gradients(X), wide.input_gradients(X))
    for got, expected in zip(net.activations(X), wide.activations(X), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_conversion_for_one_prediction_sees_every_change_of_the_parameters():
    net = fm.Network([6, 4], seed=0)
    net.predict(X)
    net.params[:] = 0.25
    np.testing.assert_array_equal(net.predict(X[:1]), np.full((1, 4), X[0].sum() * 0.25 + 0.25))


def test_rows_beyond_the_range_of_float32_are_predicted_in_float64():
    net = fm.Network([2, 1], init="zeros", seed=0)
    net.weights[0][:] = 1.0
    np.testing.assert_array_equal(net.predict([[1e300, 2e300]]), [[3e300]])
    assert net.astype("float64").predict(np.float32([[3e38, 3e38]])) == np.inf  # the result is float32, as X is


def test_many_threads_may_predict_with_one_network(net):
    expected, measured = net.predict(X), net.evaluate(X, LABELS)
    results, go = [None] * 6, threading.Barrier(6)

    def work(i):
        go.wait()
        results[i] = [net.predict(X) for _ in range(5)], [net.evaluate(X, LABELS) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for predictions, measurements in results:
        for out in predictions:
            np.testing.assert_array_equal(out, expected)
        assert measurements == [measured] * 5


def test_what_predict_returns_belongs_to_the_caller(net):
    first = net.predict(X)
    kept = first.copy()
    net.predict(X[::-1])[:] = 7
    np.testing.assert_array_equal(first, kept)


def test_several_binary_labels_count_together():
    net = fm.Network([2, 2], loss="binary_cross_entropy", init="zeros", bias=True, seed=0)
    net.biases[0][:] = 3.0, -3.0  # always predicts the labels (1, 0)
    y = np.array([[1, 0], [1, 1], [0, 0], [1, 0]])
    assert net.evaluate(np.zeros((4, 2)), y)["accuracy"] in (0.5, 0.75)
