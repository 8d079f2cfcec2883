"""Predictions and results of chunks: those of one array, in little memory, and how they fail."""

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse

import fastmlp as fm
from fastmlp.data import chunks as chunks_module

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(101, 4)), RNG.normal(size=(101, 2))
LABELS = RNG.integers(0, 3, 101)
WEIGHT = RNG.uniform(0.5, 2.0, 101)
CUTS = [[], [50], [3, 4, 5, 60], range(1, 101)]


def network(n_out=2, loss="squared_error", dtype="float64"):
    return fm.Network([4, fm.Dense(5, "tanh"), fm.BatchNorm(), fm.Dropout(0.5), n_out], loss=loss, dtype=dtype, seed=0)


def cut(at, *arrays):
    """Chunks that begin at row 0 and at those rows."""
    bounds = [0, *at, arrays[0].shape[0]]
    return [tuple(array[low:high] for array in arrays) for low, high in pairwise(bounds)]


@pytest.fixture(params=[1, 600, 2**20], ids=["cut", "some put together", "put together"])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", request.param)


KINDS = {
    "float64": X,
    "float32": X.astype(np.float32),
    "uint8": (50 * X + 128).clip(0, 255).astype(np.uint8),
    "sparse": scipy.sparse.csr_array(np.where(X > 0.3, X, 0)),
    "list": X.tolist(),
}


@pytest.mark.parametrize("at", CUTS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_those_of_one_array(kind, at):
    net, given = network(), KINDS[kind]
    rows = given if kind != "list" else np.array(given)
    whole = net.predict(rows)
    sources = [cut(at, rows, Y, WEIGHT), cut(at, rows, Y), cut(at, rows)]
    sources.append([chunk[0] for chunk in sources[-1]])  # X alone
    for source in sources:
        parts = net.predict(fm.Chunks(source))
        assert parts.dtype == whole.dtype and parts.shape == whole.shape and parts.flags.owndata
        np.testing.assert_allclose(parts, whole, rtol=1e-13)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("at", CUTS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_is_the_mean_over_all_rows(weighted, at):
    net, weights = network(), [WEIGHT] if weighted else []
    losses = ((net.predict(X) - Y) ** 2).sum(axis=1) / 2
    expected = np.average(losses, weights=WEIGHT if weighted else None)
    assert net.evaluate(fm.Chunks(cut(at, X, Y, *weights)))["loss"] == pytest.approx(expected, rel=1e-13)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("at", CUTS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_accuracy_is_that_of_all_rows(weighted, at):
    net, weights = network(3, "cross_entropy"), [WEIGHT] if weighted else []
    p = net.predict(X)
    right = np.average(p.argmax(axis=1) == LABELS, weights=WEIGHT if weighted else None)
    loss = np.average(-np.log(p[np.arange(101), LABELS]), weights=WEIGHT if weighted else None)
    measured = net.evaluate(fm.Chunks(cut(at, X, LABELS, *weights)), n_threads=2)
    assert measured == pytest.approx({"loss": loss, "accuracy": right}, rel=1e-12)


def test_some_chunks_with_weights_and_some_without():
    net = network()
    source = [(X[:40], Y[:40], WEIGHT[:40]), (X[40:], Y[40:])]
    losses = ((net.predict(X) - Y) ** 2).sum(axis=1) / 2
    expected = np.average(losses, weights=np.where(np.arange(101) < 40, WEIGHT, 1.0))
    assert net.evaluate(fm.Chunks(source))["loss"] == pytest.approx(expected, rel=1e-13)


def test_the_network_does_not_change_and_the_source_gets_epoch_0():
    asked = []

    def source(epoch):
        asked.append(epoch)
        return cut([7], X, Y)

    net = network()
    before = net.params.copy(), net.statistics.copy(), net.rng.bit_generator.state
    net.predict(fm.Chunks(source))
    net.evaluate(fm.Chunks(source))
    np.testing.assert_equal((net.params, net.statistics, net.rng.bit_generator.state), before)
    assert asked == [0, 0]


def test_memory_has_one_chunk_at_a_time():
    def source():
        for _ in range(40):
            yield np.zeros((2000, 100)), np.zeros((2000, 1))

    net = fm.Network([100, 1], seed=0)
    for call in (net.predict, net.evaluate):
        tracemalloc.start()
        call(fm.Chunks(source))
        assert tracemalloc.get_traced_memory()[1] < 8e6  # of 64 MB
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ([(X, Y), (X[:, :3], Y)], ValueError, "X of chunk 2 must have 4 columns, got 3"),
        ([(X, Y), (X * np.nan, Y)], ValueError, "X of chunk 2 must be finite"),
        ([], ValueError, "source must give at least one chunk, got none"),
        (lambda: 1 / 0, RuntimeError, "the source failed at chunk 1: ZeroDivisionError"),
        ([(X, Y), (1, 2, 3, 4)], TypeError, "chunk 2 must be .* got a tuple of 4"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_bad_chunks_are_named(method, source, error, words):
    with pytest.raises(error, match=words):
        getattr(network(), method)(fm.Chunks(source))


def test_what_only_one_of_them_refuses():
    net = network()
    with pytest.raises(
        TypeError, match="X of chunk 2 must have the dtype of the first chunk, for predictions in float64"
    ):
        net.predict(fm.Chunks([X, X.astype(np.float32)]))
    with pytest.raises(TypeError, match=r"chunk 1 must be \(X, y\)"):
        net.evaluate(fm.Chunks([X]))
    with pytest.raises(ValueError, match="y of chunk 2 must"):
        net.evaluate(fm.Chunks([(X, Y), (X, Y[:, :1])]))
    with pytest.raises(TypeError, match="y must be left out if X is Chunks"):
        net.evaluate(fm.Chunks([(X, Y)]), Y)
    with pytest.raises(TypeError, match="sample_weight must be left out if X is Chunks"):
        net.evaluate(fm.Chunks([(X, Y)]), sample_weight=WEIGHT)
    with pytest.raises(TypeError, match="only with Chunks may y be left out"):
        net.evaluate(X)


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_nobody_trains_the_network_between_two_chunks(method):
    net, refused = network(), []

    def train():
        try:
            net.fit(X, Y, epochs=1)
        except RuntimeError as error:
            refused.append(str(error))

    def source():
        for chunk in cut([30], X, Y):
            yield chunk
            thread = threading.Thread(target=train)
            thread.start()
            thread.join()

    before = net.params.copy()
    getattr(net, method)(fm.Chunks(source))
    assert len(refused) == 2 and all("reading this network" in text for text in refused)
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("method", ["predict", "evaluate"])
def test_an_interrupt_leaves_the_network_free(method):
    def source():
        yield X, Y
        raise KeyboardInterrupt

    net = network()
    with pytest.raises(KeyboardInterrupt):
        getattr(net, method)(fm.Chunks(source))
    net.fit(X, Y, epochs=1)
