"""Initial weights: distributions by name, seeds, layers of their own, biases."""

import math

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.model.initializers import INITIALIZERS, make_initializer

N_IN, N_OUT = 240, 160
STD = {
    "glorot_uniform": math.sqrt(2 / (N_IN + N_OUT)),
    "glorot_normal": math.sqrt(2 / (N_IN + N_OUT)),
    "he_uniform": math.sqrt(2 / N_IN),
    "he_normal": math.sqrt(2 / N_IN),
    "lecun_normal": math.sqrt(1 / N_IN),
    "normal": 1.0,
    "uniform": math.sqrt(1 / 3),
    "zeros": 0.0,
}


def first_layer(init, seed=0, **options):
    net = fm.Network([N_IN, N_OUT], init=init, dtype="float64", seed=seed, **options)
    return net.weights[0], net.biases[0]


def test_every_initializer_has_a_case():
    assert set(STD) == set(INITIALIZERS)


@pytest.mark.parametrize("name", STD)
def test_mean_and_deviation(name):
    """The mean of n draws has deviation std / sqrt(n), their deviation about std / sqrt(2 n); n = 38 400."""
    W, b = first_layer(name)
    assert abs(W.mean()) <= 5 * STD[name] / math.sqrt(W.size)
    assert W.std() == pytest.approx(STD[name], rel=0.02)
    if name in ("normal", "uniform"):
        assert b.std() == pytest.approx(STD[name], rel=0.25)
    else:
        assert not b.any()


@pytest.mark.parametrize("name", ["glorot_uniform", "he_uniform", "uniform"])
def test_uniform_ones_fill_their_range(name):
    W, _ = first_layer(name)
    limit = math.sqrt(3) * STD[name]
    assert 0.999 * limit < W.max() <= limit
    assert 0.999 * limit < -W.min() <= limit
    quarters = np.histogram(W, bins=4, range=(-limit, limit))[0] / W.size
    np.testing.assert_allclose(quarters, 0.25, atol=0.015)


@pytest.mark.parametrize("name", ["glorot_normal", "he_normal", "lecun_normal", "normal"])
def test_normal_ones_have_normal_tails(name):
    W, _ = first_layer(name)
    shares = [(np.abs(W) > k * STD[name]).mean() for k in (1, 2, 3)]
    np.testing.assert_allclose(shares, [0.3173, 0.0455, 0.0027], atol=0.01)
    assert shares[2] > 0.001


def test_settings_of_ones_own():
    W, b = first_layer(fm.Normal(0.1))
    assert W.std() == pytest.approx(0.1, rel=0.02)
    assert b.std() == pytest.approx(0.1, rel=0.25)
    W, b = first_layer(fm.Uniform(2.0, 3.0))
    assert 2.0 <= min(W.min(), b.min()) < 2.05
    assert 2.95 < max(W.max(), b.max()) < 3.0
    assert (first_layer(fm.Uniform(0.5, 0.5))[0] == 0.5).all()


def test_the_seed_fixes_the_weights():
    first, second, other = (fm.Network([5, 4, 3], seed=seed).params for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other)[: 5 * 4 + 4 * 3].all()
    fresh = [fm.Network([5, 4], seed=None).params for _ in range(2)]
    assert (fresh[0] != fresh[1])[:20].all()


def test_both_dtypes_start_from_the_same_numbers():
    double = fm.Network([5, 4, 3], init="normal", dtype="float64", seed=1).params
    np.testing.assert_array_equal(fm.Network([5, 4, 3], init="normal", seed=1).params, double.astype(np.float32))


def test_initialize_draws_anew():
    net = fm.Network([5, 4], seed=1)
    before = net.params.copy()
    net.initialize()
    assert (net.params != before)[:20].all()


def test_a_layer_may_have_its_own():
    layers = [fm.Input(6), fm.Dense(5, init="zeros"), fm.Dense(4), fm.Dense(3, init=fm.Uniform(7.0, 8.0))]
    net = fm.Network(layers, init=fm.Normal(0.01), seed=0)
    assert not net.weights[0].any()
    assert 0 < np.abs(net.weights[1]).max() < 0.1
    assert (net.weights[2] >= 7).all()
    assert (net.biases[2] >= 7).all()


def test_norms_start_as_nothing():
    net = fm.Network([fm.Input(3), fm.Dense(4), fm.BatchNorm(), fm.LayerNorm(), fm.Dense(2)], init="normal", seed=0)
    arrays = net.named_arrays()
    for i in (1, 2):
        assert (arrays[f"{i}.gain"] == 1).all()
        assert (arrays[f"{i}.shift"] == 0).all()
    assert (arrays["1.running_mean"] == 0).all()
    assert (arrays["1.running_variance"] == 1).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fm.Network([2, 1], init="glorot"), ValueError, "did you mean 'glorot_"),
        (lambda: fm.Network([2, 1], init=0.1), TypeError, "init must be a name, Normal or Uniform, got float"),
        (lambda: fm.Dense(2, init="he"), ValueError, "init='he' is unknown"),
        (lambda: fm.Normal(-1.0), ValueError, "std"),
        (lambda: fm.Normal("wide"), TypeError, "std"),
        (lambda: fm.Uniform(1.0, 0.0), ValueError, "low must not exceed high"),
        (lambda: fm.Uniform(math.nan, 0.0), ValueError, "low"),
    ],
)
def test_bad_initializers(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_an_initializer_passes_through():
    own = fm.Normal(0.5)
    assert make_initializer(own) is own
