"""Losses written in Python: the same as the built-in ones of their formula, and what happens when they fail."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import VARIANTS, relative_error, shake

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4))
Y = RNG.normal(size=(50, 3))
LABELS = RNG.integers(0, 3, 50)
WEIGHT = RNG.uniform(0.5, 2.0, 50)


def squares(y_true, scores):
    error = scores - y_true
    return 0.5 * (error**2).sum(axis=1), error


def softmax_entropy(y_true, scores):
    top = scores - scores.max(axis=1, keepdims=True)
    chances = np.exp(top) / np.exp(top).sum(axis=1, keepdims=True)
    return -(y_true * np.log(chances)).sum(axis=1), chances - y_true


PAIRS = {"squared_error": (squares, "identity", Y), "cross_entropy": (softmax_entropy, "softmax", LABELS)}


def pair(name, *between, dtype="float64"):
    """The network with the built-in loss, and the same with the one of Python."""
    function, output, _ = PAIRS[name]
    layers = [fm.Input(4), fm.Dense(6, "tanh"), *between, fm.Dense(3)]
    built_in = shake(fm.Network(layers, loss=name, dtype=dtype, seed=0), np.random.default_rng(1))
    custom = fm.Network(layers, loss=fm.CustomLoss(function, output), dtype=dtype, seed=0)
    custom.params[:] = built_in.params
    return built_in, custom


@pytest.mark.parametrize("between", [(), (fm.BatchNorm(),)], ids=["rows", "batch norm"])
@pytest.mark.parametrize(
    "options", [{"accumulate": 3}, {"average": 0.9}, {"clip_norm": 0.3, "max_norm": 1.0}], ids=repr
)
def test_the_options_of_a_step_go_with_it(between, options):
    nets, y = pair("cross_entropy", *between), LABELS
    for net in nets:
        net.fit(X, y, epochs=3, batch_size=8, optimizer=fm.Adam(0.01), **options)
    assert relative_error(nets[1].params, nets[0].params) < 1e-10
    plain = pair("cross_entropy", *between)[1]
    plain.fit(X, y, epochs=3, batch_size=8, optimizer=fm.Adam(0.01))
    assert relative_error(plain.params, nets[1].params) > 1e-4


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", PAIRS)
def test_training_is_that_of_the_built_in_loss(name, variant, n_threads):
    nets, y = pair(name, *VARIANTS[variant]), PAIRS[name][2]
    histories = [
        net.fit(X, y, epochs=3, batch_size=16, optimizer=fm.Adam(0.01), sample_weight=WEIGHT, alpha=0.1,
                validation_data=(X[:9], y[:9]), n_threads=n_threads)
        for net in nets
    ]  # fmt: skip
    assert [*histories[0]] == [*histories[1]]
    for record in ("loss", "val_loss"):
        np.testing.assert_allclose(histories[1][record], histories[0][record], rtol=1e-10)
    assert relative_error(nets[1].params, nets[0].params) < 1e-10
    np.testing.assert_allclose(nets[1].predict(X), nets[0].predict(X), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PAIRS)
def test_everything_else_is_too(name, dtype):
    (built_in, custom), y = pair(name, dtype=dtype), PAIRS[name][2]
    close = {"rtol": 2e-5 if dtype == "float32" else 1e-10, "atol": 1e-5 if dtype == "float32" else 1e-12}
    for n_threads in (1, 2):
        one = built_in.evaluate(X, y, sample_weight=WEIGHT, n_threads=n_threads)
        other = custom.evaluate(X, y, sample_weight=WEIGHT, n_threads=n_threads)
        assert other == pytest.approx(one, rel=close["rtol"])
        one = built_in.loss_and_flat_gradient(X, y, sample_weight=WEIGHT, n_threads=n_threads)
        other = custom.loss_and_flat_gradient(X, y, sample_weight=WEIGHT, n_threads=n_threads)
        assert other[0] == pytest.approx(one[0], rel=close["rtol"])
        np.testing.assert_allclose(other[1], one[1], **close)
    np.testing.assert_allclose(custom.sample_gradients(X, y), built_in.sample_gradients(X, y), **close)
    grids = [[-1.0, 0.5], [0.0, 0.1, 0.2]]
    np.testing.assert_allclose(custom.cost_surface(X, y, [0, 40], grids), built_in.cost_surface(X, y, [0, 40], grids),
                               rtol=1e-4 if dtype == "float32" else 1e-10)  # fmt: skip
    losses = [net.train_on_batch(X, y, optimizer=fm.SGD(0.1)) for net in (built_in, custom, built_in, custom)]
    np.testing.assert_allclose(losses[1::2], losses[::2], rtol=close["rtol"])


@given(
    n=st.integers(1, 50), batch_size=st.integers(1, 60), n_threads=st.integers(1, 3),
    rule=st.sampled_from(["sgd", "adam", "rprop"]),
)  # fmt: skip
def test_any_batch_on_any_threads(n, batch_size, n_threads, rule):
    built_in, custom = pair("squared_error")
    for net in (built_in, custom):
        net.fit(X[:n], Y[:n], epochs=2, batch_size=batch_size, optimizer=rule, n_threads=n_threads)
    assert relative_error(custom.params, built_in.params) < 1e-9


def test_evaluation_takes_several_tiles_on_several_threads():
    built_in, custom = pair("squared_error")
    many, targets = np.tile(X, (60, 1)), np.tile(Y, (60, 1))
    for n_threads in (1, 2, 3):
        one, other = (net.evaluate(many, targets, n_threads=n_threads) for net in (built_in, custom))
        assert other == pytest.approx(one, rel=1e-12)


def test_chunks_too():
    built_in, custom = pair("squared_error")
    for net in (built_in, custom):
        net.fit(fm.Chunks([(X[:20], Y[:20]), (X[20:], Y[20:])]), epochs=2, batch_size=8, shuffle=False)
    assert relative_error(custom.params, built_in.params) < 1e-10


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_function_is_called_once_for_each_batch_with_copies(n_threads):
    seen = []

    def function(y_true, scores):
        seen.append((y_true, scores))
        return squares(y_true, scores)

    net = fm.Network([4, 3], loss=fm.CustomLoss(function), dtype="float32", seed=0)
    X_many, Y_many = np.tile(X, (30, 1)), np.tile(Y, (30, 1))  # 1500 rows: more than one tile
    net.fit(X_many, Y_many, epochs=1, batch_size=1400, shuffle=False, optimizer=fm.SGD(0.0), n_threads=n_threads)
    assert [y_true.shape for y_true, _ in seen] == [(1400, 3), (100, 3)]
    np.testing.assert_array_equal(np.concatenate([y_true for y_true, _ in seen]), Y_many.astype(np.float32))
    np.testing.assert_allclose(np.concatenate([scores for _, scores in seen]), net.predict(X_many), rtol=1e-5)
    assert all(array.dtype == np.float32 for pair in seen for array in pair)


def test_class_numbers_come_as_rows_with_a_single_one():
    seen = []

    def function(y_true, scores):
        seen.append(y_true)
        return softmax_entropy(y_true, scores)

    fm.Network([4, 3], loss=fm.CustomLoss(function, "softmax"), seed=0).evaluate(X, LABELS, n_threads=1)
    np.testing.assert_array_equal(np.concatenate(seen), np.eye(3)[LABELS])


def test_check_gradients_tells_a_wrong_gradient():
    def wrong(y_true, scores):
        losses, gradient = squares(y_true, scores)
        return losses, 1.5 * gradient

    errors = [
        fm.check_gradients(fm.Network([4, 3], loss=fm.CustomLoss(function), seed=0), X[:5], Y[:5])
        for function in (squares, wrong)
    ]
    assert errors[0] < 1e-8 and errors[1] > 0.1


# --- What goes wrong ---


def failing_at(call, how):
    """Squares that go wrong at the call of that number."""
    calls = []

    def function(y_true, scores):
        calls.append(1)
        return how(y_true, scores) if len(calls) == call else squares(y_true, scores)

    return function


def fail(y_true, scores):
    raise KeyError("no such thing")


BAD = {
    "fails": (fail, KeyError, "no such thing"),
    "no pair": (lambda y, z: squares(y, z)[0], TypeError, "a custom loss must return (losses, gradient), got ndarray"),
    "mean": (lambda y, z: (1.0, z), ValueError, "losses of a custom loss must have shape (8,), got ()"),
    "column": (lambda y, z: (z[:, :1], z), ValueError, "losses of a custom loss must have shape (8,), got (8, 1)"),
    "row": (lambda y, z: (z[:, 0], z[0]), ValueError, "gradient of a custom loss must have shape (8, 3), got (3,)"),
    "text": (lambda y, z: (["a"] * 8, z), TypeError, "losses of a custom loss must hold numbers, got dtype <U1"),
    "nan": (
        lambda y, z: (z[:, 0], z * np.nan),
        ValueError,
        "gradient of a custom loss must be finite, got nan in row",
    ),
}


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam(0.1)])
@pytest.mark.parametrize("bad", BAD)
def test_a_failure_leaves_the_network_as_after_the_step_before(bad, optimizer):
    how, error, words = BAD[bad]
    nets = [
        fm.Network([4, fm.Dense(5, "tanh"), fm.BatchNorm(), 3], loss=fm.CustomLoss(function), dtype="float64", seed=0)
        for function in (failing_at(4, how), squares)
    ]
    with pytest.raises(error, match=re.escape(words)):
        nets[0].fit(X, Y, batch_size=8, optimizer=optimizer, shuffle=False, warm_start=True)
    nets[1].fit(X[:24], Y[:24], epochs=1, batch_size=8, optimizer=optimizer, shuffle=False)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(nets[0].statistics, nets[1].statistics)
    assert nets[0].optimizer_state is None
    nets[0].fit(X, Y, epochs=1)  # the function is well again


@pytest.mark.parametrize("chunked", [False, True])
def test_ctrl_c_in_the_function_keeps_the_steps_before(chunked):
    def interrupt(y_true, scores):
        raise KeyboardInterrupt

    nets = [fm.Network([4, 5, 3], loss=fm.CustomLoss(f), seed=0) for f in (failing_at(10, interrupt), squares)]
    data = (fm.Chunks([(X[:48], Y[:48])]),) if chunked else (X[:48], Y[:48])
    history = nets[0].fit(*data, batch_size=8, shuffle=False, optimizer=fm.SGD(0.1), warm_start=True)
    assert history.stop_reason == "interrupted" and history.n_epochs == 1
    nets[1].fit(np.r_[X[:48], X[:24]], np.r_[Y[:48], Y[:24]], epochs=1, batch_size=8, shuffle=False,
                optimizer=fm.SGD(0.1))  # fmt: skip
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    assert nets[0].optimizer_state is None


def test_a_failure_within_lbfgs_leaves_the_best_weights():
    net, seen = fm.Network([4, 5, 3], loss=fm.CustomLoss(failing_at(12, fail)), dtype="float64", seed=0), []
    with pytest.raises(KeyError, match="no such thing"):
        net.fit(X, Y, epochs=50, optimizer="lbfgs", callbacks=[lambda run: seen.append(run.network.params.copy())])
    np.testing.assert_array_equal(net.params, seen[-1])


def test_a_failure_elsewhere():
    for call in ("evaluate", "loss_and_gradients", "sample_gradients", "train_on_batch"):
        net = fm.Network([4, 3], loss=fm.CustomLoss(fail), seed=0)
        before = net.params.copy()
        with pytest.raises(KeyError, match="no such thing"):
            getattr(net, call)(X, Y)
        np.testing.assert_array_equal(net.params, before)


def test_divergence_is_not_blamed_on_the_function():
    net = fm.Network([4, 3], loss=fm.CustomLoss(squares), seed=0)
    with pytest.raises(fm.DivergedError):
        net.fit(X, Y, epochs=50, optimizer=fm.SGD(3e38))
    assert net.is_finite()


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (("squares",), TypeError, "function must be a callable (y_true, scores) -> (losses, gradient), got 'squares'"),
        ((squares, "sofmax"), ValueError, "output='sofmax' is unknown; did you mean 'softmax'?"),
    ],
)
def test_bad_settings(given, error, words):
    with pytest.raises(error, match=re.escape(words)):
        fm.CustomLoss(*given)


def test_it_compares_pickles_and_copies_but_is_not_saved(tmp_path):
    loss = fm.CustomLoss(squares)
    assert loss == fm.CustomLoss(squares) and loss != fm.CustomLoss(softmax_entropy) and "squares" in repr(loss)
    net = fm.Network([4, 3], loss=loss, seed=0)
    for other in (pickle.loads(pickle.dumps(net)), net.copy()):
        assert other.evaluate(X, Y) == net.evaluate(X, Y)
    with pytest.raises(ValueError, match="a CustomLoss is a function, which can't be saved; first give the network"):
        net.save(tmp_path / "net.safetensors")
    net.loss = fm.Loss("squared_error")
    net.save(tmp_path / "net.safetensors")


def normal(y_true, scores):
    """Negative log-likelihood of one number under a mean and a log-variance, without its constant."""
    mean, log_variance = scores[:, :1], scores[:, 1:]
    error, precision = mean - y_true, np.exp(-log_variance)
    losses = (log_variance + error**2 * precision)[:, 0] / 2
    return losses, np.hstack([error * precision, (1 - error**2 * precision) / 2])


def survival(y_true, scores):
    """Negative log-likelihood of a censored time under an exponential distribution; targets are time and seen."""
    expected = np.exp(scores) * y_true[:, :1]
    return (expected - y_true[:, 1:] * scores).sum(axis=1), expected - y_true[:, 1:]


TIMES = np.column_stack([RNG.exponential(1.0, 50), RNG.integers(0, 2, 50)])
WIDTHS = {"narrower": (normal, 2, 1, Y[:, :1]), "wider": (survival, 1, 2, TIMES)}


def with_width(kind, *between, dtype="float64"):
    function, n_outputs, width, _ = WIDTHS[kind]
    loss = fm.CustomLoss(function, target_width=width)
    net = fm.Network([fm.Input(4), fm.Dense(6, "tanh"), *between, fm.Dense(n_outputs)], loss=loss, dtype=dtype, seed=0)
    assert (net.n_outputs, net.n_targets) == (n_outputs, width)
    return net


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("between", [(), (fm.BatchNorm(),)], ids=["rows", "batch norm"])
@pytest.mark.parametrize("kind", WIDTHS)
def test_targets_of_another_width_than_the_outputs(kind, between, n_threads):
    function, y = WIDTHS[kind][0], WIDTHS[kind][3]
    net = with_width(kind, *between)
    scores = net.predict(X)
    losses = function(y, scores)[0]
    assert net.evaluate(X, y, sample_weight=WEIGHT, n_threads=n_threads)["loss"] == pytest.approx(
        np.average(losses, weights=WEIGHT), rel=1e-12
    )
    assert fm.check_gradients(net, X[:9], y[:9], WEIGHT[:9]) < 1e-7
    net.fit(X, y, epochs=40, batch_size=16, optimizer=fm.Adam(0.02), n_threads=n_threads, validation_data=(X, y))
    assert net.evaluate(X, y)["loss"] < losses.mean()
    net.train_on_batch(X, y)
    assert net.sample_gradients(X[:3], y[:3]).shape == (3, net.n_params) if not between else True


@pytest.mark.parametrize("kind", WIDTHS)
def test_targets_of_another_width_in_chunks_surfaces_and_whole_sets(kind):
    y, nets = WIDTHS[kind][3], [with_width(kind) for _ in range(2)]
    nets[0].fit(X, y, epochs=2, batch_size=10, shuffle=False)
    nets[1].fit(fm.Chunks([(X[:30], y[:30]), (X[30:], y[30:])]), epochs=2, batch_size=10, shuffle=False)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    surface = nets[0].cost_surface(X, y, [0, 1], [[nets[0].params[0]], [nets[0].params[1]]])
    assert surface[0, 0] == pytest.approx(nets[0].evaluate(X, y)["loss"], rel=1e-12)
    before = surface[0, 0]
    nets[0].fit(X, y, epochs=5, optimizer=fm.LBFGS())
    assert nets[0].evaluate(X, y)["loss"] < before
    twin = pickle.loads(pickle.dumps(nets[0])).copy().astype("float32")
    assert (twin.n_targets, twin.loss) == (nets[0].n_targets, nets[0].loss)


def test_columns_of_y_are_counted_by_the_loss():
    net = with_width("wider")
    for wrong in (TIMES[:, :1], TIMES[:, 0], np.hstack([TIMES, TIMES])):
        with pytest.raises(ValueError, match="y must have 2 columns, the target_width of the loss, got shape"):
            net.evaluate(X, wrong)
    net = with_width("narrower")
    assert net.evaluate(X, Y[:, 0]) == net.evaluate(X, Y[:, :1])
    with pytest.raises(ValueError, match="y must have 1 column, the target_width of the loss, got shape"):
        net.evaluate(X, Y[:, :2])
    with pytest.raises(ValueError, match="metrics='r2' needs one target for each output, got 1 targets for 2 outputs"):
        net.fit(X, Y[:, 0], validation_data=(X, Y[:, 0]), metrics=["r2"])
    with pytest.raises(ValueError, match="target_width must be"):
        fm.CustomLoss(normal, target_width=0)
    with pytest.raises(TypeError, match="target_width must be"):
        fm.CustomLoss(normal, target_width=1.5)


def test_another_loss_brings_its_own_number_of_targets():
    net = with_width("narrower")
    net.train_on_batch(X, Y[:, :1])
    net.loss = "squared_error"
    assert net.n_targets == 2
    net.train_on_batch(X, Y[:, :2])
    assert net.evaluate(X, Y[:, :2])["loss"] == pytest.approx(
        0.5 * np.mean(np.sum((net.predict(X) - Y[:, :2]) ** 2, axis=1)), rel=1e-12
    )
    with pytest.raises(ValueError, match="needs the output activation softmax"):
        net.loss = "cross_entropy"
    assert net.n_targets == 2


@pytest.mark.parametrize("fit", [
    lambda loss, X, y: fm.Network([2, 1], loss=loss, seed=0).fit(X, y),
    lambda loss, X, y: fm.Network([2, 1], loss=loss, seed=0).evaluate(X, y),
    lambda loss, X, y: fm.MLPRegressor(loss, (3,)).fit(X, y),
    lambda loss, X, y: fm.MLPRegressor(loss, (3,), solver="lbfgs").fit(X, y),
], ids=["fit", "evaluate", "estimator", "lbfgs"])  # fmt: skip
def test_a_function_for_other_outputs_than_there_are_gets_an_error_with_the_shapes(fit):
    def of_two_outputs(y_true, scores):
        error = scores[:, 0] - y_true[:, 0]
        return error**2 + scores[:, 1] ** 2, 2 * np.column_stack([error, scores[:, 1]])

    X = np.random.default_rng(0).normal(size=(20, 2))
    words = (
        r"loss must be a function of y_true \(\d+, 1\) and scores \(\d+, 1\) here, got IndexError.*each column of y$"
    )
    with pytest.raises(ValueError, match=words) as caught:
        fit(fm.CustomLoss(of_two_outputs), X, X[:, 0])
    assert isinstance(caught.value.__cause__, IndexError)
