"""`clip_norm` and `clip_value` against the twin: every rule, every way of a step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from step_cases import RULES, WAYS, WEIGHT, X, Y, compare, network
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.training import trainer as trainers

pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")  # gradients are long because the data are
BOUNDS = [{"clip_norm": 0.3}, {"clip_value": 0.05}, {"clip_norm": 0.2, "clip_value": 0.05}]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in RULES if name != "rprop"])  # which is refused: it uses only signs
@pytest.mark.parametrize("way", WAYS)
def test_every_rule_and_every_way_clip_like_the_twin(way, name, n_threads, monkeypatch):
    # 50 rows in batches of 16: the last batch has 2, so that one of 3 threads has no tile and still a slice.
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    for bounds in BOUNDS:
        errors = compare(network(), *RULES[name], weight=WEIGHT, n_threads=n_threads, alpha=0.7, **bounds)
        assert max(errors) < 1e-9, bounds


@settings(max_examples=40)
@given(
    clip_norm=st.none() | st.floats(1e-3, 1e3),
    clip_value=st.none() | st.floats(1e-3, 1e3),
    n_hidden=st.integers(1, 60),
    batch_size=st.integers(1, 50),
    n_threads=st.integers(1, 3),
    norm=st.sampled_from([fm.BatchNorm, fm.LayerNorm, None]),
    rule=st.sampled_from(["sgd", "momentum", "adam"]),
)
def test_any_bounds(clip_norm, clip_value, n_hidden, batch_size, n_threads, norm, rule):
    batch_size = max(batch_size, 2) if norm is fm.BatchNorm else batch_size
    net = network(*([norm(epsilon=0.1)] if norm else []), n_hidden=n_hidden)
    errors = compare(
        net, *RULES[rule], batch_size, epochs=1, n_threads=n_threads, clip_norm=clip_norm, clip_value=clip_value
    )
    assert max(errors) < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_is_as_long_as_allowed(dtype):
    net = network(dtype=dtype)
    before = net.params.astype(float)
    net.fit(X, Y * 100, epochs=1, batch_size=50, optimizer=fm.SGD(1.0), clip_norm=0.25)
    assert np.linalg.norm(net.params - before) == pytest.approx(0.25, rel=1e-6)
    net = network(dtype=dtype)
    net.fit(X, Y * 100, epochs=1, batch_size=50, optimizer=fm.SGD(1.0), clip_value=0.25)
    steps = np.abs(net.params - before)
    assert steps.max() == pytest.approx(0.25, rel=1e-6)
    assert (steps > 0.2499).mean() > 0.3


def test_an_exploded_float32_gradient_is_measured_in_double():
    net = fm.Network([7, 2], dtype="float32", seed=0)
    before = net.params.astype(float)
    gradient = net.loss_and_flat_gradient(X * 1e3, Y * 1e18)[1].astype(float)
    assert np.isfinite(gradient).all() and np.abs(gradient).max() ** 2 > np.finfo(np.float32).max
    net.fit(X * 1e3, Y * 1e18, epochs=1, batch_size=50, optimizer=fm.SGD(1.0), clip_norm=0.5)
    np.testing.assert_allclose(before - net.params, 0.5 * gradient / np.linalg.norm(gradient), atol=1e-6)


def test_decay_of_the_optimizer_is_not_clipped():
    net = network()
    twin = twin_of(net)
    net.fit(X, Y, epochs=1, batch_size=50, optimizer=fm.SGD(1.0, weight_decay=0.5), clip_norm=1e-9)
    np.testing.assert_allclose(net.params, twin.flat() * (1 - 0.5 * twin.decay_mask()), atol=1e-8)


def test_bounds_may_change_with_the_step():
    def bound(step):
        return 0.5 / (1 + step)

    assert max(compare(network(), *RULES["adam"], epochs=3, clip_norm=bound, clip_value=bound)) < 1e-10
    net, other = network(), network()
    for each, value in ((net, fm.Exponential(0.5, every=1)), (other, lambda step: 0.5 * 0.96**step)):
        each.fit(X, Y, epochs=100, batch_size=1, optimizer=fm.SGD(0.01), clip_norm=value)
    np.testing.assert_allclose(net.params, other.params, rtol=1e-10)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_repeats_have_the_same_bits(way, n_threads, monkeypatch):
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    nets = [network(dtype="float32") for _ in range(2)]
    for net in nets:
        net.fit(X, Y, epochs=4, batch_size=16, optimizer=fm.Adam(), n_threads=n_threads, clip_norm=0.1)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1, momentum=0.5), fm.Adam()], ids=["momentum", "adam"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_bounds_out_of_reach_change_no_bit(optimizer, n_threads):
    nets = [network(dtype="float32") for _ in range(3)]
    for net, bounds in zip(nets, ({}, {"clip_norm": 1e9}, {"clip_value": 1e9}), strict=True):
        net.fit(X, Y, epochs=2, batch_size=16, optimizer=optimizer, n_threads=n_threads, **bounds)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(nets[0].params, nets[2].params)


def test_a_network_of_a_few_weights_and_sparse_inputs_are_clipped_too():
    import scipy.sparse

    net = shake(fm.Network([7, 3, 2], activation="tanh", dtype="float64", seed=0), np.random.default_rng(1))
    assert max(compare(net, fm.SGD(0.05), {"lr": 0.05}, batch_size=4, clip_norm=0.3)) < 1e-10
    rng = np.random.default_rng(3)
    wide = np.where(rng.random((50, 150)) < 0.1, rng.normal(size=(50, 150)), 0.0)
    nets = [fm.Network([150, 20, 2], dtype="float64", seed=0) for _ in range(2)]
    for each, data, n_threads in zip(nets, (wide, scipy.sparse.csr_array(wide)), (1, 2), strict=True):
        each.fit(data, Y, epochs=2, batch_size=16, optimizer=fm.Adam(), n_threads=n_threads, clip_norm=0.1)
    assert relative_error(nets[1].params, nets[0].params) < 1e-10


def test_a_loss_that_is_not_finite_still_diverges():
    with pytest.raises(fm.DivergedError):
        network().fit(X, Y * 1e200, epochs=3, optimizer=fm.SGD(0.1), clip_norm=1.0, clip_value=1.0)
