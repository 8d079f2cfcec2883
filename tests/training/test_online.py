"""Training that goes on: fit(warm_start=True), train_on_batch, and the optimizer's state between them."""

import copy
import pickle

import numpy as np
import pytest
import reference_training as training
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from labels import short
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.model.state import OptimizerState

RNG = np.random.default_rng(4)
X = RNG.normal(size=(24, 3))
Y = np.sin(X.sum(axis=1))
LABELS = RNG.integers(0, 3, size=24)
RULES = {
    "sgd": (fm.SGD(0.1), {"lr": 0.1}),
    "momentum": (fm.SGD(fm.StepDecay(0.1, every=5), momentum=0.9), {"lr": fm.StepDecay(0.1, every=5), "momentum": 0.9}),
    "nesterov": (fm.SGD(0.05, momentum=0.8, nesterov=True), {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "rmsprop": (fm.RMSprop(0.01, momentum=0.5), {"lr": 0.01, "momentum": 0.5}),
    "adagrad": (fm.Adagrad(0.1), {"lr": 0.1}),
    "adam": (fm.Adam(0.02, weight_decay=0.1), {"lr": 0.02, "weight_decay": 0.1}),
    "adamw": (fm.AdamW(0.02), {"lr": 0.02}),
    "nadam": (fm.NAdam(fm.Cosine(0.02, 15)), {"lr": fm.Cosine(0.02, 15)}),
    "rprop": (fm.Rprop(0.02), {"lr": 0.02}),
}


def network(**settings):
    layers = [3, fm.Dense(5, "tanh"), 1]
    return shake(fm.Network(layers, **({"dtype": "float64", "seed": 0} | settings)), np.random.default_rng(1))


def everything(net):
    state = net.optimizer_state
    vectors = None if state is None or state.vectors is None else state.vectors.tobytes()
    kept = None if state is None else (state.rule, vectors, state.n_steps)
    return net.params.tobytes(), net.statistics.tobytes(), kept


def batches(size):
    return [slice(start, start + size) for start in range(0, 24, size)]


@pytest.mark.parametrize("name", RULES)
def test_batches_and_fits_in_turn_are_the_path_of_the_twin(name):
    """Two batches, two epochs of four, three batches: one path, with one run of momenta, corrections and schedules."""
    optimizer, hyper = RULES[name]
    rule = name if name in training.RULES else "sgd"
    net = network()
    twin, kept = twin_of(net), {}
    T = Y[:, None]
    got, expected = [], []
    for rows in batches(12):
        got.append(net.train_on_batch(X[rows], Y[rows], optimizer=optimizer))
        expected += [*training.train(twin, X[rows], T[rows], [np.arange(12)], 12, rule, kept=kept, **hyper)]
    got += [*net.fit(X, Y, epochs=2, batch_size=6, optimizer=optimizer, shuffle=False, warm_start=True)["loss"]]
    expected += [*training.train(twin, X, T, [np.arange(24)] * 2, 6, rule, kept=kept, **hyper)]
    for rows in batches(8):
        got.append(net.train_on_batch(X[rows], Y[rows], optimizer=optimizer))
        expected += [*training.train(twin, X[rows], T[rows], [np.arange(8)], 8, rule, kept=kept, **hyper)]
    np.testing.assert_allclose(got, expected, rtol=1e-11)
    assert relative_error(net.params, twin.flat()) < 1e-10
    assert net.optimizer_state.n_steps == kept["step"] == 13


@given(
    rule=st.sampled_from(sorted(RULES)),
    epochs=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    batch_size=st.integers(1, 30),
    dtype=st.sampled_from(["float32", "float64"]),
    n_threads=st.sampled_from([1, 2]),
)
def test_fits_that_go_on_have_the_bits_of_one_fit(rule, epochs, batch_size, dtype, n_threads):
    settings = {"batch_size": batch_size, "optimizer": RULES[rule][0], "shuffle": False, "n_threads": n_threads}
    once, parts = network(dtype=dtype), network(dtype=dtype)
    whole = once.fit(X, Y, epochs=sum(epochs), warm_start=True, **settings)
    losses = [parts.fit(X, Y, epochs=n, warm_start=True, **settings)["loss"] for n in epochs]
    np.testing.assert_array_equal(np.concatenate(losses), whole["loss"])
    assert everything(parts) == everything(once)
    plain = network(dtype=dtype)
    plain.fit(X, Y, epochs=sum(epochs), **settings)
    assert plain.params.tobytes() == once.params.tobytes()
    assert plain.optimizer_state is None


@given(
    rule=st.sampled_from(sorted(RULES)),
    size=st.integers(1, 24),
    weighted=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_batches_have_the_path_of_an_epoch(rule, size, weighted, dtype):
    weight = np.linspace(0.5, 2.0, 24) if weighted else np.ones(24)
    fitted, stepped = network(dtype=dtype), network(dtype=dtype)
    optimizer = RULES[rule][0]
    history = fitted.fit(
        X, Y, epochs=1, batch_size=size, optimizer=optimizer, shuffle=False, warm_start=True,
        sample_weight=weight if weighted else None,
    )  # fmt: skip
    losses = [
        stepped.train_on_batch(X[rows], Y[rows], optimizer=optimizer, sample_weight=weight[rows] if weighted else None)
        for rows in batches(size)
    ]
    close = 1e-10 if dtype == "float64" else 1e-4
    assert relative_error(stepped.params, fitted.params) < close
    shares = [weight[rows].sum() for rows in batches(size)]
    assert np.average(losses, weights=shares) == pytest.approx(history["loss"][0], rel=close)
    assert stepped.optimizer_state.n_steps == fitted.optimizer_state.n_steps == len(losses)


def test_a_cold_fit_begins_afresh_and_leaves_the_kept_state_alone():
    net, fresh = network(), network()
    net.train_on_batch(X, Y)
    before = everything(net)[2]
    fresh.params = net.params
    for each in (net, fresh):
        each.fit(X, Y, epochs=2, batch_size=8, shuffle=False)
    assert net.params.tobytes() == fresh.params.tobytes()
    assert everything(net)[2] == before


@pytest.mark.parametrize(
    ("first", "second", "goes_on"),
    [
        (fm.Adam(0.1), fm.Adam(0.2, beta_1=0.8), True),
        (fm.SGD(0.1, momentum=0.9), fm.SGD(0.2, momentum=0.5, nesterov=True), True),
        (fm.SGD(0.1), fm.SGD(fm.Cosine(0.1, 9)), True),
        (fm.SGD(0.1), fm.SGD(0.1, momentum=0.9), False),
        (fm.SGD(0.1, momentum=0.9), fm.SGD(0.1), False),
        (fm.Adam(), fm.AdamW(), False),
        (fm.Adam(), fm.RMSprop(), False),
    ],
    ids=repr,
)
@pytest.mark.parametrize("warm_fit", [False, True])
def test_another_rule_begins_afresh(first, second, goes_on, warm_fit):
    net, fresh = network(), network()
    net.train_on_batch(X, Y, optimizer=first)
    fresh.params = net.params
    for each in (net, fresh):
        if warm_fit:
            each.fit(X, Y, epochs=1, batch_size=24, optimizer=second, warm_start=True)
        else:
            each.train_on_batch(X, Y, optimizer=second)
    assert net.optimizer_state.n_steps == 1 + goes_on
    if not goes_on:
        assert everything(net) == everything(fresh)


@pytest.mark.parametrize("duplicate", [fm.Network.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_go_on_by_themselves(duplicate):
    net = network()
    for _ in range(3):
        net.train_on_batch(X, Y)
    twin = duplicate(net)
    before = everything(twin)
    assert before == everything(net)
    net.train_on_batch(X, Y)
    assert everything(twin) == before
    assert twin.train_on_batch(X, Y) > 0
    assert everything(twin) == everything(net)


def test_another_dtype_takes_the_state_along_and_new_weights_forget_it():
    net = network()
    net.train_on_batch(X, Y)
    single = net.astype("float32")
    assert single.optimizer_state.vectors.dtype == np.float32
    np.testing.assert_allclose(single.optimizer_state.vectors, net.optimizer_state.vectors, rtol=1e-6)
    single.train_on_batch(X, Y)
    assert single.optimizer_state.n_steps == 2
    net.initialize()
    assert net.optimizer_state is None


def test_setting_the_state_to_none_begins_afresh():
    net, fresh = network(), network()
    net.train_on_batch(X, Y)
    net.optimizer_state = None
    fresh.params = net.params
    assert net.train_on_batch(X, Y) == fresh.train_on_batch(X, Y)
    assert everything(net) == everything(fresh)


def test_the_memory_of_a_batch_serves_the_next_of_its_size():
    net = network()
    net.train_on_batch(X, Y)
    ready = net._batch_trainer
    net.train_on_batch(X + 1, Y - 1, optimizer=fm.Adam(), sample_weight=np.ones(24))
    assert net._batch_trainer is ready
    net.train_on_batch(X[:8], Y[:8])
    assert net._batch_trainer is not ready


def test_what_changes_between_batches_is_seen():
    """Weights written by hand, samples in the same array, a fit, label smoothing: nothing old is used again."""
    net = network()
    samples, targets = X.copy(), Y.copy()
    for change in (
        lambda: net.params.__imul__(0.5),
        lambda: samples.__imul__(-2.0),
        lambda: targets.__iadd__(1.0),
        lambda: net.fit(X, Y, epochs=1),
        lambda: net.restore(network().snapshot()),
    ):
        change()
        expected = net.evaluate(samples, targets)["loss"]
        assert net.train_on_batch(samples, targets) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "csr", "mostly zeros"])
def test_batches_of_every_kind_of_input(kind):
    """In turn with dense float64 rows of the same size, so that the memory is used for both."""
    dense = RNG.integers(0, 256, size=(70, 64)).astype(float) * (RNG.random((70, 64)) < 0.2)
    given_as = scipy.sparse.csr_matrix(dense) if kind == "csr" else dense.astype("float64" if " " in kind else kind)
    labels = RNG.integers(0, 3, size=70)
    other = RNG.normal(size=(70, 64)) * 100
    nets = [fm.Network([fm.Input(64, scale=1 / 255), 4, 3], loss="cross_entropy", dtype="float64") for _ in range(2)]
    nets[1].params = nets[0].params
    for _ in range(3):
        losses = [net.train_on_batch(each, labels) for net, each in zip(nets, (given_as, dense), strict=True)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
        losses = [net.train_on_batch(other, labels) for net in nets]
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    assert relative_error(nets[0].params, nets[1].params) < 1e-10


def test_a_function_of_the_step_is_asked_when_its_batch_comes():
    rate, asked = 0.0, []

    def now(step):
        asked.append(step)
        return rate

    net, optimizer = network(), fm.SGD(now)
    before = net.params.copy()
    net.train_on_batch(X, Y, optimizer=optimizer)
    np.testing.assert_array_equal(net.params, before)
    rate = 0.1
    net.train_on_batch(X, Y, optimizer=optimizer)
    assert not np.array_equal(net.params, before)
    assert asked == [0, 1]


def test_schedules_go_on_beyond_what_was_worked_out_ahead():
    net, fitted = network(), network()
    optimizer = fm.NAdam(fm.Cosine(0.01, 700))
    for _ in range(600):
        net.train_on_batch(X, Y, optimizer=optimizer)
    fitted.fit(X, Y, epochs=600, batch_size=24, optimizer=optimizer)
    assert net.params.tobytes() == fitted.params.tobytes()


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam(), fm.SGD(0.1, momentum=0.5)], ids=repr)
def test_a_batch_that_diverges_leaves_the_network_as_it_was(optimizer):
    net = fm.Network([3, 5, fm.BatchNorm(), 1], dtype="float64", seed=0)
    net.train_on_batch(X, Y, optimizer=optimizer)
    net.params *= 0.9  # newer than anything that was kept
    before = everything(net)
    with pytest.raises(fm.DivergedError, match="the loss of this batch or a parameter after it is not finite"):
        net.train_on_batch(X, Y * 1e200, optimizer=optimizer)
    assert everything(net) == (*before[:2], None)
    assert np.isfinite(net.train_on_batch(X, Y, optimizer=optimizer))
    assert net.optimizer_state.n_steps == 1


def test_a_warm_fit_that_diverges_leaves_no_state():
    net = network()
    net.train_on_batch(X, Y)
    with pytest.raises(fm.DivergedError):
        net.fit(X, Y, epochs=30, optimizer=fm.Adam(lambda step: 0.01 if step < 5 else 1e300), warm_start=True)
    assert net.optimizer_state is None


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_a_warm_fit_that_ends_early_keeps_its_steps(error):
    def end(run):
        if run.epoch == 2:
            if error is not None:
                raise error
            run.stop("enough")

    net = network()
    settings = {"epochs": 9, "batch_size": 10, "callbacks": [end], "warm_start": True}
    if error is ZeroDivisionError:
        with pytest.raises(error):
            net.fit(X, Y, **settings)
    else:
        net.fit(X, Y, **settings)
    assert net.optimizer_state.n_steps == 9
    assert np.any(net.optimizer_state.vectors)


def test_lbfgs_begins_afresh_and_leaves_no_state():
    net, fresh = network(), network()
    net.optimizer_state = OptimizerState("Adam", np.ones((2, net.n_params)), 5)
    net.fit(X, Y, epochs=3, optimizer="lbfgs", warm_start=True)
    fresh.fit(X, Y, epochs=3, optimizer="lbfgs")
    assert everything(net) == everything(fresh)


BAD = [
    ({"X": X[:, :2]}, ValueError, "X must have 3 columns, got 2"),
    ({"X": X * np.nan}, ValueError, "X must be finite, got nan in row 0, column 0"),
    ({"y": Y[:5]}, ValueError, "X and y must have the same number of rows, got 24 and 5"),
    ({"sample_weight": -(Y**2)}, ValueError, "sample_weight must not be negative"),
    ({"class_weight": "balanced"}, ValueError, "class_weight needs a y with one class for each row"),
    ({"optimizer": "adm"}, ValueError, "optimizer='adm' is unknown; did you mean 'adam'?"),
    ({"optimizer": fm.LBFGS()}, ValueError, "optimizer must be one that updates by batches, got LBFGS("),
    ({"optimizer": fm.Adam(lambda step: None)}, TypeError, "learning_rate at step 1 must be a number, got NoneType"),
    ({"optimizer": fm.Adam(lambda step: np.nan)}, ValueError, "learning_rate at step 1 must be a finite number"),
]


@pytest.mark.parametrize(("given", "error", "words"), BAD, ids=short)
def test_bad_batches_are_refused_before_anything_changes(given, error, words):
    net = network()
    net.train_on_batch(X, Y)
    before = everything(net)
    with pytest.raises(error) as caught:
        net.train_on_batch(**({"X": X, "y": Y} | given))
    assert words in str(caught.value)
    assert everything(net) == before
    net.train_on_batch(X, Y)
    assert net.optimizer_state.n_steps == 2


def test_warm_start_is_a_flag():
    net = network()
    for value in (1, "yes", None):
        with pytest.raises(TypeError, match="warm_start must be True or False, got "):
            net.fit(X, Y, warm_start=value)


def test_a_refused_warm_fit_leaves_the_state():
    net = network()
    net.train_on_batch(X, Y)
    before = everything(net)
    with pytest.raises(ValueError, match="needs validation_data"):
        net.fit(X, Y, warm_start=True, callbacks=[fm.EarlyStopping(monitor="val_loss")])
    assert everything(net) == before
