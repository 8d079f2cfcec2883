"""The recorded loss of weighted samples may count each batch as often as it has rows, as scikit-learn's does."""

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from step_cases import WAYS
from twins import shake, twin_of

import fastmlp as fm
from fastmlp.training import trainer as trainers
from fastmlp.training.fit import fit
from fastmlp.training.settings import FitSettings

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 7))
Y = RNG.normal(size=(50, 2))
WEIGHT = RNG.uniform(0.1, 5, size=50)


def network(dtype="float64"):
    return shake(fm.Network([7, fm.Dense(19, "tanh"), 2], dtype=dtype, seed=0), np.random.default_rng(1))


def losses_of(net, weight, counts_rows, n_threads=1, **settings):
    given = {"optimizer": fm.SGD(0.05), "epochs": 2, "batch_size": 16, "shuffle": False} | settings
    return fit(net, X, Y, None, weight, None, FitSettings(n_threads=n_threads, loss_counts_rows=counts_rows, **given))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("optimizer", [fm.SGD(0.05), fm.Adam(0.01)], ids=["direct", "gradient"])
@pytest.mark.parametrize("way", WAYS)
def test_batches_count_for_their_rows(way, optimizer, n_threads, monkeypatch):
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    net = network()
    twin = twin_of(net)
    history = losses_of(net, WEIGHT, True, n_threads, optimizer=optimizer, alpha=0.7)
    hyper = {"rule": "adam", "lr": 0.01} if isinstance(optimizer, fm.Adam) else {"lr": 0.05}
    expected = reference_training.train(
        twin, X, Y, [np.arange(50)] * 2, 16, sample_weight=WEIGHT, alpha=0.7, counts_rows=True, **hyper
    )
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-11)
    np.testing.assert_allclose(net.params, twin.flat(), atol=1e-11)


@settings(max_examples=40)
@given(batch_size=st.integers(1, 60), n_threads=st.sampled_from([1, 2, 3]), norm=st.booleans(), seed=st.integers(0, 99))
def test_any_batches_and_weights(batch_size, n_threads, norm, seed):
    batch_size = max(batch_size, 2) if norm else batch_size
    weight = np.random.default_rng(seed).uniform(0.01, 3, size=50)
    layers = [7, fm.Dense(6, "tanh"), *([fm.BatchNorm()] if norm else []), 2]
    net = shake(fm.Network(layers, dtype="float64", seed=0), np.random.default_rng(1))
    twin = twin_of(net)
    history = losses_of(net, weight, True, n_threads, batch_size=batch_size, optimizer=fm.SGD(0.01))
    orders = [np.arange(50)] * 2
    expected = reference_training.train(twin, X, Y, orders, batch_size, sample_weight=weight, counts_rows=True, lr=0.01)
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-8)


def test_only_the_record_differs():
    one, other = network("float32"), network("float32")
    by_rows, by_weight = (losses_of(net, WEIGHT, flag)["loss"] for net, flag in ((one, True), (other, False)))
    np.testing.assert_array_equal(one.params, other.params)
    assert np.abs(by_rows - by_weight).min() > 1e-3


def test_equal_weights_and_none_make_no_difference():
    for weight in (None, np.full(50, 2.0)):
        records = [losses_of(network(), weight, flag)["loss"] for flag in (True, False)]
        np.testing.assert_allclose(*records, rtol=1e-13)


def test_a_batch_without_weight_counts_as_no_loss():
    weight = np.repeat([0.0, 1.0], [16, 34])
    net = network()
    rest = network().fit(X[16:], Y[16:], epochs=1, batch_size=16, optimizer=fm.SGD(0.05), shuffle=False)["loss"]
    assert losses_of(net, weight, True, epochs=1)["loss"][0] == pytest.approx(rest[0] * 34 / 50, rel=1e-12)
