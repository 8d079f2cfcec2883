"""`max_norm` against the twin: every rule, every way of a step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from step_cases import RULES, WAYS, WEIGHT, X, Y, compare, network
from twins import shake

import fastmlp as fm
from fastmlp.training import trainer as trainers


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_every_rule_and_every_way_limit_like_the_twin(way, name, n_threads, monkeypatch):
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    errors = compare(network(), *RULES[name], weight=WEIGHT, n_threads=n_threads, alpha=0.7, max_norm=0.8)
    assert max(errors) < 1e-10


@settings(max_examples=40)
@given(
    max_norm=st.floats(1e-3, 1e3),
    n_hidden=st.integers(1, 200),
    batch_size=st.integers(1, 50),
    n_threads=st.integers(1, 3),
    norm=st.sampled_from([fm.BatchNorm, fm.LayerNorm, None]),
    rule=st.sampled_from(["sgd", "momentum", "adam"]),
)
def test_any_limit_and_width(max_norm, n_hidden, batch_size, n_threads, norm, rule):
    batch_size = max(batch_size, 2) if norm is fm.BatchNorm else batch_size
    net = network(*([norm(epsilon=0.1)] if norm else []), n_hidden=n_hidden)
    errors = compare(net, *RULES[rule], batch_size, epochs=1, n_threads=n_threads, max_norm=max_norm)
    assert max(errors) < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_columns_end_within_the_limit_and_only_long_ones_are_scaled(dtype, n_threads):
    net = network(n_hidden=150, dtype=dtype)
    before = [W.copy() for W in net.weights]
    biases = [b.copy() for b in net.biases]
    net.fit(X, Y, epochs=1, batch_size=50, optimizer=fm.SGD(0.0), n_threads=n_threads, max_norm=0.9)
    for old, new in zip(before, net.weights, strict=True):
        lengths = np.linalg.norm(old, axis=0)
        np.testing.assert_allclose(np.linalg.norm(new, axis=0), np.minimum(lengths, 0.9), rtol=1e-6)
        np.testing.assert_array_equal(new[:, lengths <= 0.9], old[:, lengths <= 0.9])
    assert any((np.linalg.norm(old, axis=0) <= 0.9).any() for old in before)
    for old, new in zip(biases, net.biases, strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_limit_may_change_with_the_step():
    assert max(compare(network(), *RULES["adam"], epochs=3, max_norm=lambda step: 1 / (1 + 0.1 * step))) < 1e-10


def test_a_network_of_a_few_weights_is_limited_too():
    net = shake(fm.Network([7, 3, 2], activation="tanh", dtype="float64", seed=0), np.random.default_rng(1))
    assert max(compare(net, fm.SGD(0.05), {"lr": 0.05}, batch_size=4, max_norm=0.7)) < 1e-10


def test_a_column_of_zeros_stays():
    net = network()
    net.weights[0][:, 3] = 0.0
    net.fit(X, Y, epochs=1, optimizer=fm.SGD(0.0), max_norm=0.1)
    np.testing.assert_array_equal(net.weights[0][:, 3], 0.0)


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam()], ids=["direct", "gradient"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_limit_out_of_reach_changes_no_bit(optimizer, n_threads):
    nets = [network(dtype="float32") for _ in range(2)]
    for net, limit in zip(nets, ({}, {"max_norm": 1e9}), strict=True):
        net.fit(X, Y, epochs=2, batch_size=16, optimizer=optimizer, n_threads=n_threads, **limit)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
