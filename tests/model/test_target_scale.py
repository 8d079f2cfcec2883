"""Targets scaled in the network: it learns as on targets scaled by hand, and answers in their own units."""

import copy
import pickle

import numpy as np
import pytest
from twins import relative_error

import fastmlp as fm
from fastmlp.metrics import regression_errors
from fastmlp.model.target_scale import TargetScale

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.column_stack([1.7e9 + 300 * np.sin(X[:, 0]), 0.01 * X[:, 1] * X[:, 2]])
SHIFT, SCALE = Y.mean(axis=0), 1 / Y.std(axis=0)
Z = (Y - SHIFT) * SCALE


def network(dtype="float64", target_scale=(SHIFT, SCALE), **settings):
    settings = {"activation": "tanh", "loss": "mse"} | settings
    return fm.Network([3, 8, 2], dtype=dtype, seed=0, target_scale=target_scale, **settings)


WAYS = {
    "adam": lambda net, y: net.fit(X, y, epochs=3, batch_size=16),
    "plain descent": lambda net, y: net.fit(X, y, epochs=3, batch_size=8, optimizer=fm.SGD(0.1)),
    "two threads": lambda net, y: net.fit(X, y, epochs=3, batch_size=32, n_threads=2),
    "lbfgs": lambda net, y: net.fit(X, y, epochs=5, optimizer=fm.LBFGS()),
    "levenberg-marquardt": lambda net, y: net.fit(X, y, epochs=5, optimizer=fm.LevenbergMarquardt()),
    "chunks": lambda net, y: net.fit(fm.Chunks([(X[:25], y[:25]), (X[25:], y[25:])]), epochs=3),
    "batches": lambda net, y: [net.train_on_batch(X[i : i + 20], y[i : i + 20]) for i in range(0, 60, 20)],
    "by hand": lambda net, y: net.apply_gradient(net.gradient(X, y)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_a_network_learns_as_on_targets_scaled_by_hand(way, dtype):
    inside, outside = network(dtype), network(dtype, None)
    WAYS[way](inside, Y)
    WAYS[way](outside, Z)
    assert relative_error(inside.params, outside.params) < (1e-12 if dtype == "float64" else 1e-5)
    expected = outside.predict(X) / SCALE + SHIFT
    assert relative_error((inside.predict(X) - SHIFT) * SCALE, outside.predict(X)) < 1e-5
    assert inside.predict(X).dtype == "float64" and relative_error(inside.predict(X), expected) < 1e-12
    np.testing.assert_array_equal(inside.activations(X)[-1], inside.predict(X))
    assert inside.evaluate(X, Y)["loss"] == pytest.approx(outside.evaluate(X, Z)["loss"], rel=1e-5)


def test_standard_is_that_of_scikit_learn_and_is_kept():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    scaler = preprocessing.StandardScaler().fit(Y)
    net = network("float32", "standard")
    assert net.target_scale is None
    net.fit(X, Y, epochs=1)
    np.testing.assert_allclose(net.target_scale.shift, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(1 / net.target_scale.scale, scaler.scale_, rtol=1e-9)
    before = net.target_scale
    net.fit(X, 2 * Y, epochs=1)
    assert net.target_scale is before and not before.shift.flags.writeable
    net.initialize()
    assert net.target_scale is before


def test_constant_and_missing_targets():
    y = np.column_stack([np.full(60, 0.1), np.where(X[:, 0] > 0, Y[:, 0], np.nan)])
    net = network(target_scale="standard", loss=fm.Loss("mse", missing=True))
    net.fit(X, y, epochs=1)
    there = Y[X[:, 0] > 0, 0]
    np.testing.assert_allclose(net.target_scale.shift, [0.1, there.mean()])
    np.testing.assert_allclose(net.target_scale.scale, [1.0, 1 / there.std()])


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64"])
def test_targets_of_any_dtype_are_scaled(dtype):
    y = RNG.integers(0, 200, size=(60, 2)).astype(dtype)
    nets = network(target_scale=(100.0, 0.02)), network(target_scale=None)
    nets[0].fit(X, y, epochs=2)
    nets[1].fit(X, (y.astype(float) - 100) * 0.02, epochs=2)
    assert relative_error(nets[0].params, nets[1].params) < 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_of_few_rows_and_many_are_in_the_units_of_y(dtype):
    net = network(dtype)
    few = X[:2].astype(dtype)
    first = net.predict(few)
    np.testing.assert_allclose(first, net.predict(X)[:2].astype(dtype), rtol=1e-6)
    assert first.dtype == dtype and net.predict(few.astype("float32")).dtype == "float32"


def test_finite_differences_of_predictions_are_the_input_gradients():
    net = network("float32")
    net.fit(X, Y, epochs=2)
    numeric = np.stack([(net.predict(X[:4] + h) - net.predict(X[:4] - h)) / 2e-3 for h in 1e-3 * np.eye(3)], axis=2)
    gradients = net.input_gradients(X[:4])
    for k in range(2):
        assert relative_error(gradients[:, k], numeric[:, k]) < 1e-5


def test_metrics_have_the_units_of_y_and_losses_do_not():
    net = network("float32")
    history = net.fit(X, Y, epochs=2, validation_data=(X, Y), metrics=["mean_absolute_error", "r2"])
    errors = regression_errors(Y, net.predict(X))
    assert history["val_mean_absolute_error"][-1] == pytest.approx(errors.mean_absolute, rel=1e-3)
    assert history["val_loss"][-1] == pytest.approx(np.mean(((net.predict(X) - Y) * SCALE) ** 2), rel=1e-3)


def test_a_copy_of_any_kind_and_a_file_keep_the_scale(tmp_path):
    net = network("float32", "standard")
    net.save(tmp_path / "new")
    fresh = fm.load(tmp_path / "new")
    net.fit(X, Y, epochs=2)
    fresh.fit(X, Y, epochs=2)
    net.save(tmp_path / "trained")
    twins = copy.copy(net), copy.deepcopy(net), net.copy(), pickle.loads(pickle.dumps(net)), net.astype("float64")
    for twin in (*twins, fresh, fm.load(tmp_path / "trained")):
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))
        np.testing.assert_array_equal(twin.target_scale, net.target_scale)


def test_a_fit_resumes_with_its_scale(tmp_path):
    whole = network(target_scale="standard")
    whole.fit(X, Y, epochs=6)
    file = tmp_path / "fit"
    network(target_scale="standard").fit(X, Y, epochs=3, checkpoint=file)
    with pytest.raises(ValueError, match="the checkpoint is from another fit: target_scale: "):
        network(target_scale=(0.0, 1.0)).fit(X, Y, epochs=6, checkpoint=file, resume=True)
    resumed = network(target_scale="standard")
    resumed.fit(X, Y, epochs=6, checkpoint=file, resume=True)
    np.testing.assert_array_equal(resumed.params, whole.params)


def test_large_targets_are_no_reason_to_warn():
    with pytest.warns(fm.TrainingWarning, match="give the network target_scale='standard'"):
        network(target_scale=None).fit(X, Y, epochs=1)
    network(target_scale="standard").fit(X, Y, epochs=1)  # a warning would be an error


def test_means_and_deviations_of_a_gaussian_are_in_the_units_of_y():
    wide = {"dtype": "float64", "activation": "tanh", "loss": "gaussian", "seed": 0}
    inside = fm.Network([3, 8, 4], target_scale=(SHIFT, SCALE), **wide)
    outside = fm.Network([3, 8, 4], **wide)
    inside.fit(X, Y, epochs=3)
    outside.fit(X, Z, epochs=3)
    outputs, expected = inside.predict(X), outside.predict(X)
    np.testing.assert_allclose(outputs[:, :2], expected[:, :2] / SCALE + SHIFT, rtol=1e-9)
    np.testing.assert_allclose(np.exp(outputs[:, 2:] / 2), np.exp(expected[:, 2:] / 2) / SCALE, rtol=1e-9)
    slopes = inside.input_gradients(X) / outside.input_gradients(X)
    np.testing.assert_allclose(
        slopes, np.broadcast_to([*(1 / SCALE), 1, 1], (60, 4))[:, :, None] * np.ones(3), rtol=1e-6
    )


BAD = [
    ("standardise", {}, ValueError, "must be None, 'standard' or a pair (shift, scale), got 'standardise'"),
    (3.0, {}, TypeError, "must be None, 'standard' or a pair (shift, scale), got float"),
    ((1.0,), {}, TypeError, "must be None, 'standard' or a pair (shift, scale), got tuple"),
    ((0.0, 0.0), {}, ValueError, "scale of target_scale must not be 0"),
    ((0.0, np.inf), {}, ValueError, "scale of target_scale must be finite, got inf"),
    (([0.0] * 3, 1.0), {}, ValueError, "shift of target_scale must be one number or have shape (2,), got (3,)"),
    ((0.0, 1e200), {"dtype": "float32"}, ValueError, "target_scale must have numbers that fit in float32"),
    ("standard", {"loss": "poisson"}, ValueError, "target_scale needs a loss for values of any size, got 'poisson'"),
    ("standard", {"loss": "cross_entropy"}, ValueError, "needs a loss for values of any size, got 'cross_entropy'"),
    ("standard", {"loss": fm.CustomLoss(lambda y, s: s, target_width=3)}, ValueError, "one target for each output"),
]


@pytest.mark.parametrize(("given", "settings", "error", "words"), BAD, ids=[words for *_, words in BAD])
def test_a_bad_scale_is_refused(given, settings, error, words):
    with pytest.raises(error) as caught:
        network(target_scale=given, **settings)
    assert words in str(caught.value)


def test_a_scale_that_no_fit_has_settled_is_needed_elsewhere():
    net = network(target_scale="standard")
    before = net.params.tobytes(), net.rng.bit_generator.state
    for call in (
        lambda: net.evaluate(X, Y), lambda: net.train_on_batch(X, Y), lambda: net.gradient(X, Y),
        lambda: net.loss_and_gradients(X, Y), lambda: net.sample_gradients(X, Y),
        lambda: net.fit(fm.Chunks([(X, Y)])), lambda: fm.check_gradients(net, X, Y),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"target_scale='standard' is settled by the first fit of arrays"):
            call()
    assert before == (net.params.tobytes(), net.rng.bit_generator.state)


def test_a_refused_fit_settles_nothing():
    net = network(target_scale="standard")
    with pytest.raises(ValueError, match="metrics='r2' needs validation_data"):
        net.fit(X, Y, metrics=["r2"])
    with pytest.raises(ValueError, match="y must have 2 columns of numbers with target_scale, got class numbers"):
        net.fit(X, np.arange(60) % 2)
    assert net.target_scale is None and net.awaits_targets()


def test_another_loss_must_suit_the_scale():
    net = network()
    net.loss = "huber"
    with pytest.raises(ValueError, match="target_scale needs one target for each output of a CustomLoss"):
        net.loss = fm.CustomLoss(lambda y, s: s, target_width=3)
    assert net.loss.name == "huber" and isinstance(net.target_scale, TargetScale)
    assert "loss huber of scaled targets" in repr(net)
