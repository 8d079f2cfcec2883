"""A step is the same whichever way threads share it: by tiles and gradients of their own, or by rows of the weights."""

import numpy as np
import pytest
import reference_training
import scipy.sparse
from twins import shake, twin_of

import fastmlp as fm
from fastmlp.passes.workspace import splits_rows
from fastmlp.training import trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 7))
Y = RNG.normal(size=(50, 2))
WEIGHT = RNG.uniform(0.5, 2, size=50)
WAYS = {"tiles": lambda *given: False, "rows": lambda layout, n_threads, batch_size: n_threads > 1}
RULES = {
    "sgd": (fm.SGD(0.05), {"lr": 0.05}),
    "decay": (fm.SGD(0.05, weight_decay=0.1), {"lr": 0.05, "weight_decay": 0.1}),
    "momentum": (fm.SGD(0.02, momentum=0.9), {"lr": 0.02, "momentum": 0.9}),
    "adam": (fm.Adam(0.01), {"rule": "adam", "lr": 0.01}),
    "adamw": (fm.AdamW(0.01, weight_decay=0.1), {"rule": "adamw", "lr": 0.01, "weight_decay": 0.1}),
    "rprop": (fm.Rprop(0.01), {"rule": "rprop", "lr": 0.01}),
}


def network(*between, bias=True, dtype="float64", n_in=7):
    layers = [fm.Input(n_in), fm.Dense(19, "tanh", bias=bias), *between, fm.Dense(5, "sigmoid", bias=bias), 2]
    return shake(fm.Network(layers, dtype=dtype, bias=bias, seed=0), np.random.default_rng(1))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_trains_like_the_twin(way, name, n_threads, bias, monkeypatch):
    # 50 rows in batches of 16: the last batch has 2, so that one of 3 threads has no tile and still has rows of W.
    monkeypatch.setattr(trainer, "splits_rows", WAYS[way])
    net = network(fm.Activation("elu"), bias=bias)
    twin, (optimizer, hyper) = twin_of(net), RULES[name]
    history = net.fit(
        X, Y, epochs=2, batch_size=16, optimizer=optimizer, shuffle=False, sample_weight=WEIGHT, n_threads=n_threads
    )
    losses = reference_training.train(twin, X, Y, [np.arange(50)] * 2, 16, sample_weight=WEIGHT, **hyper)
    assert np.abs(net.params - twin.flat()).max() < 1e-11
    assert np.abs(history["loss"] - losses).max() < 1e-11


def fitted(way, monkeypatch, *between, data=X, n_threads=2, dtype="float64"):
    monkeypatch.setattr(trainer, "splits_rows", WAYS[way])
    net = network(*between, dtype=dtype, n_in=data.shape[1])
    net.fit(data, Y, epochs=3, batch_size=16, optimizer=fm.Adam(0.01), n_threads=n_threads)
    return net.params


@pytest.mark.parametrize("n_threads", [2, 3])
def test_dropout_masks_are_the_same_either_way(n_threads, monkeypatch):
    by_tiles, by_rows = (fitted(way, monkeypatch, fm.Dropout(0.4), n_threads=n_threads) for way in WAYS)
    assert np.abs(by_tiles - by_rows).max() < 1e-12
    assert np.abs(by_rows - fitted("rows", monkeypatch)).max() > 1e-3


@pytest.mark.parametrize("n_threads", [2, 3])
@pytest.mark.parametrize("sparse", [True, False])
def test_lists_are_cut_where_the_threads_part(sparse, n_threads, monkeypatch):
    # Some columns are empty, and some rows have nothing in one thread's part.
    wide = np.where(RNG.random((50, 150)) < 0.1, RNG.normal(size=(50, 150)), 0.0)
    wide[:20, 60:] = 0.0
    data = scipy.sparse.csr_array(wide) if sparse else wide
    alone = fitted("tiles", monkeypatch, data=wide, n_threads=1)
    assert np.abs(alone - fitted("rows", monkeypatch, data=data, n_threads=n_threads)).max() < 1e-12


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_threads", [2, 3])
def test_repeats_have_the_same_bits(way, n_threads, monkeypatch):
    one, other = (fitted(way, monkeypatch, n_threads=n_threads, dtype="float32") for _ in range(2))
    assert np.array_equal(one, other)


def test_rows_are_shared_where_the_weights_are_many_beside_the_numbers_in_the_batch():
    wide, narrow = fm.Network([784, 100, 10]).layout, fm.Network([4, 32, 16, 4]).layout
    assert splits_rows(wide, 2, 32) and not splits_rows(wide, 1, 32)
    assert splits_rows(fm.Network([16, 64, 64, 1]).layout, 2, 32)
    assert not splits_rows(narrow, 2, 10_000)
    assert not splits_rows(fm.Network([784, fm.Dense(100), fm.BatchNorm(), 10]).layout, 2, 32)
