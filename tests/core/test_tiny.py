"""The kernel for networks of a few weights: what the twin computes, over all that it takes and its borders."""

import itertools

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import shake, twin_of

import fastmlp as fm

PLAIN = ("identity", "sigmoid", "tanh", "relu")


def network(widths, activation, output, *, loss="squared_error", dtype="float64", bias=True, **given):
    layers = [fm.Input(widths[0], **given), *widths[1:]]
    net = fm.Network(layers, activation=activation, output=output, loss=loss, dtype=dtype, bias=bias, seed=0)
    return shake(net, np.random.default_rng(sum(widths)))


def compare(net, X, y, *, batch_size, epochs=2, tolerance=1e-12, **hyper):
    """Train the network and its twin on the rows in order; parameters and losses must agree."""
    twin = twin_of(net)
    history = net.fit(X, y, epochs=epochs, batch_size=batch_size, optimizer=fm.SGD(**hyper), shuffle=False, n_threads=1)
    renamed = {"lr": hyper.pop("learning_rate"), **hyper}
    orders = [np.arange(len(X))] * epochs
    losses = reference_training.train(twin, np.asarray(X, float), y, orders, batch_size, **renamed)
    assert np.abs(net.params - twin.flat()).max() < tolerance
    assert np.abs(history["loss"] - losses).max() < tolerance


def samples(n, n_in, n_out, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_in)), rng.normal(size=(n, n_out))


@pytest.mark.parametrize(("hidden", "output"), list(itertools.product(PLAIN, PLAIN)))
@pytest.mark.parametrize("loss", ["squared_error", "mse"])
def test_every_activation_trains_like_the_twin(hidden, output, loss):
    X, y = samples(23, 3, 2)
    compare(network([3, 5, 4, 2], hidden, output, loss=loss), X, y, batch_size=4, learning_rate=0.1)


@pytest.mark.parametrize(
    "widths",
    [(1, 1), (8, 8), (3, 9, 8), (16, 16), (16, 1), (1, 16), (2, 3, 1), (5, 16, 16, 7), (4, 3, 2, 3, 4)],
)
@pytest.mark.parametrize("batch_size", [1, 2, 15, 16])
def test_the_widest_and_the_narrowest(widths, batch_size):
    # 71 rows: more than are gathered at once, and a last batch that is smaller for all but one of the sizes.
    X, y = samples(71, widths[0], widths[-1])
    compare(network(widths, "tanh", "identity"), X, y, batch_size=batch_size, learning_rate=0.02)


@pytest.mark.parametrize("widths", [(17, 4, 1), (4, 17, 1), (4, 3, 17), (3, 4, 4, 4, 4, 2)])
@pytest.mark.parametrize("batch_size", [16, 17])
def test_what_is_beyond_the_kernel_trains_all_the_same(widths, batch_size):
    X, y = samples(40, widths[0], widths[-1])
    compare(network(widths, "sigmoid", "identity"), X, y, batch_size=batch_size, learning_rate=0.05)


def test_decay_spares_the_biases_and_schedules_are_read_at_each_step():
    X, y = samples(30, 3, 1)
    net = network((3, 4, 1), "tanh", "identity")
    compare(net, X, y, batch_size=7, learning_rate=lambda step: 0.1 / (1 + step), weight_decay=0.3)


def test_without_biases():
    X, y = samples(12, 3, 1)
    compare(network((3, 4, 1), "tanh", "identity", bias=False), X, y, batch_size=4, learning_rate=0.1)


def test_single_precision_and_scaled_bytes():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, size=(50, 3), dtype=np.uint8), rng.normal(size=(50, 2))
    net = network((3, 4, 2), "sigmoid", "identity", dtype="float32", scale=1 / 255, shift=np.array([1.0, 0.0, 20.0]))
    compare(net, X, y, batch_size=4, tolerance=1e-5, learning_rate=0.2)


@settings(max_examples=40)
@given(
    widths=st.lists(st.integers(1, 16), min_size=2, max_size=5),
    n=st.integers(1, 90),
    batch_size=st.integers(1, 16),
    seed=st.integers(0, 1000),
)
def test_a_shuffled_fit_is_the_general_one_to_rounding(widths, n, batch_size, seed):
    # Weights of 1 for all samples send the second network the general way.
    X, y = samples(n, widths[0], widths[-1], seed)
    nets = [network(widths, "tanh", "sigmoid") for _ in range(2)]
    for net, weight in zip(nets, (None, np.ones(n)), strict=True):
        net.fit(X, y, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.05), sample_weight=weight, n_threads=1)
    assert np.abs(nets[0].params - nets[1].params).max() < 1e-12


@pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")  # it is what makes the loss overflow
def test_a_loss_that_is_not_finite_is_seen():
    X, y = samples(40, 3, 1)
    net = network((3, 4, 1), "relu", "identity")
    with pytest.raises(fm.DivergedError):
        net.fit(1e30 * X, y, epochs=5, batch_size=4, optimizer=fm.SGD(1e30))
    assert np.isfinite(net.params).all()
