"""A step in two halves, gradient and update, equals the step that the core makes in one."""

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 5)), RNG.normal(size=(40, 2))
WEIGHT = RNG.uniform(0.5, 2, size=40)
OPTIMIZERS = {
    "sgd": fm.SGD(0.05), "momentum": fm.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": fm.RMSprop(),
    "adagrad": fm.Adagrad(), "adam": fm.Adam(fm.Cosine(0.02, n_steps=6)), "adamw": fm.AdamW(0.01, weight_decay=0.1),
    "nadam": fm.NAdam(), "rprop": fm.Rprop(0.01),
}  # fmt: skip
BETWEEN = {
    "plain": (),
    "batch_norm": (fm.BatchNorm(),),
    "layer_norm": (fm.LayerNorm(),),
    "parametric": (fm.Activation("silu", parametric=True, parametric_learning_rate_factor=0.3),),
    "frozen": (fm.Dense(4, "tanh", trainable=False),),
    "factor": (fm.Dense(4, "tanh", learning_rate_factor=0.2),),
}


def network(between=(), dtype="float64", **more):
    return fm.Network([5, 8, *between, fm.Dense(2)], activation="tanh", dtype=dtype, seed=1, **{"loss": "mse"} | more)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_both_halves_make_the_step_of_train_on_batch(optimizer, between, dtype):
    rule, ours, theirs = OPTIMIZERS[optimizer], *(network(BETWEEN[between], dtype) for _ in range(2))
    for _ in range(6):
        ours.apply_gradient(ours.gradient(X, Y, sample_weight=WEIGHT), rule)
        theirs.train_on_batch(X, Y, sample_weight=WEIGHT, optimizer=rule)
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(ours.params, theirs.params, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours.statistics, theirs.statistics, rtol=1e-5)
    assert ours.optimizer_state.n_steps == theirs.optimizer_state.n_steps == 6
    if optimizer != "sgd" and between != "batch_norm":  # plain descent adds up in another order
        np.testing.assert_array_equal(ours.params, theirs.params)


def test_either_way_goes_on_from_the_other():
    ours, theirs = network(), network()
    for i in range(6):
        if i % 2:
            ours.apply_gradient(ours.gradient(X, Y))
        else:
            ours.train_on_batch(X, Y)
        theirs.train_on_batch(X, Y)
    np.testing.assert_array_equal(ours.params, theirs.params)
    ours.fit(X, Y, epochs=2, batch_size=40, warm_start=True)
    theirs.fit(X, Y, epochs=2, batch_size=40, warm_start=True)
    np.testing.assert_array_equal(ours.params, theirs.params)


def test_the_gradient_is_that_of_training():
    smooth = fm.Loss("cross_entropy", label_smoothing=0.2)
    net = fm.Network([5, 8, 3], loss=smooth, dtype="float64", seed=2)
    labels = np.arange(40) % 3
    before = net.params.copy()
    gradient = net.gradient(X, labels, class_weight={0: 1, 1: 2, 2: 3})
    np.testing.assert_array_equal(net.params, before)
    targets = np.eye(3)[labels] * 0.8 + 0.2 / 3
    expected = net.loss_and_flat_gradient(X, targets, sample_weight=1.0 + labels)[1]
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("rate", [0.5, fm.Cosine(0.5, n_steps=100)], ids=["number", "schedule"])
def test_dropout_is_on_and_its_masks_are_new_each_time(rate):
    net, again = (network([fm.Dropout(rate)]) for _ in range(2))
    first, second = net.gradient(X, Y), net.gradient(X, Y)
    assert (first != second).any()
    np.testing.assert_array_equal(first, again.gradient(X, Y))
    mean = np.mean([net.gradient(X, Y) for _ in range(300)], axis=0)
    off = net.loss_and_flat_gradient(X, Y)[1]
    assert np.abs(mean - off)[-2:].max() < 0.3  # the output's biases: their gradient is the mean error


def test_a_schedule_of_the_rate_is_that_of_the_step():
    net = network([fm.Dropout(lambda step: 0.0 if step == 0 else 0.9)])
    np.testing.assert_array_equal(net.gradient(X, Y), net.loss_and_flat_gradient(X, Y)[1])
    net.train_on_batch(X, Y)
    assert (net.gradient(X, Y) != net.loss_and_flat_gradient(X, Y)[1]).any()


def test_running_statistics_take_one_step():
    net, fitted = network([fm.BatchNorm(0.5)]), network([fm.BatchNorm(0.5)])
    net.gradient(X, Y)
    fitted.fit(X, Y, epochs=1, batch_size=40, optimizer=fm.SGD(0.0))
    np.testing.assert_array_equal(net.statistics, fitted.statistics)


def test_frozen_layers_have_no_gradient():
    net = network([fm.Dense(4, trainable=False)])
    gradient = net.gradient(X, Y)
    factors = net.layout.per_parameter("learning_rate_factor")
    assert (gradient[factors == 0] == 0).all()
    assert (gradient[factors > 0] != 0).all()
    before = net.params.copy()
    net.apply_gradient(np.ones(net.n_params), fm.SGD(0.1))
    np.testing.assert_allclose(before - net.params, 0.1 * factors)


def test_what_is_passed_is_left_alone():
    net = network()
    gradient = np.full(net.n_params, 0.1)
    net.apply_gradient(gradient, fm.SGD(0.1, weight_decay=0.5))
    assert (gradient == 0.1).all()


BAD = [
    ((np.zeros(3),), ValueError, r"gradient must have 66 elements, as params has, got 3"),
    ((np.full(66, np.nan),), ValueError, "gradient must be finite, got nan in row 0"),
    ((np.zeros((66, 1)),), ValueError, "gradient must have 1 dimension"),
    (("text",), TypeError, "gradient must hold numbers"),
    ((np.zeros(66), fm.LBFGS()), ValueError, "needs only the gradient"),
    ((np.zeros(66), fm.Rprop(backtrack=True)), ValueError, "needs only the gradient"),
    ((np.zeros(66), "adamm"), ValueError, "did you mean 'adam'"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), BAD, ids=[words[:30] for _, _, words in BAD])
def test_what_does_not_fit_is_refused(arguments, error, words):
    net = network()
    before = net.params.copy()
    with pytest.raises(error, match=words):
        net.apply_gradient(*arguments)
    np.testing.assert_array_equal(net.params, before)
    assert net.optimizer_state is None


def test_a_gradient_beyond_float32_is_refused():
    net = network(dtype="float32")
    with pytest.raises(ValueError, match="gradient holds numbers too large for float32"):
        net.apply_gradient(np.full(net.n_params, 1e300))


def test_an_update_that_overflows_is_taken_back():
    net = network(dtype="float32")
    before = net.params.copy()
    with pytest.raises(fm.DivergedError, match="learning rate that is too large"):
        net.apply_gradient(np.full(net.n_params, 1e30), fm.SGD(1e30))
    np.testing.assert_array_equal(net.params, before)
    assert net.optimizer_state is None


def test_a_network_of_frozen_layers_has_no_step():
    net = fm.Network([fm.Input(5), fm.Dense(2, trainable=False)])
    with pytest.raises(ValueError, match="must have a layer that learns, got only frozen ones"):
        net.gradient(X, Y)


def test_both_are_under_the_guard():
    net = network()

    class Nested(fm.Callback):
        def on_epoch_end(self, run):
            for call in (lambda: run.network.gradient(X, Y), lambda: run.network.apply_gradient(np.zeros(66))):
                with pytest.raises(RuntimeError, match="already being trained"):
                    call()

    net.fit(X, Y, epochs=1, callbacks=Nested())


def test_a_loss_that_fails_leaves_the_running_statistics_alone():
    def fails(targets, scores):
        raise LookupError("no loss")

    net = network([fm.BatchNorm()], loss=fm.CustomLoss(fails))
    before = net.statistics.copy()
    with pytest.raises(LookupError, match="no loss"):
        net.gradient(X, Y)
    np.testing.assert_array_equal(net.statistics, before)
