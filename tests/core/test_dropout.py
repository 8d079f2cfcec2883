"""Dropout: the mask's statistics and independence, its published source, gradients, training, prediction.

With weights 0 and targets minus the unit matrix, row i has the delta e_i alone, so the gradient of the weights behind
a dropout of ones is the whole mask, transposed: one call shows every element.
"""

import numpy as np
import pytest
import reference_training
from hypothesis import given
from hypothesis import strategies as st
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm

MASK64 = 2**64 - 1


def split_mix(key, counter):
    """Output number ``counter`` of SplitMix64 (Steele, Lea and Flood 2014) for the state ``key``."""
    z = (key + counter * 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def expected_mask(step_key, layer, rate, shape):
    """1 where the upper half of the random number reaches rate * 2^32; counted along the rows of the batch."""
    key = split_mix(step_key, layer)
    numbers = [split_mix(key, i) >> 32 for i in range(shape[0] * shape[1])]
    return (np.array(numbers) >= int(rate * 2**32)).reshape(shape).astype(float)


def drawn_mask(n, width, rate, seed, n_threads=1, below=()):
    """The factors (n, width) of each row: 0 or 1 / (1 - rate)."""
    layers = [fm.Input(width), *below, fm.Dropout(rate), fm.Dense(n, bias=False, init="zeros")]
    net = fm.Network(layers, dtype="float64")
    _, gradient = net.loss_and_flat_gradient(
        np.ones((n, width)), -np.eye(n), reduction="sum", dropout_seed=seed, n_threads=n_threads
    )
    return gradient.reshape(width, n).T


def test_the_source_is_split_mix_64():
    """Its published first outputs for the state 1234567: the n-th is number n."""
    first = [split_mix(1234567, n) for n in (1, 2, 3)]
    assert first == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_rate_and_scale(rate):
    mask = drawn_mask(300, 40, rate, seed=7)
    kept = mask != 0
    np.testing.assert_allclose(mask[kept], 1 / (1 - rate), rtol=1e-15)
    deviation = np.sqrt(rate * (1 - rate))
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation / np.sqrt(kept.size)
    assert np.abs(kept.mean(axis=0) - (1 - rate)).max() < 5 * deviation / np.sqrt(300)
    assert np.abs(kept.mean(axis=1) - (1 - rate)).max() < 5 * deviation / np.sqrt(40)


def test_rows_columns_and_seeds_are_independent():
    masks = np.array([drawn_mask(200, 50, 0.5, seed) != 0 for seed in (1, 2, 3)], dtype=float) - 0.5
    flat = masks.reshape(3, -1)
    bound = 5 * 0.25 / np.sqrt(flat.shape[1])
    for a, b in ((flat[0], flat[1]), (flat[1], flat[2]), (flat[0, 1:], flat[0, :-1]), (flat[0, 50:], flat[0, :-50])):
        assert abs((a * b).mean()) < bound
    assert len({row.tobytes() for row in masks.reshape(-1, 50)}) == 600


@pytest.mark.parametrize("n", [5, 700])
def test_the_mask_is_the_published_function_whatever_tiles_and_threads(n):
    mask = drawn_mask(n, 6, 0.3, seed=99)
    np.testing.assert_array_equal(mask != 0, expected_mask(99, 0, 0.3, (n, 6)))
    np.testing.assert_array_equal(drawn_mask(n, 6, 0.3, seed=99, n_threads=2), mask)


def test_a_row_keeps_its_mask_in_a_larger_batch():
    np.testing.assert_array_equal(drawn_mask(700, 6, 0.3, 5)[:40], drawn_mask(40, 6, 0.3, 5))


def test_layers_have_masks_of_their_own():
    first = drawn_mask(100, 10, 0.5, 3) != 0
    second = drawn_mask(100, 10, 0.5, 3, below=(fm.Activation("relu"),)) != 0
    assert 0.4 < (first == second).mean() < 0.6


def dropout_net(dtype="float64", loss="squared_error"):
    layers = [fm.Input(4), fm.Dropout(0.2), fm.Dense(6, "tanh"), fm.Dropout(0.5), fm.Dense(5, "silu")]
    net = fm.Network([*layers, fm.LayerNorm(), fm.Dropout(0.4), fm.Dense(2)], loss=loss, dtype=dtype, seed=3)
    return shake(net, np.random.default_rng(3))


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_backward_uses_the_mask_of_forward(seed):
    net = dropout_net()
    X, T, weight = make_samples("squared_error", np.random.default_rng(4), 8, 4, 2)

    def loss_at(params):
        net.params[:] = params
        return net.loss_and_flat_gradient(X, T, sample_weight=weight, dropout_seed=seed)[0]

    start = net.params.copy()
    numeric = reference_training.numerical_gradient(loss_at, start)
    net.params[:] = start
    loss, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight, dropout_seed=seed)
    assert relative_error(gradient, numeric) < 1e-7
    assert loss != net.loss_and_flat_gradient(X, T, sample_weight=weight)[0]
    again = net.loss_and_flat_gradient(X, T, sample_weight=weight, dropout_seed=seed)
    np.testing.assert_array_equal(again[1], gradient)


def test_seeds_give_different_gradients():
    net = dropout_net()
    X, T, _ = make_samples("squared_error", np.random.default_rng(4), 8, 4, 2)
    losses = {net.loss_and_flat_gradient(X, T, dropout_seed=seed)[0] for seed in range(20)}
    assert len(losses) == 20


def fit_seed(net):
    """The seed of a fit's masks is the first number that the fit draws."""
    return int(net.copy().rng.integers(2**63))


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("n", "batch_size"), [(30, 12), (800, 650)], ids=["small", "tiles"])
def test_training_equals_the_twin_with_the_same_masks(n, batch_size, n_threads):
    net = dropout_net()
    X, T, weight = make_samples("squared_error", np.random.default_rng(5), n, 4, 2)
    twin, seed = twin_of(net), fit_seed(net)

    def set_masks(step, rows):
        dropped = [layer for layer in twin.layers if layer["kind"] == "dropout"]
        places = [(i, layer.rate) for i, layer in enumerate(net.layers) if isinstance(layer, fm.Dropout)]
        for layer, (i, rate), width in zip(dropped, places, (4, 6, 5), strict=True):
            layer["mask"] = expected_mask(split_mix(seed, step), i, rate, (len(rows), width))

    history = net.fit(
        X, T, epochs=2, batch_size=batch_size, optimizer=fm.SGD(0.1), shuffle=False, sample_weight=weight,
        n_threads=n_threads,
    )  # fmt: skip
    losses = reference_training.train(
        twin, X, T, [np.arange(n)] * 2, batch_size, lr=0.1, sample_weight=weight, on_step=set_masks
    )
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
    assert relative_error(net.params, twin.flat()) < 1e-11


RISING, FALLING = fm.StepDecay(0.1, factor=1.3, every=2), fm.Warmup(3, then=fm.Cosine(0.6, n_steps=20))


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("n", "batch_size"), [(30, 12), (800, 650)], ids=["small", "tiles"])
def test_each_layer_follows_its_own_schedule_like_the_twin(n, batch_size, n_threads):
    rates = [RISING, 0.3, FALLING]
    layers = [fm.Input(4), fm.Dropout(RISING), fm.Dense(6, "tanh"), fm.Dropout(0.3), fm.Dropout(FALLING), 2]
    net = shake(fm.Network(layers, dtype="float64", seed=3), np.random.default_rng(1))
    X, T, weight = make_samples("squared_error", np.random.default_rng(5), n, 4, 2)
    twin, seed = twin_of(net), fit_seed(net)

    def set_masks(step, rows):
        dropped = [layer for layer in twin.layers if layer["kind"] == "dropout"]
        for layer, i, rate, width in zip(dropped, (0, 2, 3), rates, (4, 6, 6), strict=True):
            layer["rate"] = float(rate(step)) if callable(rate) else rate
            layer["mask"] = expected_mask(split_mix(seed, step), i, layer["rate"], (len(rows), width))

    history = net.fit(
        X, T, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.1), shuffle=False, sample_weight=weight,
        n_threads=n_threads,
    )  # fmt: skip
    losses = reference_training.train(
        twin, X, T, [np.arange(n)] * 3, batch_size, lr=0.1, sample_weight=weight, on_step=set_masks
    )
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
    assert relative_error(net.params, twin.flat()) < 1e-11


def test_a_schedule_outlives_the_table_of_steps_and_serves_single_batches():
    """More steps than hyper-values are worked out for at once; the same steps one by one make the same network."""
    X, T, _ = make_samples("squared_error", np.random.default_rng(5), 4300, 4, 2)
    nets = []
    for rate in (fm.Exponential(0.5, rate=0.5, every=2000), lambda step: 0.5 * 0.5 ** (step / 2000), 0.5):
        nets.append(fm.Network([fm.Input(4), fm.Dropout(rate), 2], dtype="float64", seed=3))
        nets[-1].fit(X, T, epochs=1, batch_size=1, optimizer=fm.SGD(0.01), shuffle=False)
    np.testing.assert_allclose(nets[0].params, nets[1].params, rtol=0, atol=1e-14)
    assert np.abs(nets[0].params - nets[2].params).max() > 1e-4
    single = fm.Network([fm.Input(4), fm.Dropout(lambda step: 0.5 * 0.5 ** (step / 2000)), 2], dtype="float64", seed=3)
    for row in range(300):
        single.train_on_batch(X[row : row + 1], T[row : row + 1], optimizer=fm.SGD(0.01))
    other = fm.Network([fm.Input(4), fm.Dropout(fm.Exponential(0.5, rate=0.5, every=2000)), 2], dtype="float64", seed=3)
    other.fit(X[:300], T[:300], epochs=1, batch_size=1, optimizer=fm.SGD(0.01), shuffle=False)
    np.testing.assert_allclose(single.params, other.params, rtol=0, atol=1e-14)


@given(st.lists(st.floats(-0.2, 1.2), min_size=9, max_size=9))
def test_any_rates_from_0_to_below_1_and_no_others_train(rates):
    rates[0] = abs(rates[0]) % 1.0  # the first is checked where the layer is made
    net = fm.Network([fm.Input(2), fm.Dropout(rates.__getitem__), 1], dtype="float64", seed=0)
    X, wrong = np.ones((9, 2)), [step for step, rate in enumerate(rates) if not 0 <= rate < 1]
    if wrong:
        with pytest.raises(ValueError, match=f"rate of Dropout must be .* at step {wrong[0]}$"):
            net.fit(X, X[:, 0], epochs=1, batch_size=1)
    else:
        assert np.isfinite(net.fit(X, X[:, 0], epochs=1, batch_size=1)["loss"]).all()


def test_rates_outside_the_range_are_named_before_or_while_training():
    with pytest.raises(ValueError, match=r"rate of Dropout must be from 0 to below 1, got 1\.5 at step 0"):
        fm.Dropout(lambda step: 1.5 - step)
    with pytest.raises(TypeError, match="rate at step 0 must be a number, got str"):
        fm.Dropout(lambda step: "half")
    net = fm.Network([fm.Input(4), fm.Dropout(lambda step: 0.1 * step), 2], seed=0)
    before = net.params.copy()
    with pytest.raises(ValueError, match=r"rate of Dropout must be from 0 to below 1, got 1\.0 at step 10"):
        net.fit(np.ones((20, 4)), np.ones((20, 2)), batch_size=1, epochs=1)
    np.testing.assert_array_equal(net.params, before)


def test_prediction_and_evaluation_know_no_dropout():
    net = dropout_net()
    bare = fm.Network([fm.Input(4), *(x for x in net.layers if not isinstance(x, fm.Dropout))], dtype="float64")
    bare.params[:] = net.params
    X, T, _ = make_samples("squared_error", np.random.default_rng(6), 20, 4, 2)
    np.testing.assert_array_equal(net.predict(X), bare.predict(X))
    assert net.evaluate(X, T) == bare.evaluate(X, T)
    np.testing.assert_array_equal(net.sample_gradients(X, T), bare.sample_gradients(X, T))
    assert net.loss_and_gradients(X, T)[0] == bare.loss_and_gradients(X, T)[0]
    np.testing.assert_array_equal(net.cost_surface(X, T, [0], [[0.0, 1.0]]), bare.cost_surface(X, T, [0], [[0.0, 1.0]]))


def test_rate_0_changes_nothing():
    X, T, _ = make_samples("squared_error", np.random.default_rng(7), 20, 4, 2)
    results = []
    for between in ((), (fm.Dropout(0.0),)):
        net = fm.Network([fm.Input(4), fm.Dense(20, "tanh"), *between, fm.Dense(2)], seed=0)
        shake(net, np.random.default_rng(8))
        net.fit(X, T, epochs=2, batch_size=6, optimizer="sgd")
        results.append(net.params)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("rate", "error"), [(1.0, ValueError), (-0.1, ValueError), (np.nan, ValueError), ("half", TypeError)]
)
def test_bad_rates(rate, error):
    with pytest.raises(error, match="rate"):
        fm.Dropout(rate)
