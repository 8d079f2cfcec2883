"""Parametric activations: y = x + a (f(x) - x) with a learned number a for each unit."""

import numpy as np
import pytest
from twins import HIDDEN, make_samples, relative_error, shake, twin_of

import fastmlp as fm

FORMS = {
    "in_dense": lambda name, **more: [fm.Dense(5, name, parametric=True, **more), fm.Dense(4, "tanh")],
    "alone": lambda name, **more: [fm.Dense(5), fm.Activation(name, parametric=True, **more), fm.Dense(4, "tanh")],
    "after_a_norm": lambda name, **more: [fm.Dense(5), fm.BatchNorm(), fm.Activation(name, parametric=True, **more)],
    "first": lambda name, **more: [fm.Activation(name, parametric=True, **more), fm.Dense(5, "tanh")],
}


def network(form="in_dense", name="mish", dtype="float64", loss="mse", **more):
    layers = [fm.Input(3), *FORMS[form](name, **more), fm.Dense(2)]
    return shake(fm.Network(layers, loss=loss, dtype=dtype, seed=1), np.random.default_rng(1))


def samples(n=9, n_in=3, n_out=2, seed=2):
    return make_samples("mse", np.random.default_rng(seed), n, n_in, n_out)


def blend_of(net):
    (blend,) = (array for name, array in net.named_arrays().items() if name.endswith("blend"))
    return blend


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", HIDDEN)
def test_every_activation_is_right(name, form):
    net, (X, T, weight) = network(form, name), samples()
    twin = twin_of(net)
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    value, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert value == pytest.approx(twin.loss(X, T, weight), rel=1e-12)
    assert relative_error(gradient, twin.flat_gradient(X, T, weight)) < 1e-10
    assert relative_error(net.predict(X), twin.forward(X)) < 1e-12
    assert relative_error(net.input_gradients(X), twin.input_gradients(X)) < 1e-10


@pytest.mark.parametrize("form", ["in_dense", "alone", "first"])
def test_each_row_has_a_gradient_of_its_own(form):
    net, (X, T, _) = network(form), samples()
    assert relative_error(net.sample_gradients(X, T), twin_of(net).sample_gradients(X, T)) < 1e-10


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", HIDDEN)
def test_it_starts_as_the_activation_itself(name, dtype):
    layers = [3, fm.Dense(5, name, parametric=True), 2]
    net = fm.Network(layers, dtype=dtype, seed=0)
    plain = fm.Network([3, fm.Dense(5, name), 2], dtype=dtype, seed=0)
    X = samples(50)[0]
    np.testing.assert_allclose(net.predict(X), plain.predict(X), rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-6)
    np.testing.assert_array_equal(net.weights[0], plain.weights[0])
    assert net.n_params == plain.n_params + 5
    blend_of(net)[:] = 0
    linear = fm.Network([3, fm.Dense(5), 2], dtype=dtype, seed=0)
    np.testing.assert_allclose(net.predict(X), linear.predict(X), rtol=1e-5, atol=1e-6)


def test_with_relu_it_is_prelu():
    net = fm.Network([fm.Input(1), fm.Activation("relu", parametric=True), fm.Dense(1, bias=False)], dtype="float64")
    net.weights[0][:] = 1
    blend_of(net)[:] = 0.75
    np.testing.assert_allclose(net.predict([[-2.0], [0.0], [3.0]]), [[-0.5], [0.0], [3.0]])


OPTIMIZERS = {
    "plain": fm.SGD(0.1), "momentum": fm.SGD(0.05, momentum=0.9), "adam": fm.Adam(0.01),
    "adamw": fm.AdamW(0.01, weight_decay=0.1),
}  # fmt: skip


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("batch_size", [8, 1000])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_follows_the_twin(optimizer, batch_size, n_threads):
    net, (X, T, _) = network(), samples(60)
    twin = twin_of(net)
    settings = {"epochs": 3, "batch_size": batch_size, "optimizer": OPTIMIZERS[optimizer], "shuffle": False}
    net.fit(X, T, n_threads=n_threads, **settings)
    one = network()
    one.fit(X, T, n_threads=1, **settings)
    np.testing.assert_allclose(net.params, one.params, rtol=1e-9, atol=1e-12)
    if optimizer == "plain":
        size = min(batch_size, len(X))
        for _ in range(3):
            for start in range(0, len(X), size):
                rows = slice(start, start + size)
                twin.set_flat(twin.flat() - 0.1 * twin.flat_gradient(X[rows], T[rows]))
        assert relative_error(net.params, twin.flat()) < 1e-10


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_threads_that_share_parameters_agree_with_one(optimizer):
    """Few rows and many weights: each thread has some of the units' numbers."""
    X, T, _ = samples(8, 30, 4)
    nets = []
    for n_threads in (1, 2):
        layers = [30, fm.Dense(200, "silu", parametric=True), fm.Dense(150, "relu", parametric=True), 4]
        net = fm.Network(layers, loss="mse", dtype="float64", seed=3)
        net.fit(X, T, epochs=4, batch_size=8, optimizer=OPTIMIZERS[optimizer], shuffle=False, n_threads=n_threads)
        nets.append(net)
    assert nets[0].layout.shares_parameters
    assert relative_error(nets[1].params, nets[0].params) < 1e-9
    assert all((blend != 1).all() for name, blend in nets[1].named_arrays().items() if name.endswith("blend"))


@pytest.mark.parametrize("form", ["in_dense", "alone"])
def test_a_learning_rate_factor_of_its_own(form):
    X, T, _ = samples(20)
    steps = []
    for factor in (1.0, 0.25):
        net = network(form, parametric_learning_rate_factor=factor)
        before, weights = blend_of(net).copy(), net.weights[0].copy()
        net.fit(X, T, epochs=1, batch_size=20, optimizer=fm.SGD(0.1, momentum=0.5))
        steps.append((blend_of(net) - before, net.weights[0] - weights))
    np.testing.assert_allclose(steps[1][0], 0.25 * steps[0][0], rtol=1e-9)
    np.testing.assert_allclose(steps[1][1], steps[0][1], rtol=1e-9)


@pytest.mark.parametrize("form", ["in_dense", "alone"])
def test_it_is_frozen_with_its_layer(form):
    net, (X, T, _) = network(form), samples(20)
    layer = 0 if form == "in_dense" else 1
    net.freeze(layer)
    assert not net.layers[layer].trainable
    before = blend_of(net).copy()
    net.fit(X, T, epochs=2, optimizer=fm.AdamW(0.1, weight_decay=0.1), alpha=0.1)
    np.testing.assert_array_equal(blend_of(net), before)
    net.unfreeze()
    net.fit(X, T, epochs=2)
    assert (blend_of(net) != before).all()


def test_it_does_not_decay():
    net = network()
    factors = net.layout.per_parameter("decay_factor")
    assert factors.sum() == sum(weight.size for weight in net.weights)


@pytest.mark.parametrize("form", FORMS)
def test_it_is_saved_and_loaded(form, tmp_path):
    net = network(form, parametric_learning_rate_factor=0.1)
    net.fit(*samples(20)[:2], epochs=2)
    net.save(tmp_path / "net.safetensors")
    loaded = fm.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    np.testing.assert_array_equal(loaded.params, net.params)
    np.testing.assert_array_equal(loaded.predict(samples()[0]), net.predict(samples()[0]))


def test_it_is_shown():
    layers = [3, fm.Dense(5, "mish", parametric=True), fm.Dense(4), fm.Activation("relu", parametric=True), 1]
    net = fm.Network(layers)
    assert repr(net).startswith(
        "Network(3 -> 5 parametric mish -> 4 identity -> Activation(activation='relu', slope=None"
    )
    assert repr(net.layers[0]) == "Dense(units=5, activation='mish', parametric=True)"


def test_a_layer_has_one_output_whatever_the_core_makes_of_it():
    net, (X, _, _) = network(), samples()
    outputs = net.activations(X)
    assert [each.shape[1] for each in outputs] == [5, 4, 2]
    np.testing.assert_array_equal(outputs[-1], net.predict(X))
    z = X @ net.weights[0] + net.biases[0]
    mish = z * np.tanh(np.log1p(np.exp(z)))
    np.testing.assert_allclose(outputs[0], z + blend_of(net) * (mish - z), rtol=1e-12)


@pytest.mark.parametrize("optimizer", [fm.LevenbergMarquardt(), fm.LBFGS()], ids=["levenberg_marquardt", "lbfgs"])
def test_methods_that_see_all_samples_learn_it(optimizer):
    """Targets of the same network but for its blend, which they find."""
    X, wanted, net = samples(40)[0], network(), network()
    blend_of(wanted)[:] = [0.2, 1.5, 0.6, 1.1, -0.3]
    history = net.fit(X, wanted.predict(X), epochs=100, optimizer=optimizer)
    assert history["loss"][-1] < 1e-5
    net.freeze(0)
    before = blend_of(net).copy()
    net.fit(X, np.zeros((40, 2)), epochs=3, optimizer=optimizer)
    np.testing.assert_array_equal(blend_of(net), before)


def test_a_cost_surface_goes_through_it():
    net, (X, T, _) = network(), samples()
    grid = [net.params[0] - 0.1, net.params[0] + 0.2]
    surface = net.cost_surface(X, T, [0], [grid])
    for value, loss in zip(grid, surface, strict=True):
        net.params[0] = value
        assert loss == pytest.approx(net.evaluate(X, T)["loss"], rel=1e-10)


def test_dropout_after_it_has_masks_that_training_and_gradients_agree_in():
    layers = [3, fm.Dense(40, "silu", parametric=True), fm.Dropout(fm.Cosine(0.5, n_steps=10)), 2]
    X, T, _ = samples(30)
    nets = [fm.Network(layers, loss="mse", dtype="float64", seed=4) for _ in range(2)]
    for net, n_threads in zip(nets, (1, 2), strict=True):
        net.fit(X, T, epochs=5, batch_size=10, optimizer=fm.SGD(0.05), n_threads=n_threads)
    assert relative_error(nets[1].params, nets[0].params) < 1e-9


BAD = [
    (lambda: fm.Dense(3, "relu", parametric=1), TypeError, "parametric must be True or False, got 1"),
    (lambda: fm.Dense(3, parametric_learning_rate_factor=0.1), ValueError, "factor=0.1 needs parametric=True"),
    (lambda: fm.Activation("relu", parametric=True, parametric_learning_rate_factor=0), ValueError, "0.0 < parametric"),
    (lambda: fm.Activation("relu", trainable=False), ValueError, "trainable=False needs parametric=True"),
    (lambda: fm.Network([2, fm.Dense(1, parametric=True)]), ValueError, "parametric=True works only in hidden layers"),
    (
        lambda: fm.Network([2, fm.Dense(2, "softmax", parametric=True), 1]),
        ValueError,
        "works only in the output layer",
    ),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD, ids=[words[:30] for _, _, words in BAD])
def test_what_cannot_be_is_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_twin_agrees_with_its_own_differences():
    """The reference is checked too: it is what all else is held against."""
    net, (X, T, _) = network(), samples(5)
    twin = twin_of(net)
    w, gradient = twin.flat(), twin.flat_gradient(X, T)
    for i in range(len(w)):
        moved = w.copy()
        losses = []
        for step in (-1e-5, 1e-5):
            moved[i] = w[i] + step
            twin.set_flat(moved)
            losses.append(twin.loss(X, T))
        assert (losses[1] - losses[0]) / 2e-5 == pytest.approx(gradient[i], rel=1e-5, abs=1e-8)
