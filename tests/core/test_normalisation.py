"""Batch and layer normalisation: exact statistics whatever tiles and threads, running ones for prediction."""

import numpy as np
import pytest
import reference_training
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm


def norm_net(*norms, dtype="float64", seed=0):
    layers = [fm.Input(4), fm.Dense(5, bias=False), *norms, fm.Activation("tanh"), fm.Dense(2)]
    return shake(fm.Network(layers, dtype=dtype, seed=seed), np.random.default_rng(seed))


def statistics(net, layer):
    arrays = net.named_arrays()
    return arrays[f"{layer}.running_mean"], arrays[f"{layer}.running_variance"]


def fit_once(X, batch_size, n_threads, dtype="float64", momentum=0.0):
    """A batch norm right behind the input, and a step that changes no parameter."""
    net = fm.Network([fm.Input(X.shape[1]), fm.BatchNorm(momentum), fm.Dense(1)], dtype=dtype, seed=0)
    y = np.zeros(len(X))
    net.fit(X, y, epochs=1, batch_size=batch_size, optimizer=fm.SGD(0.0), shuffle=False, n_threads=n_threads)
    return statistics(net, 0)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("n", [2, 7, 300, 513, 2050])
def test_statistics_of_a_batch_are_exact(n, n_threads):
    """Columns far from 0 would lose every digit in a sum of squares."""
    X = np.random.default_rng(n).normal(size=(n, 3)) * [1.0, 1e-3, 1e3] + [0.0, 1e4, -1e6]
    mean, variance = fit_once(X, n, n_threads)
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(variance, X.var(axis=0, ddof=1), rtol=1e-9)


def test_statistics_of_single_precision_are_summed_in_double():
    X = np.random.default_rng(1).normal([0.0, 300.0], size=(2000, 2)).astype(np.float32)
    mean, variance = fit_once(X, 2000, 2, "float32")
    np.testing.assert_allclose(mean, X.mean(axis=0, dtype=float), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(variance, X.var(axis=0, ddof=1, dtype=float), rtol=1e-10)


def test_running_statistics_by_hand():
    """Batches (0, 2, 4, 6) and (4, 8): means 3 and 6, unbiased variances 20/3 and 8; the second counts half."""
    mean, variance = fit_once(np.array([[0.0], [2.0], [4.0], [6.0], [4.0], [8.0]]), 4, 1, momentum=0.75)
    half = 0.75**0.5
    np.testing.assert_allclose(mean, [half * 0.25 * 3 + (1 - half) * 6])
    np.testing.assert_allclose(variance, [half * (0.75 * 1 + 0.25 * 20 / 3) + (1 - half) * 8])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_rest_of_a_few_rows_is_part_of_the_last_batch(n_threads):
    """201 rows in batches of 200 are one batch; of 16 + 7 the 7 rows count 7/16 more."""
    X = np.random.default_rng(3).normal(3.0, 2.0, size=(201, 2))
    mean, variance = fit_once(X, 200, n_threads)
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variance, X.var(axis=0, ddof=1), rtol=1e-12)
    mean, _ = fit_once(X[:23], 16, n_threads, momentum=0.8)
    np.testing.assert_allclose(mean, (1 - 0.8 ** (23 / 16)) * X[:23].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("n", "batch_size", "accumulate", "steps"), [
    (97, 32, 1, 3), (112, 32, 1, 4), (111, 32, 1, 3), (33, 32, 1, 1), (5, 2, 1, 2), (7, 3, 1, 2), (31, 32, 1, 1),
    (64 + 1, 16, 2, 2), (64 + 8, 16, 2, 3),
])  # fmt: skip
def test_steps_are_counted_as_they_are_done(n, batch_size, accumulate, steps):
    X, y = np.random.default_rng(0).normal(size=(n, 4)), np.zeros((n, 2))
    for data in ((X, y), (fm.Chunks([(X[:5], y[:5]), (X[5:], y[5:])] if n > 5 else [(X, y)]),)):
        asked = []

        def rate(step, asked=asked):
            asked.append(step)
            return 0.01

        net = norm_net(fm.BatchNorm())
        net.fit(*data, epochs=2, batch_size=batch_size, accumulate=accumulate, optimizer=fm.SGD(rate), warm_start=True)
        assert net.optimizer_state.n_steps == 2 * steps
        assert set(range(2 * steps)) <= set(asked)


def test_a_constant_column_becomes_its_shift():
    net = norm_net(fm.BatchNorm())
    net.weights[0][:, 2] = 0
    X, T, _ = make_samples("mse", np.random.default_rng(2), 20, 4, 2)
    loss, gradient = net.loss_and_flat_gradient(X, T)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    assert relative_error(gradient, twin_of(net).flat_gradient(X, T)) < 1e-10


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("n", "batch_size"), [(60, 16), (1500, 1100)], ids=["small", "tiles"])
@pytest.mark.parametrize(
    "norms",
    [
        (fm.BatchNorm(),),
        (fm.BatchNorm(momentum=0.5, epsilon=0.1),),
        (fm.LayerNorm(),),
        (fm.LayerNorm(epsilon=0.1),),
        (fm.BatchNorm(), fm.Dense(3, "sigmoid", bias=False), fm.BatchNorm()),
        (fm.LayerNorm(), fm.BatchNorm(), fm.LayerNorm()),
    ],
    ids=["batch", "batch_settings", "layer", "layer_settings", "two", "mixed"],
)
def test_training_statistics_and_prediction_equal_the_twin(norms, n, batch_size, n_threads):
    net = norm_net(*norms)
    X, T, weight = make_samples("squared_error", np.random.default_rng(3), n, 4, 2)
    twin = twin_of(net)
    history = net.fit(
        X, T, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.1, momentum=0.5), shuffle=False,
        sample_weight=weight, n_threads=n_threads, validation_data=(X[:9], T[:9]),
    )  # fmt: skip
    losses = reference_training.train(
        twin, X, T, [np.arange(n)] * 3, batch_size, lr=0.1, momentum=0.5, sample_weight=weight
    )
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)
    assert relative_error(net.params, twin.flat()) < 1e-10
    kept = [layer for layer in twin.layers if layer["kind"] == "batch_norm"]
    places = [i for i, layer in enumerate(net.layers) if isinstance(layer, fm.BatchNorm)]
    for i, layer in zip(places, kept, strict=True):
        mean, variance = statistics(net, i)
        assert relative_error(mean, layer["mean"]) < 1e-10
        assert relative_error(variance, layer["var"]) < 1e-10
    np.testing.assert_allclose(net.predict(X), twin.forward(X), rtol=1e-9, atol=1e-11)
    loss = twin.loss(X[:9], T[:9], training=False)
    assert history["val_loss"][-1] == pytest.approx(loss, rel=1e-10)
    assert net.evaluate(X[:9], T[:9])["loss"] == pytest.approx(loss, rel=1e-10)


def test_prediction_of_a_row_does_not_depend_on_the_others():
    net = norm_net(fm.BatchNorm(), fm.LayerNorm())
    X, T, _ = make_samples("squared_error", np.random.default_rng(4), 900, 4, 2)
    net.fit(X, T, epochs=1, batch_size=50)
    whole = net.predict(X)
    np.testing.assert_allclose(net.predict(X[700:701]), whole[700:701], rtol=1e-13)
    np.testing.assert_allclose(net.predict(X, n_threads=2), whole, rtol=1e-13)


def test_layer_norm_output_has_mean_0_and_deviation_1():
    net = fm.Network([fm.Input(6), fm.LayerNorm(epsilon=1e-12), fm.Dense(6, bias=False)], dtype="float64")
    net.weights[0][:] = np.eye(6)
    X = np.random.default_rng(5).normal(size=(10, 6)) * 50 + 1e5
    Y = net.predict(X)
    np.testing.assert_allclose(Y.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(Y.std(axis=1), 1, rtol=1e-9)
    net.named_arrays()["0.gain"][:] = 3.0
    net.named_arrays()["0.shift"][:] = 2.0
    np.testing.assert_allclose(net.predict(X), 3 * Y + 2, rtol=1e-12)


def test_a_bias_below_a_batch_norm_does_not_fail_the_check():
    """Its slope is 0 but for rounding, on both sides; that is no error."""
    layers = [fm.Input(3), fm.Dense(4), fm.BatchNorm(), fm.Dense(2)]
    net = shake(fm.Network(layers, loss="mse", dtype="float64", seed=1), np.random.default_rng(1))
    X, T, _ = make_samples("mse", np.random.default_rng(6), 8, 3, 2)
    _, gradients = net.loss_and_gradients(X, T)
    assert np.abs(gradients[0][1]).max() < 1e-14
    assert fm.check_gradients(net, 100 * X, 100 * T) < 1e-7


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fm.BatchNorm(momentum=1.5), ValueError, "momentum"),
        (lambda: fm.BatchNorm(epsilon=0.0), ValueError, "epsilon"),
        (lambda: fm.LayerNorm(epsilon=-1.0), ValueError, "epsilon"),
        (lambda: fm.LayerNorm("small"), TypeError, "epsilon"),
        (lambda: fm.Network([fm.Input(2), fm.Dense(2), fm.BatchNorm()]), ValueError, "last layer must be Dense"),
    ],
)
def test_bad_settings(make, error, message):
    with pytest.raises(error, match=message):
        make()
