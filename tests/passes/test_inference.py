"""Predictions and measurements: they change nothing, and don't depend on how the work is cut up."""

import threading

import numpy as np
import pytest

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
    assert out.shape == (1100, 4) and out.dtype == net.dtype and out.flags.c_contiguous
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
