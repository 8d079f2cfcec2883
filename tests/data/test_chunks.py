"""Training by chunks: the same as on all rows at once, in bounded memory, read ahead by one, and how it fails."""

import re
import threading
import tracemalloc
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
import reference_training
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.data import chunks as chunks_module
from fastmlp.data.rows import check_dense

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 4))
Y = RNG.normal(size=(101, 2))
LABELS = RNG.integers(0, 3, 101)
WEIGHT = RNG.uniform(0.5, 2.0, 101)


def network(n_out=2, loss="squared_error", **settings):
    settings = {"dtype": "float64", "seed": 0} | settings
    return shake(fm.Network([4, fm.Dense(5, "tanh"), n_out], loss=loss, **settings), np.random.default_rng(1))


def cut(at, *arrays):
    """Chunks that begin at row 0 and at those rows."""
    bounds = [0, *sorted(at), arrays[0].shape[0]]
    return [tuple(array[low:high] for array in arrays) for low, high in pairwise(bounds)]


@pytest.fixture(params=[1, 600, 2**20], ids=["cut", "some put together", "put together"])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", request.param)


pytestmark = pytest.mark.filterwarnings(
    "ignore::fastmlp.TrainingWarning"
)  # bytes as they are, and targets that spell the order of rows
KINDS = {
    "float64": X,
    "float32": X.astype(np.float32),
    "uint8": (50 * X + 128).clip(0, 255).astype(np.uint8),
    "sparse": scipy.sparse.csr_array(np.where(X > 0.3, X, 0)),
}


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("at", [[], [50], [3, 4, 5, 60], [16, 32, 48], [100], range(1, 101)], ids=str)
def test_training_is_that_on_all_rows_at_once(kind, weighted, at):
    nets = [network(), network()]
    given, weight = KINDS[kind], [WEIGHT] if weighted else []
    settings = {"epochs": 3, "batch_size": 16, "optimizer": fm.Adam(0.01), "shuffle": False, "n_threads": 1}
    whole = nets[0].fit(given, Y, sample_weight=WEIGHT if weighted else None, **settings)
    parts = nets[1].fit(fm.Chunks(cut(at, given, Y, *weight)), **settings)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_allclose(parts["loss"], whole["loss"], rtol=1e-13)
    assert parts.stop_reason == "epochs" and (np.diff(parts["seconds"]) > 0).all()


@given(
    at=st.lists(st.integers(1, 100), unique=True, max_size=12), batch_size=st.integers(2, 120),
    n_rows=st.integers(2, 101), n_bytes=st.integers(1, 4000), accumulate=st.integers(1, 3),
)  # fmt: skip
def test_any_rest_goes_to_a_batch_norm_as_in_memory(at, batch_size, n_rows, n_bytes, accumulate):
    nets = [fm.Network([4, 5, fm.BatchNorm(), 2], dtype="float64", seed=0) for _ in range(2)]
    settings = {"epochs": 2, "batch_size": batch_size, "accumulate": accumulate, "shuffle": False, "n_threads": 1}
    nets[0].fit(X[:n_rows], Y[:n_rows], **settings)
    with mock.patch.object(chunks_module, "BLOCK_BYTES", n_bytes):
        nets[1].fit(fm.Chunks(cut([start for start in at if start < n_rows], X[:n_rows], Y[:n_rows])), **settings)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(nets[0].statistics, nets[1].statistics)


@given(
    at=st.lists(st.integers(1, 100), unique=True, max_size=12), batch_size=st.integers(1, 120),
    n_bytes=st.integers(1, 4000), rate=st.sampled_from([0.05, fm.Exponential(0.05, 0.5, 3)]),
)  # fmt: skip
def test_any_cut_and_any_batch_trains_like_the_twin(at, batch_size, n_bytes, rate):
    net = network()
    twin = twin_of(net)
    lr = (lambda step: float(rate(step))) if callable(rate) else rate
    with mock.patch.object(chunks_module, "BLOCK_BYTES", n_bytes):
        history = net.fit(
            fm.Chunks(cut(at, X, Y, WEIGHT)), epochs=2, batch_size=batch_size, optimizer=fm.SGD(rate, momentum=0.5),
            shuffle=False,
        )  # fmt: skip
    losses = reference_training.train(
        twin, X, Y, [np.arange(101)] * 2, batch_size, "sgd", lr=lr, momentum=0.5, sample_weight=WEIGHT
    )
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
    np.testing.assert_allclose(history["learning_rate"], [rate(s) if callable(rate) else rate
                               for s in (0, -(-101 // batch_size))], rtol=1e-14)  # fmt: skip
    assert relative_error(net.params, twin.flat()) < 1e-10


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("lengths", [[60], [7] * 9, [40, 20], [1, 59, 3], [25, 64, 64]], ids=str)
def test_each_epoch_takes_each_row_once_in_a_new_order(lengths):
    """Row i alone moves weight i, by the same amount each time it is used."""
    n = sum(lengths)
    rows = np.eye(n)
    net = fm.Network([n, 1], bias=False, init="zeros", loss="absolute_error", dtype="float64", seed=0)
    parts = cut(np.cumsum(lengths)[:-1], rows, np.full(n, 1e6))
    net.fit(fm.Chunks(parts), epochs=5, batch_size=1, optimizer=fm.SGD(1.0))
    np.testing.assert_array_equal(net.params, np.full(n, 5.0))


def test_rows_are_shuffled_within_their_chunk_as_those_of_an_array_are():
    settings = {"epochs": 4, "batch_size": 32, "n_threads": 1}
    nets = [network(seed=3) for _ in range(4)]
    nets[0].fit(X[:96], Y[:96], **settings)
    nets[1].fit(fm.Chunks([(X[:96], Y[:96])]), **settings)
    nets[2].fit(fm.Chunks(cut([96], X, Y)), **settings)
    nets[3].fit(X, Y, shuffle=False, **settings)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    assert np.abs(nets[2].params - nets[3].params).max() > 1e-6


@pytest.mark.parametrize("n_threads", [1, 2])
def test_repeats_have_the_same_bits(n_threads):
    def params():
        net = network(dtype="float32")
        net.fit(fm.Chunks(cut([30, 77], X, Y)), epochs=3, batch_size=8, n_threads=n_threads)
        return net.params

    np.testing.assert_array_equal(params(), params())


def test_validation_metrics_callbacks_and_warm_start():
    seen = []
    net, other = network(), network()
    settings = {"epochs": 4, "batch_size": 16, "optimizer": fm.Adam(0.02), "shuffle": False, "warm_start": True,
                "validation_data": (X[:9], Y[:9]), "metrics": ["r2"]}  # fmt: skip
    callbacks = [fm.Plateau(patience=1, min_delta=1e9), lambda run: seen.append(run.network.params.copy())]
    for _ in range(2):
        one = net.fit(fm.Chunks(cut([50], X, Y)), callbacks=callbacks, **settings)
        two = other.fit(X, Y, callbacks=[fm.Plateau(patience=1, min_delta=1e9)], **settings)
        assert [*one] == [*two]
        for name in ("loss", "val_loss", "val_r2", "learning_rate"):
            np.testing.assert_allclose(one[name], two[name], rtol=1e-12)
    np.testing.assert_array_equal(net.params, other.params)
    assert net.optimizer_state.n_steps == other.optimizer_state.n_steps == 56
    assert len(seen) == 8 and (seen[-1] == net.params).all()


def test_class_weights():
    nets = [network(3, "cross_entropy"), network(3, "cross_entropy")]
    settings = {"class_weight": {0: 1.0, 1: 4.0, 2: 0.5}, "shuffle": False, "epochs": 2}
    nets[0].fit(X, LABELS, **settings)
    nets[1].fit(fm.Chunks(cut([31], X, LABELS)), **settings)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


def test_a_stretch_without_weight_teaches_nothing_and_stops_nothing(monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", 1)
    weight = np.r_[np.ones(30), np.zeros(70), 1.0]
    net, other = network(), network()
    parts = [(X[:40], Y[:40], weight[:40]), (X[40:], Y[40:], weight[40:])]
    history = net.fit(fm.Chunks(parts), epochs=2, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    whole = other.fit(X, Y, sample_weight=weight, epochs=2, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    np.testing.assert_array_equal(net.params, other.params)
    np.testing.assert_allclose(history["loss"], whole["loss"], rtol=1e-13)


# --- Reading ---


def test_chunks_are_read_on_a_thread_one_ahead_and_no_further(monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", 1)
    asked, done, ended = [], [], []

    def source():
        try:
            for i in range(10):
                asked.append(threading.current_thread() is not threading.main_thread())
                yield X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]
        finally:
            ended.append(True)

    class Watch(fm.Callback):
        def on_progress(self, run):
            done.append(len(asked))

    net = network()
    net.fit(fm.Chunks(source), epochs=2, batch_size=10, callbacks=[Watch()])
    assert asked == [False] + [True] * 19  # the first, before anything changes, by whoever called
    assert len(done) == 20 and all(n <= i + 1 for i, n in enumerate(done, 1))
    assert len(ended) == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastmlp-chunks")]


@pytest.mark.parametrize("how", ["stopped", "interrupted", "failed"])
def test_the_source_is_let_go_when_a_fit_ends_early(how, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", 1)
    ended = []

    def source():
        try:
            while True:
                yield X, Y
        finally:
            ended.append(True)

    class End(fm.Callback):
        def on_progress(self, run):
            if how == "interrupted":
                raise KeyboardInterrupt
            if how == "failed":
                raise RuntimeError("a callback failed")
            run.stop("enough")

    net = network()
    before = net.params.copy()
    if how == "failed":
        with pytest.raises(RuntimeError, match="a callback failed"):
            net.fit(fm.Chunks(source), callbacks=[End()])
    else:
        history = net.fit(fm.Chunks(source), callbacks=[End()])
        assert history.stop_reason == ("enough" if how == "stopped" else "interrupted") and history.n_epochs == 0
    assert net.is_finite() and (net.params != before).any()
    if how != "interrupted":
        assert ended == [True]


def test_memory_has_a_few_chunks_whatever_the_data_are():
    def source():
        for _ in range(40):
            rows = np.random.default_rng(0).normal(size=(20_000, 10))  # 1.6 MB
            yield rows, rows[:, :1]

    net = fm.Network([10, 1], seed=0)
    tracemalloc.start()
    net.fit(fm.Chunks(source), epochs=1, batch_size=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 1.8e6


def test_memory_maps_are_read_where_they_lie(tmp_path):
    np.save(tmp_path / "X.npy", X.astype(np.float32))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert np.shares_memory(check_dense(mapped, fm.Input(4), np.dtype("float32")).data, mapped)
    assert np.shares_memory(check_dense(mapped[30:60], fm.Input(4), np.dtype("float32")).data, mapped)
    nets = [network(dtype="float32") for _ in range(3)]
    nets[0].fit(X.astype(np.float32), Y, epochs=2)
    nets[1].fit(mapped, Y, epochs=2)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    nets[2].fit(fm.Chunks(lambda: ((mapped[i : i + 20], Y[i : i + 20]) for i in range(0, 101, 20))), epochs=2)
    assert nets[2].is_finite()


def test_a_long_chunk_is_not_copied():
    data = chunks_module.check_samples(network(), X, Y)
    assert np.shares_memory(chunks_module.part_of(data, 10, 90).X.data, X)


# --- What goes wrong ---


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (5, "source must be a function that returns an iterator, or an iterable, got 5"),
        (iter([1]), "source must be usable in every epoch, got a list_iterator, which can be used only once"),
        ((n for n in [1]), "got a generator, which can be used only once; pass the function that makes it"),
    ],
)
def test_bad_sources(source, words):
    with pytest.raises(TypeError, match=re.escape(words)):
        fm.Chunks(source)


@pytest.mark.parametrize(
    ("chunks", "settings", "error", "words"),
    [
        ([], {}, ValueError, "source must give at least one chunk, got none in epoch 1"),
        (lambda: 5, {}, RuntimeError, "the source failed at chunk 1 of epoch 1: TypeError('source must return an iter"),
        ([5], {}, TypeError, "chunk 1 of epoch 1 must be (X, y) or (X, y, sample_weight), got a int"),
        ([(X,)], {}, TypeError, "chunk 1 of epoch 1 must be (X, y) or (X, y, sample_weight), got a tuple of 1"),
        ([(X[:, :2], Y)], {}, ValueError, "X of chunk 1 of epoch 1 must have 4 columns, got 2"),
        ([(X, Y[:, :1])], {}, ValueError, "y of chunk 1 of epoch 1 must be whole class numbers 0..1 or have 2 columns"),
        ([(X, Y, -WEIGHT)], {}, ValueError, "sample_weight of chunk 1 of epoch 1 must not be negative"),
        ([(X, Y)], {"y": Y}, TypeError, "y must be left out if X is Chunks"),
        ([(X, Y)], {"sample_weight": WEIGHT}, TypeError, "sample_weight must be left out if X is Chunks"),
        ([(X, Y)], {"class_weight": "balanced"}, ValueError, "class_weight must be a dict for Chunks"),
        ([(X, Y)], {"optimizer": fm.LBFGS()}, ValueError, "optimizer must be one that updates by batches for Chunks"),
        (
            [(X, Y)],
            {"optimizer": fm.Rprop(backtrack=True), "batch_size": 200},
            ValueError,
            "updates by batches for Chunks",
        ),
        (
            [(X, Y)],
            {"validation_data": X},
            TypeError,
            "validation_data must be a pair (X, y), a triple (X, y, sample_weight) or Chunks",
        ),
    ],
)
def test_what_is_refused_before_anything_changes(chunks, settings, error, words):
    net = network()
    before = net.params.copy()
    with pytest.raises(error) as caught:
        net.fit(fm.Chunks(chunks), **settings)
    assert words in str(caught.value)
    np.testing.assert_array_equal(net.params, before)


def test_a_frozen_network_is_refused():
    net = fm.Network([4, fm.Dense(2, trainable=False)], seed=0)
    with pytest.raises(ValueError, match="the network must have a layer that learns"):
        net.fit(fm.Chunks([(X, Y)]))


def test_an_array_needs_its_y():
    with pytest.raises(
        TypeError, match="y must be an array of numbers, got NoneType; only with Chunks may y be left out"
    ):
        network().fit(X)


def failing():
    yield X, Y
    raise OSError("the disk is gone")


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (failing, RuntimeError, "the source failed at chunk 2 of epoch 1: OSError('the disk is gone')"),
        ([(X, Y), (X * np.nan, Y)], ValueError, "X of chunk 2 of epoch 1 must be finite, got nan in row 0, column 0"),
        ([(X, Y), (X.astype("f"), Y)], TypeError, "X of chunk 2 of epoch 1 must be float64 like that of the first"),
        (
            [(X, Y), (scipy.sparse.csr_array(X), Y)],
            TypeError,
            "must be dense like that of the first chunk, got",
        ),
        ([(X, Y), (X, Y.astype("f"))], TypeError, "y of chunk 2 of epoch 1 must be float64 like that of the first"),
    ],
)
def test_what_goes_wrong_later_leaves_the_network_as_it_got(source, error, words, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", 1)
    net = network()
    before = net.params.copy()
    with pytest.raises(error) as caught:
        net.fit(fm.Chunks(source), epochs=2, batch_size=101)
    assert words in str(caught.value)
    assert net.is_finite() and (net.params != before).any()
    if source is failing:
        assert isinstance(caught.value.__cause__, OSError)


def test_a_source_that_is_used_up():
    rest = [(X, Y)]

    def source():
        while rest:
            yield rest.pop()

    with pytest.raises(ValueError, match="source must give at least one chunk, got none in epoch 2"):
        network().fit(fm.Chunks(source), epochs=2)


def test_divergence_keeps_finite_weights():
    net = network()
    with pytest.raises(
        fm.DivergedError, match="stopped being finite by batch . of the epoch with index 0. Likely cause: targets"
    ):
        net.fit(fm.Chunks(cut([50], X, 1e200 * Y)), optimizer=fm.SGD(1e10), epochs=3)
    assert net.is_finite()


def test_a_source_that_asks_is_told_the_epoch():
    asked = []

    def source(epoch, scale=1):
        asked.append((epoch, scale))
        yield X[:10], Y[:10]

    network().fit(fm.Chunks(source), epochs=3, batch_size=5)
    assert asked == [(0, 1), (1, 1), (2, 1)]


class Shuffled(fm.Chunks):
    """Chunks whose first epoch is not in the order of the source."""

    def of_epoch(self, epoch):
        return reversed(self.source)

    def in_order(self):
        return iter(self.source)


def test_predictions_come_in_the_order_of_the_source():
    net, chunks = network(), Shuffled(cut([40, 80], X, Y))
    np.testing.assert_allclose(net.predict(chunks), net.predict(X), rtol=1e-12)
    np.testing.assert_array_equal(next(chunks.of_epoch(0))[0], X[80:])
