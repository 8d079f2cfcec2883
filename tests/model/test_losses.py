"""Every loss with every output it may follow: hand values, the twin, the tails, labels, smoothing, weights.

A network whose weights are the unit matrix makes scores of what it is given, and the gradient of its biases is the
delta of the output.
"""

import ast
import warnings
from pathlib import Path

import numpy as np
import pytest
import reference as ref
import reference_training
from twins import HIDDEN, LEGAL_PAIRS, SINGLE, make_loss, make_samples, relative_error, twin_of

import fastmlp as fm
from fastmlp.model import activations, loss_kinds, losses
from fastmlp.model.loss_kinds import LOSSES

YHAT, T = np.array([[1.5, 1.0]]), np.array([[1.0, 3.0]])  # errors +0.5 and -2


def unit_net(loss, output=None, width=2, dtype="float64", **settings):
    loss = fm.Loss(loss, **settings) if isinstance(loss, str) else loss
    net = fm.Network([fm.Input(width), fm.Dense(width, output)], loss=loss, dtype=dtype)
    net.weights[0][:] = np.eye(width)
    net.biases[0][:] = 0
    return net


def losses_and_deltas(net, scores, targets):
    """The loss of each row, and its delta at the scores."""
    losses = [net.evaluate(s[None], t[None])["loss"] for s, t in zip(scores, targets, strict=True)]
    return np.array(losses), net.sample_gradients(scores, targets)[:, -net.n_outputs :]


@pytest.mark.parametrize(
    ("loss", "settings", "value", "delta"),
    [
        ("squared_error", {}, 0.5 * (0.25 + 4.0), [0.5, -2.0]),
        ("mse", {}, (0.25 + 4.0) / 2, [0.5, -2.0]),
        ("absolute_error", {}, (0.5 + 2.0) / 2, [0.5, -0.5]),
        ("huber", {}, (0.125 + 1.5) / 2, [0.25, -0.5]),
        ("huber", {"delta": 0.25}, (0.25 * 0.375 + 0.25 * 1.875) / 2, [0.125, -0.125]),
        ("quantile", {}, (0.25 + 1.0) / 2, [0.25, -0.25]),
        ("quantile", {"q": 0.9}, (0.1 * 0.5 + 0.9 * 2.0) / 2, [0.05, -0.45]),
    ],
)
def test_regression_losses_by_hand(loss, settings, value, delta):
    got = losses_and_deltas(unit_net(loss, **settings), YHAT, T)
    np.testing.assert_allclose(got[0], [value], rtol=1e-14)
    np.testing.assert_allclose(got[1], [delta], rtol=1e-14)


def test_count_and_class_losses_by_hand():
    loss, delta = losses_and_deltas(unit_net("poisson"), np.log(YHAT), T)
    np.testing.assert_allclose(loss, [(1.5 - np.log(1.5) + 1.0 - 0.0) / 2])
    np.testing.assert_allclose(delta, [[0.25, -1.0]])
    loss, delta = losses_and_deltas(unit_net("cross_entropy"), np.log([[0.2, 0.8]]), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(loss, [-0.5 * np.log(0.16)])
    np.testing.assert_allclose(delta, [[-0.3, 0.3]])
    scores = np.log([[3.0, 1 / 3]])  # sigmoid 0.75, 0.25
    loss, delta = losses_and_deltas(unit_net("binary_cross_entropy"), scores, np.array([[1.0, 1.0]]))
    np.testing.assert_allclose(loss, [-np.log(0.75) - np.log(0.25)])
    np.testing.assert_allclose(delta, [[-0.25, -0.75]])


@pytest.mark.parametrize(("loss", "output"), LEGAL_PAIRS)
def test_values_and_deltas_equal_the_twin(loss, output):
    rng = np.random.default_rng(1)
    _, targets, _ = make_samples(loss, rng, 60, 2, 3)
    scores = rng.uniform(-8, 8, size=(60, 3))
    net = unit_net(make_loss(loss), output, 3)
    twin = twin_of(net)
    losses, deltas = losses_and_deltas(net, scores, targets)
    np.testing.assert_allclose(losses, twin.sample_losses(scores, targets), rtol=1e-12)
    np.testing.assert_allclose(
        deltas, twin.sample_gradients(scores, targets)[:, -3:], rtol=1e-10, atol=1e-13 * np.abs(deltas).max()
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [2, 3, 15, 16, 17, 40])
@pytest.mark.parametrize("n", [1, 15, 16, 17, 33])
def test_cross_entropy_of_any_width_and_number_of_rows(n, width, dtype):
    """Narrow layers take sixteen rows side by side; the last of them may be too few."""
    rng = np.random.default_rng(n)
    scores, targets = rng.uniform(-8, 8, size=(n, width)).astype(dtype), rng.dirichlet(np.ones(width), size=n)
    net = unit_net("cross_entropy", width=width, dtype=dtype)
    twin = twin_of(net)
    loss, ((_, delta_sum),) = net.loss_and_gradients(scores, targets, reduction="sum")
    exact = 50 * float(np.finfo(dtype).eps)
    X = scores.astype(float)
    assert loss == pytest.approx(twin.sample_losses(X, targets).sum(), rel=exact)
    deltas = twin.sample_gradients(X, targets)[:, -width:]
    np.testing.assert_allclose(delta_sum, deltas.sum(axis=0), atol=exact * n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_logarithm_in_a_cross_entropy(dtype):
    """Equal scores of k classes cost log k; one score far above the others costs the small rest."""
    eps = float(np.finfo(dtype).eps)
    for k in range(2, 100):
        net = unit_net("cross_entropy", width=k, dtype=dtype)
        assert net.evaluate(np.zeros((1, k)), [k - 1])["loss"] == pytest.approx(np.log(k), rel=4 * eps)
    net = unit_net("cross_entropy", dtype=dtype)
    for gap in np.arange(0, 9, 0.125):
        loss = net.evaluate([[gap, 0.0]], [0])["loss"]
        assert loss == pytest.approx(np.log1p(np.exp(-gap)), abs=4 * eps)


# --- Scores of +-1e4 ---

EXTREME = np.array([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [-1e4, 1e4, 0.0], [0.0, 3e3, -90.0]])


def extreme_targets(loss):
    if loss == "cross_entropy":
        return ref.one_hot([0, 1, 2, 0, 1], 3)
    if loss == "binary_cross_entropy":
        return np.array([[1, 0, 1], [1, 0.5, 0], [0, 0.5, 1], [1, 0, 1], [0, 1, 0]], dtype=float)
    return np.array([[0, 1, 20], [0, 7, 50], [1, 2, 0], [9, 8, 7], [3, 0, 4]], dtype=float)


def check_finite(net, X, targets):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        loss, gradient = net.loss_and_flat_gradient(X, targets)
        rows = net.sample_gradients(X, targets)
        measured = net.evaluate(X, targets)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    assert np.isfinite(rows).all()
    assert measured["loss"] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("loss", "output"), LEGAL_PAIRS)
def test_extreme_scores_at_the_output_stay_finite(loss, output, dtype):
    """The scores come from the weights; inputs are small, as they would be in a network gone astray."""
    net = unit_net(make_loss(loss), output, 3, dtype)
    net.weights[0][:] = 1e4 * np.eye(3)
    for copies in (1, 40):  # a sum over rows must not overflow either
        check_finite(net, np.tile(EXTREME / 1e4, (copies, 1)), np.tile(extreme_targets(loss), (copies, 1)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", SINGLE)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_extreme_scores_inside_stay_finite(loss, hidden, dtype):
    layers = [fm.Input(3), fm.Dense(3, hidden), fm.Dense(3)]
    net = fm.Network(layers, loss=make_loss(loss), dtype=dtype, seed=0)
    net.weights[0][:] = 1e4 * np.eye(3)
    net.weights[1][:] *= 1e-3
    check_finite(net, EXTREME / 1e4, extreme_targets(loss))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_scores_have_the_right_limits(dtype):
    z = np.array([[1e4, -1e4]])
    for loss, targets, value, delta in [
        ("cross_entropy", [[0.0, 1.0]], 2e4, [1.0, -1.0]),
        ("cross_entropy", [[1.0, 0.0]], 0.0, [0.0, 0.0]),
        ("binary_cross_entropy", [[0.0, 1.0]], 2e4, [1.0, -1.0]),
        ("binary_cross_entropy", [[1.0, 0.0]], 0.0, [0.0, 0.0]),
        ("binary_cross_entropy", [[0.5, 0.5]], 1e4, [0.5, -0.5]),
    ]:
        losses, deltas = losses_and_deltas(unit_net(loss, dtype=dtype), z, np.array(targets))
        np.testing.assert_allclose(losses, [value], rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(deltas, [delta], rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("score", [-30.0, -80.0, -300.0, -1e4])
def test_poisson_on_softplus_keeps_its_slope_far_below_zero(score, dtype):
    """softplus(z) is e^z there, so the delta is e^z - t: a unit that is wrong can still learn."""
    net = unit_net("poisson", "softplus", 1, dtype)
    delta = net.sample_gradients([[score]], [[3.0]])[0, -1]
    assert delta == pytest.approx(-3.0, rel=1e-5)


# --- Targets, smoothing, weights ---


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "mse"])
def test_labels_are_one_hot_rows(loss):
    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(20, 3)), rng.integers(0, 4, size=20)
    net = fm.Network([3, 5, 4], loss=loss, seed=0)
    one, other = (net.loss_and_flat_gradient(X, y) for y in (labels, ref.one_hot(labels, 4)))
    assert one[0] == other[0]
    np.testing.assert_array_equal(one[1], other[1])


def test_probability_rows_may_miss_1_by_their_rounding():
    """Rows of sum 1.0005 are taken as they are: the gradient is still that of the loss."""
    rng = np.random.default_rng(7)
    X, targets, weight = make_samples("cross_entropy", rng, 6, 3, 4)
    net = fm.Network([3, 5, 4], activation="tanh", loss="cross_entropy", dtype="float64", seed=0)
    assert fm.check_gradients(net, X, 1.0005 * targets, sample_weight=weight) < 1e-7
    _, gradient = net.loss_and_flat_gradient(X, 1.0005 * targets, sample_weight=weight)
    assert relative_error(gradient, twin_of(net).flat_gradient(X, 1.0005 * targets, weight)) < 1e-10


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("batch_size", [4, 20])
def test_label_smoothing_is_for_training_alone(loss, batch_size):
    rng = np.random.default_rng(3)
    X, targets, _ = make_samples(loss, rng, 20, 3, 4)
    net = fm.Network([3, 5, 4], loss=fm.Loss(loss, label_smoothing=0.2), dtype="float64", seed=0)
    sharp = fm.Network([3, 5, 4], loss=loss, dtype="float64", seed=0)
    assert net.evaluate(X, targets) == sharp.evaluate(X, targets)
    assert net.loss_and_gradients(X, targets)[0] == sharp.loss_and_gradients(X, targets)[0]
    twin = twin_of(net)
    history = net.fit(X, targets, epochs=3, batch_size=batch_size, optimizer=fm.SGD(0.1), shuffle=False)
    losses = reference_training.train(twin, X, targets, [np.arange(20)] * 3, batch_size, lr=0.1)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    assert relative_error(net.params, twin.flat()) < 1e-12


def test_label_smoothing_may_be_a_schedule():
    rng = np.random.default_rng(4)
    X, targets, _ = make_samples("cross_entropy", rng, 20, 3, 4)
    steps, nets = [], []
    for smoothing in (lambda step: steps.append(step) or 0.1, 0.1):
        nets.append(fm.Network([3, 4], loss=fm.Loss("cross_entropy", label_smoothing=smoothing), seed=0))
        nets[-1].fit(X, targets, epochs=2, batch_size=6, optimizer=fm.SGD(0.1), shuffle=False)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    assert steps == list(range(8))


@pytest.mark.parametrize("loss", SINGLE)
def test_a_weight_counts_as_copies_of_the_row(loss):
    rng = np.random.default_rng(5)
    X, targets, _ = make_samples(loss, rng, 6, 3, 2)
    copies = np.array([1, 3, 0, 2, 1, 4])
    net = fm.Network([3, 4, 2], activation="tanh", loss=loss, dtype="float64", seed=0)
    value, gradient = net.loss_and_flat_gradient(X, targets, sample_weight=copies)
    again = net.loss_and_flat_gradient(np.repeat(X, copies, axis=0), np.repeat(targets, copies, axis=0))
    assert value == pytest.approx(again[0], rel=1e-13)
    assert relative_error(gradient, again[1]) < 1e-12
    assert net.evaluate(X, targets, sample_weight=copies)["loss"] == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("loss", SINGLE)
def test_the_sum_is_the_mean_times_the_weight(loss):
    rng = np.random.default_rng(6)
    X, targets, weight = make_samples(loss, rng, 6, 3, 2)
    net = fm.Network([3, 4, 2], activation="tanh", loss=loss, dtype="float64", seed=0)
    for w, total in ((None, 6), (weight, weight.sum())):
        mean, mean_gradient = net.loss_and_flat_gradient(X, targets, sample_weight=w)
        whole, gradient = net.loss_and_flat_gradient(X, targets, sample_weight=w, reduction="sum")
        assert whole == pytest.approx(mean * total, rel=1e-13)
        assert relative_error(gradient, mean_gradient * total) < 1e-13


# --- What the tables and `Loss` refuse ---


@pytest.mark.parametrize(("loss", "spec"), LOSSES.items())
def test_default_outputs_and_illegal_ones(loss, spec):
    assert fm.Network([2, 2], loss=loss).output == spec.default_output
    for output in ("tanh", "softmax", "sigmoid", "exp"):
        if (loss, output) not in LEGAL_PAIRS:
            with pytest.raises(ValueError, match="needs the output activation"):
                fm.Network([2, 2], loss=loss, output=output)


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"),
    [
        ("hubber", {}, ValueError, "did you mean 'huber'"),
        (3, {}, TypeError, "loss must be a name"),
        ("huber", {"delta": 0}, ValueError, "delta must be a finite number with 0.0 < delta"),
        ("quantile", {"q": 1.0}, ValueError, "q must be .* 0.0 < q < 1.0"),
        ("quantile", {"q": "half"}, TypeError, "q must be a number"),
        ("cross_entropy", {"label_smoothing": 1.0}, ValueError, "label_smoothing"),
        ("cross_entropy", {"label_smoothing": -0.1}, ValueError, "label_smoothing"),
        ("huber", {"delta": fm.Constant(1.0)}, TypeError, "delta must be a number, got Constant"),
        ("quantile", {"q": fm.Constant(0.5)}, TypeError, "q must be a number, got Constant"),
    ],
)
def test_bad_losses(name, settings, error, message):
    with pytest.raises(error, match=message):
        fm.Loss(name, **settings)


def test_a_loss_cannot_be_changed_behind_the_network():
    with pytest.raises(AttributeError):
        fm.Loss("huber").delta = 3.0
    with pytest.raises(AttributeError):
        LOSSES["huber"].classification = True


def test_losses_for_classes_measure_accuracy():
    counted = {name for name in SINGLE if "accuracy" in fm.Network([1, 2], loss=name).evaluate([[0.0]], [[0.0, 1.0]])}
    assert counted == {"cross_entropy", "binary_cross_entropy"}


# --- Which targets a row takes ---


def labelled(loss, y, n_outputs=3):
    """Fit and evaluate by a loss, which goes through the checks of both."""
    net = fm.Network([1, n_outputs], loss=loss, seed=0)
    X = np.linspace(-1, 1, len(y)).reshape(-1, 1)
    net.fit(X, y, epochs=1)
    return net.evaluate(X, y)


@pytest.mark.parametrize("kind", [loss_kinds.VALUES, loss_kinds.COUNTS], ids=["values", "counts"])
def test_a_new_loss_of_numbers_takes_no_class_numbers(kind, monkeypatch):
    """A row alone refuses a 1-d y where three columns are needed."""
    monkeypatch.setitem(LOSSES, "new", loss_kinds.LossSpec(LOSSES["squared_error"].code, targets=kind))
    new = fm.Loss("new")
    for y in ([0, 1, 2, 1], [[0], [1], [2], [1]]):
        with pytest.raises(ValueError, match=r"y must have 3 columns, one for each output, got shape \(4,\)"):
            labelled(new, y)
        with pytest.raises(ValueError, match="y must have 3 columns"):
            fm.Network([1, 3], loss=new).train_on_batch([[0.0]] * 4, y)
        with pytest.raises(ValueError, match="y of validation_data must have 3 columns"):
            fm.Network([1, 3], loss=new).fit([[0.0]], [[0.0] * 3], validation_data=([[0.0]] * 4, y))
    assert set(labelled(new, np.arange(12.0).reshape(4, 3))) == {"loss"}
    negative = -np.arange(12.0).reshape(4, 3)
    if kind is loss_kinds.COUNTS:
        with pytest.raises(ValueError, match="y must not be negative for loss='new', got -2 in row 0"):
            labelled(new, negative)
    else:
        labelled(new, negative)


def test_a_row_says_that_class_numbers_will_do(monkeypatch):
    code = LOSSES["squared_error"].code
    monkeypatch.setitem(LOSSES, "new", loss_kinds.LossSpec(code, targets=loss_kinds.VALUES_OR_CLASSES))
    assert labelled(fm.Loss("new"), [0, 1, 2, 1]) == labelled("squared_error", [0, 1, 2, 1])


def test_a_row_says_its_range(monkeypatch):
    kind = loss_kinds.TargetKind(low=2.0, high=5.0)
    monkeypatch.setitem(LOSSES, "new", loss_kinds.LossSpec(LOSSES["mse"].code, targets=kind))
    with pytest.raises(ValueError, match="y must lie between 2 and 5 for loss='new', got 6 in row 1"):
        labelled(fm.Loss("new"), [2.0, 6.0], n_outputs=1)
    kind = loss_kinds.TargetKind(low=2.0)
    monkeypatch.setitem(LOSSES, "new", loss_kinds.LossSpec(LOSSES["mse"].code, targets=kind))
    with pytest.raises(ValueError, match="y must be at least 2 for loss='new', got 1 in row 1"):
        labelled(fm.Loss("new"), [2.0, 1.0], n_outputs=1)


def test_the_losses_that_take_class_numbers():
    taking = set()
    for loss in LOSSES:
        try:
            labelled(loss, [0, 1, 2, 1])
            taking.add(loss)
        except ValueError:
            pass
    assert taking == {"squared_error", "mse", "cross_entropy", "binary_cross_entropy"}


def test_no_check_names_a_loss():
    """What a loss takes is in its row: no module of samples, passes and fits has the name of one."""
    root = Path(losses.__file__).parents[1]
    for folder in ("data", "passes", "training", "persistence"):
        for path in (root / folder).rglob("*.py"):
            constants = {
                node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if type(node) is ast.Constant
            }
            assert not constants & LOSSES.keys(), path


@pytest.mark.parametrize("n_out", [3, 20])
@pytest.mark.parametrize(("dtype", "size"), [("float32", 2e38), ("float32", 3.4e38), ("float64", 1e308)])
def test_scores_whose_difference_overflows_give_the_cross_entropy_of_certainty(dtype, size, n_out):
    """NumPy, in long double: 0 where the largest score is that of the class, else the difference of the scores."""
    scores, targets = np.zeros((3, n_out)), np.zeros((3, n_out))
    scores[:, 0], scores[:, 1] = size, -size
    targets[0, 0] = targets[1, 2] = targets[2, 1] = 1
    wide = scores.astype(dtype).astype(np.longdouble)
    expected = -((wide - wide.max(axis=1, keepdims=True)) * targets).sum(axis=1)
    expected = np.minimum(expected, np.finfo(dtype).max).astype(float)  # the largest number is the nearest one
    loss, delta = losses_and_deltas(unit_net("cross_entropy", width=n_out, dtype=dtype), scores, targets)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    np.testing.assert_allclose(delta, np.eye(n_out)[[0, 0, 0]] - targets, atol=1e-30)


@pytest.mark.parametrize(("dtype", "limit"), [("float32", 40), ("float64", 350)])
def test_the_output_exp_ends_at_the_limit_that_is_documented(dtype, limit):
    scores = np.array([[limit - 1.0], [float(limit)], [limit + 1.0], [1000.0]])
    outputs = unit_net("squared_error", "exp", width=1, dtype=dtype).predict(scores.astype(dtype))
    np.testing.assert_allclose(outputs, np.exp(np.minimum(scores, limit)), rtol=1e-5)
    assert f"e^{limit}" in activations.__doc__


SETTINGS = {"delta": 2.0, "q": 0.3, "label_smoothing": 0.1, "beta": 0.5}
USERS = {
    "delta": {"huber"}, "q": {"quantile"}, "label_smoothing": {"cross_entropy", "binary_cross_entropy"},
    "beta": {"gaussian"},
}  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", LOSSES)
def test_a_setting_of_another_loss_is_refused_with_both_named(name, setting):
    given = {setting: SETTINGS[setting]}
    if name in USERS[setting]:
        assert getattr(fm.Loss(name, **given), setting) == SETTINGS[setting]
        return
    with pytest.raises(ValueError, match=f"^{setting}={SETTINGS[setting]} needs loss=.*, got '{name}'$"):
        fm.Loss(name, **given)
    with pytest.raises(ValueError, match=f"^{setting}=.* got '{name}'$"):
        fm.Loss(min(USERS[setting]), **given).set_params(name=name)
    assert fm.Loss(name, **{setting: getattr(fm.Loss(name), setting)}) == fm.Loss(name)


@pytest.mark.parametrize("given", [{"q": [0.2, 0.8]}, {"label_smoothing": fm.Constant(0.1)}], ids=str)
def test_a_setting_of_another_loss_is_refused_as_a_list_and_a_schedule_too(given):
    with pytest.raises(ValueError, match="needs loss=.*, got 'mse'"):
        fm.Loss("mse", **given)
