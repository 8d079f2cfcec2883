"""Every update rule against the twin's training loop; decay, the direct update of plain SGD, L-BFGS."""

import tracemalloc

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.optimizers import OPTIMIZERS, Optimizer

DECAYS = {"weight_decay": 0.02, "l1_decay": 0.01}
RULES = {  # the optimizer, and the twin's arguments for it
    "sgd": (fm.SGD(0.3), {"lr": 0.3}),
    "sgd_decay": (fm.SGD(0.3, **DECAYS), {"lr": 0.3, **DECAYS}),
    "sgd_l2": (fm.SGD(0.3, weight_decay=0.02), {"lr": 0.3, "weight_decay": 0.02}),
    "momentum": (
        fm.SGD(0.1, momentum=0.9, weight_decay=0.02),
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.02},
    ),
    "nesterov": (
        fm.SGD(0.1, momentum=0.9, nesterov=True, l1_decay=0.01),
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "l1_decay": 0.01},
    ),
    "rmsprop": (fm.RMSprop(), {"rule": "rmsprop"}),
    "rmsprop_all": (
        fm.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-3, **DECAYS),
        {"rule": "rmsprop", "lr": 0.01, "rho": 0.8, "momentum": 0.5, "eps": 1e-3, **DECAYS},
    ),
    "adagrad": (fm.Adagrad(), {"rule": "adagrad"}),
    "adagrad_all": (
        fm.Adagrad(0.1, epsilon=1e-3, **DECAYS),
        {"rule": "adagrad", "lr": 0.1, "eps": 1e-3, **DECAYS},
    ),
    "rprop": (fm.Rprop(), {"rule": "rprop"}),
    "rprop_all": (fm.Rprop(0.1, **DECAYS), {"rule": "rprop", "lr": 0.1, **DECAYS}),
    "schedules": (
        fm.SGD(fm.StepDecay(0.3, every=5), fm.Exponential(0.9, 0.5, 10), weight_decay=lambda k: 0.01 * k),
        {
            "lr": lambda k: 0.3 * 0.5 ** (k // 5),
            "momentum": lambda k: 0.9 * 0.5 ** (k / 10),
            "weight_decay": lambda k: 0.01 * k,
        },
    ),
    "adam_schedule": (
        fm.Adam(fm.Cosine(0.02, 20), epsilon=lambda k: 1e-3 * (k + 1)),
        {
            "rule": "adam",
            "lr": lambda k: 0.01 * (1 + np.cos(np.pi * min(k / 20, 1))),
            "eps": lambda k: 1e-3 * (k + 1),
        },
    ),
}
for name, kind in (("adam", fm.Adam), ("adamw", fm.AdamW), ("nadam", fm.NAdam)):
    RULES[name] = kind(), {"rule": name}
    RULES[f"{name}_all"] = (
        kind(0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3, **DECAYS),
        {"rule": name, "lr": 0.01, "b1": 0.8, "b2": 0.95, "eps": 1e-3, **DECAYS},
    )


def make_case(n=50, seed=0, norm=fm.LayerNorm):
    rng = np.random.default_rng(seed)
    layers = [fm.Input(4), fm.Dense(6, "tanh"), norm(), fm.Dense(5, "sigmoid"), fm.Dense(3)]
    net = shake(fm.Network(layers, loss="cross_entropy", dtype="float64", seed=seed), rng)
    return net, *make_samples("cross_entropy", rng, n, 4, 3)


def test_every_optimizer_has_a_case():
    assert {type(rule) for rule, _ in RULES.values()} | {fm.LBFGS, fm.LevenbergMarquardt} == set(OPTIMIZERS.values())


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("n", "batch_size", "epochs"), [(50, 16, 4), (1150, 600, 3)], ids=["small", "tiles"])
@pytest.mark.parametrize(("optimizer", "hyper"), RULES.values(), ids=RULES)
def test_training_equals_the_twin(optimizer, hyper, n, batch_size, epochs, n_threads):
    net, X, T, weight = make_case(n)
    twin = twin_of(net)
    history = net.fit(
        X, T, epochs=epochs, batch_size=batch_size, optimizer=optimizer, shuffle=False, sample_weight=weight,
        n_threads=n_threads,
    )  # fmt: skip
    losses = reference_training.train(twin, X, T, [np.arange(n)] * epochs, batch_size, **hyper, sample_weight=weight)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-10)
    assert relative_error(net.params, twin.flat()) < 1e-10


@pytest.mark.parametrize("optimizer", [rule for rule, _ in RULES.values()], ids=RULES)
def test_single_precision_follows_double(optimizer):
    net, X, T, weight = make_case()
    single = net.astype("float32")
    for each in (net, single):
        each.fit(X, T, epochs=2, batch_size=50, optimizer=optimizer, shuffle=False, sample_weight=weight)
    assert single.params.dtype == np.float32
    assert relative_error(single.params, net.params) < 1e-4


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "levenberg_marquardt"])
def test_every_rule_learns_and_can_be_named(name):
    net, X, T, _ = make_case()
    history = net.fit(X, T, epochs=60, batch_size=50, optimizer=name)
    assert history["loss"][-1] < history["loss"][0] - 1e-3


def test_the_default_is_adam():
    nets = [make_case()[0] for _ in range(2)]
    _, X, T, _ = make_case()
    for net, optimizer in zip(nets, (None, fm.Adam(0.001)), strict=True):
        net.fit(X, T, epochs=2, optimizer=optimizer)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


# --- Decay ---


@pytest.mark.parametrize("decay", ["weight_decay", "l1_decay"])
@pytest.mark.parametrize("name", [n for n, rule in OPTIMIZERS.items() if issubclass(rule, Optimizer)])
def test_only_weights_decay(name, decay):
    """With a gradient of exactly 0, a step moves every weight towards 0 and changes nothing else."""
    net, X, _, _ = make_case()
    still = fm.Network([fm.Input(4), *net.layers[:-1], fm.Dense(3, "identity")], dtype="float64")
    still.params[:] = net.params
    before, n_weights = still.params.copy(), sum(W.size for W in still.weights)
    optimizer = OPTIMIZERS[name](learning_rate=1e-4, **{decay: 0.5})
    still.fit(X, still.predict(X), epochs=1, batch_size=50, optimizer=optimizer, shuffle=False, n_threads=1)
    np.testing.assert_array_equal(still.params[n_weights:], before[n_weights:])
    assert (np.abs(still.params[:n_weights]) < np.abs(before[:n_weights])).all()


# --- Plain descent directly into the weights ---


@pytest.mark.parametrize(
    "norms",
    [(), (fm.LayerNorm(),), (fm.BatchNorm(),), (fm.BatchNorm(), fm.Dropout(0.4), fm.LayerNorm())],
    ids=["plain", "layer_norm", "batch_norm", "all"],
)
def test_the_direct_update_is_the_same_step(norms):
    """A momentum that is a function (with value 0), or an L1 decay of 0, uses a gradient array instead."""
    rng = np.random.default_rng(3)
    X, T, weight = make_samples("squared_error", rng, 70, 4, 2)
    ways = [fm.SGD(0.1, weight_decay=0.03), fm.SGD(0.1, momentum=lambda step: 0.0, weight_decay=0.03)]
    ways += [fm.SGD(0.1, l1_decay=lambda step: 0.0, weight_decay=0.03)]
    assert [way.is_plain() for way in ways] == [True, False, False]
    results = []
    for way in ways:
        layers = [fm.Input(4), fm.Dense(8, "tanh"), *norms, fm.Dense(6, "tanh"), fm.Dense(2)]
        net = fm.Network(layers, dtype="float64", seed=4)
        history = net.fit(X, T, epochs=3, batch_size=32, optimizer=way, sample_weight=weight, n_threads=1)
        results.append(np.concatenate([net.params, history["loss"]]))
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=1e-12, atol=1e-14)


# --- Rprop with backtracking ---


def rprop_case(n_hidden=6):
    rng = np.random.default_rng(9)
    layers = [fm.Input(4), fm.Dense(n_hidden, "tanh"), fm.Dense(2)]
    net = shake(fm.Network(layers, dtype="float64", seed=9), rng)
    return net, *make_samples("squared_error", rng, 50, 4, 2)


@pytest.mark.parametrize(("n_hidden", "n"), [(6, 50), (300, 3), (6, 1150)], ids=["small", "wide", "tiles"])
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_backtracking_rprop_equals_the_twin(n_hidden, n, alpha, n_threads):
    net, X, T, weight = rprop_case(n_hidden)
    X, T, weight = (np.resize(array, (n, *array.shape[1:])) for array in (X, T, weight))
    twin, without = twin_of(net), net.copy()
    arguments = {"batch_size": n, "sample_weight": weight, "n_threads": n_threads, "alpha": alpha}
    history = net.fit(X, T, epochs=25, optimizer=fm.Rprop(1.0, weight_decay=0.001, backtrack=True), **arguments)
    losses = reference_training.train(
        twin, X, T, [np.arange(n)] * 25, n, rule="rprop_plus", lr=1.0, weight_decay=0.001, alpha=alpha,
        sample_weight=weight,
    )  # fmt: skip
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-9)
    assert relative_error(net.params, twin.flat()) < 1e-9
    without.fit(X, T, epochs=25, optimizer=fm.Rprop(1.0, weight_decay=0.001), **arguments)
    assert relative_error(without.params, net.params) > 1e-3, "no step was taken back"


def test_backtracking_goes_on_from_the_last_loss():
    nets = [rprop_case()[0] for _ in range(2)]
    _, X, T, _ = rprop_case()
    optimizer = fm.Rprop(0.3, backtrack=True)
    nets[0].fit(X, T, epochs=20, batch_size=50, optimizer=optimizer)
    for _ in range(20):
        nets[1].fit(X, T, epochs=1, batch_size=50, optimizer=optimizer, warm_start=True)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@given(st.floats(1e-6, 10.0), st.floats(0, 1), st.sampled_from(["float32", "float64"]))
@settings(max_examples=25)
def test_backtracking_with_any_step_size(learning_rate, weight_decay, dtype):
    net, X, T, _ = rprop_case()
    twin, net = twin_of(net), net.astype(dtype)
    optimizer = fm.Rprop(learning_rate, weight_decay=weight_decay, backtrack=True)
    net.fit(X, T, epochs=3, batch_size=50, optimizer=optimizer)
    hyper = {"lr": learning_rate, "weight_decay": weight_decay}
    reference_training.train(twin, X, T, [np.arange(50)] * 3, 50, rule="rprop_plus", **hyper)
    if dtype == "float64":
        assert relative_error(net.params, twin.flat()) < 1e-9
    assert net.is_finite()


def test_backtracking_needs_all_samples_in_a_batch():
    net, X, T, _ = rprop_case()
    before = net.params.copy()
    with pytest.raises(ValueError, match="batch_size must be at least the number of samples, 50, for Rprop.* got 32"):
        net.fit(X, T, optimizer=fm.Rprop(backtrack=True))
    np.testing.assert_array_equal(net.params, before)
    net.fit(X, T, epochs=1, batch_size=1000, optimizer=fm.Rprop(backtrack=True))
    with pytest.raises(TypeError, match="backtrack must be True or False, got 1"):
        fm.Rprop(backtrack=1)


# --- L-BFGS ---


def lbfgs_on_the_twin(twin, X, T, weight, decay, epochs):
    decaying = twin.decay_mask()

    def objective(w):
        twin.set_flat(w)
        loss, gradient = twin.loss(X, T, weight), twin.flat_gradient(X, T, weight)
        return loss + decay / 2 * (decaying * w**2).sum(), gradient + decay * decaying * w

    options = {"maxiter": epochs, "maxcor": 10, "ftol": 0.0, "gtol": 1e-6, "maxfun": 20 * epochs}
    result = minimize(objective, twin.flat(), jac=True, method="L-BFGS-B", options=options)
    twin.set_flat(result.x)


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_lbfgs_equals_scipy_on_the_twin(decay):
    net, X, T, weight = make_case()
    twin, start = twin_of(net), net.evaluate(X, T, sample_weight=weight)["loss"]
    history = net.fit(X, T, epochs=12, optimizer=fm.LBFGS(weight_decay=decay), sample_weight=weight)
    lbfgs_on_the_twin(twin, X, T, weight, decay, 12)
    assert relative_error(net.params, twin.flat()) < 1e-7
    assert len(history["loss"]) == 12
    assert history["loss"][-1] == pytest.approx(twin.loss(X, T, weight), rel=1e-9)
    assert history["loss"][0] < start
    if not decay:
        assert (np.diff(history["loss"]) < 0).all()


def test_lbfgs_finds_the_least_squares():
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    net = fm.Network([3, 1], dtype="float64", seed=0)
    history = net.fit(X, y, epochs=100, optimizer=fm.LBFGS(tolerance=1e-10))
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(40)]), y, rcond=None)[0]
    np.testing.assert_allclose(net.params, expected, rtol=1e-7)
    assert len(history["loss"]) < 100
    assert "L-BFGS" in history.stop_reason


def test_lbfgs_in_single_precision_still_descends():
    net, X, T, _ = make_case()
    history = net.astype("float32").fit(X, T, epochs=8, optimizer="lbfgs")
    assert history["loss"][-1] < history["loss"][0]


# --- Invalid settings ---


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fm.SGD(-0.1), ValueError, "learning_rate must be a finite number with 0.0 <= learning_rate"),
        (lambda: fm.SGD("fast"), TypeError, "learning_rate must be a number or a function of the step, got str"),
        (lambda: fm.SGD(0.1, momentum=1.0), ValueError, "momentum must be .*momentum < 1.0"),
        (lambda: fm.SGD(0.1, nesterov=True), ValueError, "nesterov=True needs a momentum"),
        (lambda: fm.Adam(beta_2=1.0), ValueError, "beta_2"),
        (lambda: fm.Adam(epsilon=0), ValueError, "epsilon"),
        (lambda: fm.RMSprop(rho=-0.1), ValueError, "rho"),
        (lambda: fm.Adagrad(weight_decay=np.nan), ValueError, "weight_decay"),
        (lambda: fm.Rprop(0.0), ValueError, "learning_rate"),
        (lambda: fm.LBFGS(memory=0), ValueError, "memory"),
        (lambda: fm.Network([2, 1]).fit([[1, 2]], [1], optimizer="adamm"), ValueError, "did you mean 'adam'"),
        (lambda: fm.Network([2, 1]).fit([[1, 2]], [1], optimizer=0.1), TypeError, "optimizer must be a name or"),
    ],
)
def test_bad_hyper_values(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_lbfgs_refuses_a_batch_norm():
    net, X, T, _ = make_case(norm=fm.BatchNorm)
    before = net.params.copy()
    with pytest.raises(ValueError, match="LBFGS cannot train a network with BatchNorm"):
        net.fit(X, T, optimizer="lbfgs")
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.SGD(0.1, momentum=0.5), fm.RMSprop(), fm.Adagrad(), fm.Rprop()])
def test_a_constant_table_has_the_same_row_for_every_step(optimizer):
    assert optimizer.is_constant()
    assert len(np.unique(optimizer.steps(np.arange(5000)))) == 1


@pytest.mark.parametrize("optimizer", [fm.SGD(lambda step: 0.1), fm.RMSprop(epsilon=lambda step: 1e-8), fm.Adam()])
def test_other_tables_are_not_constant(optimizer):
    assert not optimizer.is_constant()


@pytest.mark.parametrize(
    ("rates", "same"), [((0.01, lambda step: 0.01), True), ((0.01, lambda step: 0.01 + 1e-5 * (step > 4200)), False)]
)
def test_hyper_values_are_read_anew_when_the_table_of_steps_is_used_up(rates, same):
    X, y = np.random.default_rng(0).normal(size=(45, 3)), np.arange(45.0)
    ends = []
    for rate in rates:
        net = fm.Network([3, 4, 1], activation="tanh", seed=0)
        net.fit(X, y, epochs=100, batch_size=1, optimizer=fm.SGD(rate))
        ends.append(net.params)
    assert np.array_equal(*ends) == same


DEFAULTS = [
    "SGD(learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=0.0, l1_decay=0.0)",
    "RMSprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-08, weight_decay=0.0, l1_decay=0.0)",
    "Adagrad(learning_rate=0.01, epsilon=1e-10, weight_decay=0.0, l1_decay=0.0)",
    "Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.0, l1_decay=0.0)",
    "AdamW(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.01, l1_decay=0.0)",
    "NAdam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.0, l1_decay=0.0)",
    "Rprop(learning_rate=0.01, weight_decay=0.0, l1_decay=0.0, backtrack=False)",
    "LBFGS(tolerance=1e-06, memory=10, max_evaluations=20, weight_decay=0.0)",
    "LevenbergMarquardt(damping=0.001, tolerance=1e-08, max_params=4000, weight_decay=0.0)",
]


@pytest.mark.parametrize("text", DEFAULTS)
def test_defaults_are_those_promised_and_nothing_can_be_changed(text):
    optimizer = getattr(fm, text.partition("(")[0])()
    assert repr(optimizer) == text
    with pytest.raises(AttributeError):
        optimizer.weight_decay = 0.5


@pytest.mark.parametrize(("optimizer", "n_slots"), [
    (fm.SGD(momentum=0.5), 1), (fm.RMSprop(), 2), (fm.Adagrad(), 1), (fm.Adam(), 2), (fm.NAdam(), 2), (fm.Rprop(), 2),
    (fm.Rprop(backtrack=True), 3),
])  # fmt: skip
def test_no_more_is_kept_than_the_rule_needs(optimizer, n_slots):
    assert optimizer.initial_state(7, np.dtype("float32")).shape == (n_slots, 7)


RANGES = {
    fm.RMSprop: [{"momentum": 1.0}, {"rho": 1.0}, {"rho": -0.1}, {"epsilon": 0.0}],
    fm.Adagrad: [{"epsilon": 0.0}, {"epsilon": -0.5}],
    fm.LevenbergMarquardt: [{"damping": 0.0}, {"weight_decay": -0.5}],
    fm.LBFGS: [{"weight_decay": -0.5}],
    fm.Adam: [{"beta_1": 1.0}, {"beta_2": 1.0}, {"beta_2": -0.1}],
    fm.NAdam: [{"epsilon": 0.0}],
}


@pytest.mark.parametrize(("kind", "given"), [(kind, given) for kind, each in RANGES.items() for given in each])
def test_every_setting_has_its_range(kind, given):
    name = next(iter(given))
    kind(**{name: 0.5})
    with pytest.raises(ValueError, match=f"^{name} must be a finite number with 0.0 <=? {name}"):
        kind(**given)


def test_a_damping_is_no_schedule():
    with pytest.raises(TypeError, match="damping must be a number, got Constant"):
        fm.LevenbergMarquardt(damping=fm.Constant(0.5))


def nadam_by_multiplying(beta_1, numbers):
    """Corrections of the first moment and of the gradient, from the product of all momenta, in long double."""
    momenta = beta_1 * (1 - 0.5 * 0.96 ** (np.arange(1, numbers[-1] + 3, dtype=np.longdouble) * 0.004))
    products = np.cumprod(momenta)
    return (1 - products[numbers + 1]) / momenta[numbers + 1], (1 - momenta[numbers]) / (1 - products[numbers])


@pytest.mark.parametrize("beta_1", [0.3, 0.9, 0.999, 0.99999, 1 - 1e-9])
@pytest.mark.parametrize("first", [0, 2**14 - 5, 40_000])
def test_the_corrections_of_nadam_are_those_of_the_product_of_all_momenta(beta_1, first):
    numbers = first + np.arange(10)
    table = fm.NAdam(beta_1=beta_1).steps(numbers)
    for name, expected in zip(("correction_1", "correction_3"), nadam_by_multiplying(beta_1, numbers), strict=True):
        np.testing.assert_allclose(table[name], expected.astype(float), rtol=1e-11)


def test_nadam_without_momentum_is_rmsprop_with_a_corrected_mean():
    """Its first moment counts for nothing, and dividing it by infinity warns of nothing."""
    table = fm.NAdam(beta_1=0.0).steps(np.arange(3))
    assert np.isinf(table["correction_1"]).all() and (table["correction_3"] == 1).all()


@pytest.mark.parametrize("number", [3 * 10**7, 2**62])
@pytest.mark.parametrize("optimizer", [fm.Adam(), fm.AdamW(), fm.NAdam(), fm.NAdam(beta_1=1 - 1e-12)], ids=repr)
def test_the_memory_for_a_late_step_is_that_for_an_early_one(optimizer, number):
    optimizer.steps(np.arange(10))
    tracemalloc.start()
    table = optimizer.steps(number + np.arange(256))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000 and all(np.isfinite(table[name]).all() for name in ("learning_rate", "correction_1"))
    if optimizer == fm.NAdam():
        np.testing.assert_allclose(table["correction_1"], 1 / 0.9, rtol=1e-15)
        np.testing.assert_allclose(table["correction_3"], 0.1, rtol=1e-14)


@pytest.mark.parametrize("rule", [fm.RMSprop, fm.Adagrad, fm.Adam, fm.AdamW, fm.NAdam])
@pytest.mark.parametrize("epsilon", [1e-50, 1e-40, fm.Exponential(1e-8, rate=1e-4, every=1)], ids=repr)
def test_an_epsilon_that_the_dtype_cannot_hold_is_refused_and_not_blamed_on_the_learning_rate(rule, epsilon):
    X, y = np.zeros((4, 2)), np.ones(4)  # a weight with gradients of 0
    options = {"epochs": 10, "optimizer": rule(epsilon=epsilon)}
    net = fm.Network([2, 1], seed=0)
    before = net.params.copy()
    words = "epsilon at step [0-9]+ must be at least 1.18e-38, the smallest normal number of float32, got 1e-"
    with pytest.raises(ValueError, match=words):
        net.fit(X, y, **options)
    if not callable(epsilon):
        with pytest.raises(ValueError, match=words):
            net.apply_gradient(np.zeros(3), optimizer=options["optimizer"])
        with pytest.raises(ValueError, match=words):
            net.train_on_batch(X, y, optimizer=options["optimizer"])
    np.testing.assert_array_equal(net.params, before)
    wide = fm.Network([2, 1], dtype="float64", seed=0)
    wide.fit(X, y, **options)
    assert wide.is_finite()


@pytest.mark.parametrize("weight", [0.0, 1e-44, 1e-60, 1e-320])
@pytest.mark.parametrize("rule", [fm.SGD(0.1), fm.SGD(0.1, momentum=0.9), fm.Adam(0.1)], ids=repr)
def test_a_batch_of_hardly_any_weight_changes_nothing(rule, weight):
    """As one of weight 0: its mean gradient is out of float32's range."""
    X, y = np.ones((8, 2)), np.ones(8)
    results = []
    for little in (weight, 0.0):
        net = fm.Network([2, 3, 1], seed=0)
        weights = np.repeat([1.0, little], 4)
        net.fit(X, y, epochs=3, batch_size=4, shuffle=False, optimizer=rule, sample_weight=weights)
        results.append(net.params)
    np.testing.assert_array_equal(*results)
