"""Scaling: each column times a learned number."""

import numpy as np
import pytest
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm

FORMS = {
    "first": lambda **more: [fm.Scaling(**more), fm.Dense(5, "tanh")],
    "hidden": lambda **more: [fm.Dense(5, "tanh"), fm.Scaling(**more), fm.Dense(4, "silu")],
    "before_a_norm": lambda **more: [fm.Dense(5), fm.Scaling(**more), fm.BatchNorm(), fm.Activation("tanh")],
}
OPTIMIZERS = {
    "plain": fm.SGD(0.02), "momentum": fm.SGD(0.01, momentum=0.9), "adam": fm.Adam(0.01),
    "adamw": fm.AdamW(0.01, weight_decay=0.1),
}  # fmt: skip


def network(form="first", dtype="float64", **more):
    layers = [fm.Input(3), *FORMS[form](**more), fm.Dense(2)]
    return shake(fm.Network(layers, loss="mse", dtype=dtype, seed=1), np.random.default_rng(1))


def samples(n=9, n_in=3, n_out=2):
    return make_samples("mse", np.random.default_rng(2), n, n_in, n_out)


def scale_of(net):
    (scale,) = (array for name, array in net.named_arrays().items() if name.endswith("scale"))
    return scale


@pytest.mark.parametrize("form", FORMS)
def test_it_agrees_with_the_twin_and_with_differences(form):
    net, (X, T, weight) = network(form), samples()
    twin = twin_of(net)
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    value, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert value == pytest.approx(twin.loss(X, T, weight), rel=1e-12)
    assert relative_error(gradient, twin.flat_gradient(X, T, weight)) < 1e-10
    assert relative_error(net.predict(X), twin.forward(X)) < 1e-12
    assert relative_error(net.input_gradients(X), twin.input_gradients(X)) < 1e-10


@pytest.mark.parametrize("form", ["first", "hidden"])
def test_each_row_has_a_gradient_of_its_own(form):
    net, (X, T, _) = network(form), samples()
    assert relative_error(net.sample_gradients(X, T), twin_of(net).sample_gradients(X, T)) < 1e-10


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_starts_at_1_and_multiplies(dtype):
    net = fm.Network([3, fm.Scaling(), fm.Dense(2, "identity")], dtype=dtype, seed=0)
    plain = fm.Network([3, fm.Dense(2, "identity")], dtype=dtype, seed=0)
    X = samples()[0]
    np.testing.assert_allclose(net.predict(X), plain.predict(X), rtol=1e-6)
    scale_of(net)[:] = [2.0, 0.0, -1.0]
    np.testing.assert_allclose(net.activations(X)[0], X * [2.0, 0.0, -1.0], rtol=1e-6)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("batch_size", [8, 1000])
@pytest.mark.parametrize("form", ["first", "hidden"])
def test_gradient_descent_follows_the_twin(form, batch_size, n_threads):
    net, (X, T, _) = network(form, learning_rate_factor=1.0), samples(60)
    twin, size = twin_of(net), min(batch_size, 60)
    net.fit(X, T, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.1), shuffle=False, n_threads=n_threads)
    for _ in range(3):
        for start in range(0, len(X), size):
            rows = slice(start, start + size)
            twin.set_flat(twin.flat() - 0.1 * twin.flat_gradient(X[rows], T[rows]))
    assert relative_error(net.params, twin.flat()) < 1e-10


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_threads_that_share_parameters_agree_with_one(optimizer):
    """Few rows and many weights: each thread has some of the columns' numbers."""
    X, T, _ = samples(8, 30, 4)
    nets = []
    for n_threads in (1, 2):
        layers = [30, fm.Scaling(), fm.Dense(200, "silu"), fm.Scaling(2.0), fm.Dense(150, "relu"), 4]
        net = fm.Network(layers, loss="mse", dtype="float64", seed=3)
        net.fit(X, T, epochs=4, batch_size=8, optimizer=OPTIMIZERS[optimizer], shuffle=False, n_threads=n_threads)
        nets.append(net)
    assert nets[0].layout.shares_parameters
    assert relative_error(nets[1].params, nets[0].params) < 1e-9
    assert all((array != 1).all() for name, array in nets[1].named_arrays().items() if name.endswith("scale"))


def test_its_learning_rate_is_six_times_the_optimizers():
    X, T, _ = samples(20)
    steps = []
    for more in ({"learning_rate_factor": 1.0}, {}):
        net = network(**more)
        before = scale_of(net).copy()
        net.fit(X, T, epochs=1, batch_size=20, optimizer=fm.SGD(0.01, momentum=0.5))
        steps.append(scale_of(net) - before)
    np.testing.assert_allclose(steps[1], 6 * steps[0], rtol=1e-9)


def test_it_does_not_decay_and_can_be_frozen():
    net, (X, T, _) = network(), samples(20)
    assert net.layout.per_parameter("decay_factor").sum() == sum(weight.size for weight in net.weights)
    net.freeze(0)
    before = scale_of(net).copy()
    net.fit(X, T, epochs=2, optimizer=fm.AdamW(0.1, weight_decay=0.1), alpha=0.1)
    np.testing.assert_array_equal(scale_of(net), before)
    net.unfreeze()
    net.fit(X, T, epochs=2)
    assert (scale_of(net) != before).all()


@pytest.mark.parametrize("optimizer", [fm.LevenbergMarquardt(), fm.LBFGS()], ids=["levenberg_marquardt", "lbfgs"])
def test_methods_that_see_all_samples_learn_it(optimizer):
    X, wanted, net = samples(40)[0], network(learning_rate_factor=1.0), network(learning_rate_factor=1.0)
    scale_of(wanted)[:] = [0.2, 1.5, -0.6]
    history = net.fit(X, wanted.predict(X), epochs=100, optimizer=optimizer)
    assert history["loss"][-1] < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_is_saved_and_loaded(dtype, tmp_path):
    net, (X, T, _) = network("hidden", dtype, learning_rate_factor=3.0), samples(20)
    net.fit(X, T, epochs=2)
    net.save(tmp_path / "net.safetensors")
    loaded = fm.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers and "1.scale" in loaded.named_arrays()
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


BAD = [
    (lambda: fm.Scaling(0), ValueError, "learning_rate_factor must be a finite number with 0.0 < learning_rate_factor"),
    (lambda: fm.Scaling(np.nan), ValueError, "learning_rate_factor must be a finite number"),
    (lambda: fm.Scaling("a"), TypeError, "learning_rate_factor must be a number, got str"),
    (lambda: fm.Scaling(trainable=1), TypeError, "trainable must be True or False, got 1"),
    (lambda: fm.Network([2, 2, fm.Scaling()]), ValueError, "the last layer must be Dense or Activation, got Scaling"),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD, ids=[words[:30] for _, _, words in BAD])
def test_what_cannot_be_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()
