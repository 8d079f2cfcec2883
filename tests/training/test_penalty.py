"""The L2 penalty `alpha` of a fit against the twin: every rule, every way of a step, and the loss that it reports."""

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from step_cases import RULES, WAYS, WEIGHT, X, Y, network
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.training import trainer


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_every_rule_and_every_way_penalise_like_the_twin(way, name, n_threads, monkeypatch):
    # 50 rows in batches of 16: the last batch has 2, so the penalty weighs more in it.
    monkeypatch.setattr(trainer, "splits_rows", WAYS[way])
    net = network()
    twin, (optimizer, hyper) = twin_of(net), RULES[name]
    history = net.fit(
        X, Y, epochs=2, batch_size=16, optimizer=optimizer, shuffle=False, sample_weight=WEIGHT, n_threads=n_threads,
        alpha=0.7,
    )  # fmt: skip
    losses = reference_training.train(twin, X, Y, [np.arange(50)] * 2, 16, sample_weight=WEIGHT, alpha=0.7, **hyper)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)
    assert relative_error(net.params, twin.flat()) < 1e-10


@settings(max_examples=40)
@given(
    alpha=st.floats(0, 1e3),
    n_hidden=st.integers(1, 150),
    batch_size=st.integers(1, 50),
    n_threads=st.integers(1, 3),
    norm=st.sampled_from([fm.BatchNorm, fm.LayerNorm, None]),
    adam=st.booleans(),
)
def test_any_alpha_and_any_width(alpha, n_hidden, batch_size, n_threads, norm, adam):
    batch_size = max(batch_size, 2) if norm is fm.BatchNorm else batch_size
    # Widths below, at and above a multiple of the lanes in which the squares are added up; norms have no penalty.
    net = network(*([norm()] if norm else []), n_hidden=n_hidden)
    twin = twin_of(net)
    optimizer, hyper = RULES["adam"] if adam else (fm.SGD(1e-4), {"lr": 1e-4})
    history = net.fit(
        X, Y, epochs=1, batch_size=batch_size, optimizer=optimizer, shuffle=False, n_threads=n_threads, alpha=alpha
    )
    losses = reference_training.train(twin, X, Y, [np.arange(50)], batch_size, alpha=alpha, **hyper)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-8)
    assert relative_error(net.params, twin.flat()) < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [fm.SGD(0.0), fm.SGD(0.0, momentum=0.5)], ids=["direct", "gradient"])
def test_the_recorded_loss_has_half_the_sum_of_squares_for_each_batch(optimizer, dtype):
    # With a step of 0 the weights stay. 300 x 70 weights: several stretches, the last one ragged.
    rng = np.random.default_rng(2)
    wide, y = rng.normal(size=(30, 300)), rng.normal(size=30)
    net = fm.Network([300, 70, 1], dtype=dtype, seed=0)
    squares = sum((W.astype(float) ** 2).sum() for W in net.weights)
    expected = net.evaluate(wide, y)["loss"] + 4 * 0.5 / 2 * squares / 30
    history = net.fit(wide, y, epochs=2, batch_size=8, optimizer=optimizer, alpha=0.5)
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-12 if dtype == "float64" else 3e-7)


def test_alpha_may_change_with_the_step():
    net = network()
    twin = twin_of(net)
    history = net.fit(
        X, Y, epochs=3, batch_size=20, optimizer=fm.SGD(0.1), shuffle=False, alpha=lambda step: 0.1 * step
    )
    losses = reference_training.train(twin, X, Y, [np.arange(50)] * 3, 20, lr=0.1, alpha=lambda step: 0.1 * step)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)
    assert relative_error(net.params, twin.flat()) < 1e-10


def test_a_scheduled_alpha_is_read_anew_when_the_table_of_steps_is_used_up():
    ends = []
    for alpha in (0.01, lambda step: 0.01, lambda step: 0.01 * (step < 4500)):
        net = network()
        net.fit(X, Y, epochs=100, batch_size=1, optimizer=fm.SGD(0.001), alpha=alpha)
        ends.append(net.params)
    np.testing.assert_array_equal(ends[0], ends[1])
    assert not np.array_equal(ends[0], ends[2])


def test_a_network_of_a_few_weights_is_penalised_too():
    net = shake(fm.Network([7, 3, 2], activation="tanh", dtype="float64", seed=0), np.random.default_rng(1))
    twin = twin_of(net)
    history = net.fit(X, Y, epochs=2, batch_size=4, optimizer=fm.SGD(0.05), shuffle=False, alpha=0.3)
    losses = reference_training.train(twin, X, Y, [np.arange(50)] * 2, 4, lr=0.05, alpha=0.3)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)
    assert relative_error(net.params, twin.flat()) < 1e-10


@pytest.mark.parametrize("weights", [np.zeros(50), np.repeat([0.0, 1.0], 25)], ids=["all", "first batch"])
def test_a_batch_without_weight_has_no_penalty(weights):
    net = network()
    before = net.params.copy()
    if weights.any():
        half = network()
        expected = half.fit(X[25:], Y[25:], epochs=1, batch_size=25, optimizer=fm.SGD(0.1), alpha=0.5)["loss"]
        history = net.fit(
            X, Y, epochs=1, batch_size=25, optimizer=fm.SGD(0.1), shuffle=False, sample_weight=weights, alpha=0.5
        )
        np.testing.assert_allclose(net.params, half.params, rtol=1e-12)
        np.testing.assert_allclose(history["loss"], expected, rtol=1e-12)
    else:
        with pytest.raises(ValueError, match="sample_weight"):
            net.fit(X, Y, epochs=1, sample_weight=weights, alpha=0.5)
        np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam()])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_repeats_have_the_same_bits(way, optimizer, n_threads, monkeypatch):
    monkeypatch.setattr(trainer, "splits_rows", WAYS[way])
    nets = [network(dtype="float32") for _ in range(2)]
    losses = [
        net.fit(X, Y, epochs=4, batch_size=16, optimizer=optimizer, n_threads=n_threads, alpha=0.7)["loss"]
        for net in nets
    ]
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(*losses)


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam()])
def test_without_a_penalty_nothing_changes(optimizer):
    nets = [network(dtype="float32") for _ in range(3)]
    for net, penalty in zip(nets, ({}, {"alpha": 0}, {"alpha": lambda step: 0.0}), strict=True):
        net.fit(X, Y, epochs=2, batch_size=16, optimizer=optimizer, **penalty)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(nets[0].params, nets[2].params)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_lbfgs_equals_scipy_on_the_twin(weight):
    net = network()
    twin, decaying = twin_of(net), twin_of(net).decay_mask()
    factor = 0.7 / (50 if weight is None else weight.sum()) + 0.01

    def objective(w):
        twin.set_flat(w)
        loss, gradient = twin.loss(X, Y, weight), twin.flat_gradient(X, Y, weight)
        return loss + factor / 2 * (decaying * w**2).sum(), gradient + factor * decaying * w

    options = {"maxiter": 8, "maxcor": 10, "ftol": 0.0, "gtol": 1e-6, "maxfun": 160}
    found = minimize(objective, twin.flat(), jac=True, method="L-BFGS-B", options=options).x
    history = net.fit(X, Y, epochs=8, optimizer=fm.LBFGS(weight_decay=0.01), sample_weight=weight, alpha=0.7)
    assert relative_error(net.params, found) < 1e-7
    expected = objective(found)[0] - 0.01 / 2 * (decaying * found**2).sum()
    assert history["loss"][-1] == pytest.approx(expected, rel=1e-9)


def test_the_validation_loss_has_no_penalty():
    net = network()
    history = net.fit(X, Y, epochs=1, validation_data=(X, Y), alpha=10.0)
    assert history["val_loss"][0] == net.evaluate(X, Y)["loss"]
