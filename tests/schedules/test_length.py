"""Schedules that take their length from the fit: their values, the fits that give it, and the calls that can't."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, cross_validate

import fastmlp as fm
from fastmlp.persistence.plain_values import from_plain, to_plain

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(47, 3)), RNG.normal(size=(47, 2))
CLASSES = RNG.integers(0, 2, 47)


def cosine(high, low, n):
    """Half a cosine over n steps, the last of which has the value ``low``."""
    done = np.arange(n) / max(n - 1, 1)
    return low + (high - low) * (1 + np.cos(np.pi * done)) / 2


def one_cycle(n):
    done = np.arange(n) / max(n - 1, 1)
    falling = np.cos(np.pi / 2 * (np.clip(done, 0.3, 1) - 0.3) / 0.7) ** 2
    return np.where(done < 0.3, np.interp(done, [0, 0.3], [0.04, 1]), falling)


def four_waves(n):
    return np.sin(np.pi * np.log2(1 + 15 * np.arange(n) / max(n - 1, 1))) ** 2


def restarts(n, starts, low=0.0):
    """Cycles that begin at these shares of the fit."""
    done, edges = np.arange(n) / max(n - 1, 1), np.array([*starts, 1.0])
    cycle = np.searchsorted(edges, done, side="right") - 1
    ends = np.append(edges, 2.0)
    inside = np.where(cycle < len(starts), (done - ends[cycle]) / (ends[cycle + 1] - ends[cycle]), 1.0)
    return low + (1 - low) * (1 + np.cos(np.pi * inside)) / 2


def warmed_up(n, rise, then):
    return np.concatenate([then[0] * np.arange(1, rise + 1) / (rise + 1), then])[:n]


WITHOUT_LENGTH = {
    "cosine": (fm.Cosine(0.1, final=0.02), lambda n: cosine(0.1, 0.02, n)),
    "one cycle": (fm.OneCycle(1.0), one_cycle),
    "four waves": (fm.CosLog4(1.0), four_waves),
    "restarts": (fm.CosineRestarts(1.0), lambda n: restarts(n, [0, 0.25, 0.5, 0.75])),
    "longer restarts": (
        fm.CosineRestarts(1.0, factor=2, n_cycles=3, final=0.1), lambda n: restarts(n, [0, 1 / 7, 3 / 7], 0.1)
    ),
    "rise of a given length": (
        fm.Warmup(5, then=fm.Cosine(1.0)), lambda n: warmed_up(n, 5, cosine(1.0, 0.0, max(n - 5, 1)))
    ),
    "rise of a tenth": (
        fm.Warmup(then=fm.Cosine(1.0)),
        lambda n: warmed_up(n, max(n // 10, 1), cosine(1.0, 0.0, max(n - max(n // 10, 1), 1))),
    ),
    "rise of a tenth to a number": (fm.Warmup(then=0.5), lambda n: warmed_up(n, max(n // 10, 1), np.full(n, 0.5))),
    "rise within a rise": (
        fm.Warmup(3, then=fm.Warmup(2, then=fm.OneCycle(1.0))),
        lambda n: warmed_up(n, 3, warmed_up(max(n, 4) - 3, 2, one_cycle(max(n - 5, 1)))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 12, 41, 101])
@pytest.mark.parametrize("first", [0, 1000])
@pytest.mark.parametrize("name", WITHOUT_LENGTH)
def test_values_of_a_schedule_over_a_fit(name, first, n):
    schedule, reference = WITHOUT_LENGTH[name]
    assert schedule.needs_length
    bound = schedule.over(first, n)
    assert not bound.needs_length
    np.testing.assert_allclose(bound(first + np.arange(n)), reference(n), rtol=1e-12, atol=1e-12)
    assert float(bound(first + n + 1000)) == float(bound(first + n - 1)) or n < 6, "it stays at its last value"
    np.testing.assert_array_equal(bound(np.arange(first)), np.full(first, float(bound(first))))


@pytest.mark.parametrize("name", WITHOUT_LENGTH)
def test_without_a_fit_it_has_no_values(name):
    schedule = WITHOUT_LENGTH[name][0]
    with pytest.raises(ValueError, match="takes (its length|it) from"):
        schedule(3)
    assert from_plain(to_plain(schedule)) == schedule


def test_a_schedule_with_its_own_length_keeps_it():
    for schedule in (fm.Cosine(0.1, 9), fm.OneCycle(0.1, 9), fm.Warmup(2, then=0.1), fm.CosineRestarts(0.1, 4)):
        assert schedule.over(100, 50) is schedule
    np.testing.assert_allclose(
        fm.CosineRestarts(1.0, 2, n_cycles=2)(np.arange(7)), [1, 0.5, 1, 0.5, 0, 0, 0], atol=1e-15
    )


def test_cycles_that_grow_too_fast_are_refused():
    with pytest.raises(ValueError, match="factor=1e\\+300 and n_cycles=None make the first cycle too short"):
        fm.CosineRestarts(0.1, factor=1e300)
    with pytest.raises(ValueError, match="n_cycles"):
        fm.CosineRestarts(0.1, n_cycles=0)


# --- Fits ---


def network(rate=0.0, label_smoothing=0.0):
    loss = fm.Loss("binary_cross_entropy", label_smoothing=label_smoothing) if label_smoothing else "squared_error"
    layers = [3, 8, fm.Dropout(rate), 1 if label_smoothing else 2]
    return fm.Network(layers, activation="tanh", loss=loss, dtype="float64", seed=0)


PLACES = {
    "learning_rate": lambda v: {"optimizer": fm.SGD(v)},
    "momentum": lambda v: {"optimizer": fm.SGD(0.05, momentum=v)},
    "weight_decay": lambda v: {"optimizer": fm.Adam(0.01, weight_decay=v)},
    "decoupled weight_decay": lambda v: {"optimizer": fm.AdamW(0.01, weight_decay=v)},
    "l1_decay": lambda v: {"optimizer": fm.SGD(0.05, l1_decay=v)},
    "epsilon": lambda v: {"optimizer": fm.Adam(0.01, epsilon=v)},
    "alpha": lambda v: {"alpha": v},
    "clip_norm": lambda v: {"clip_norm": v, "optimizer": fm.SGD(0.05)},
    "clip_value": lambda v: {"clip_value": v, "optimizer": fm.SGD(0.05)},
    "max_norm": lambda v: {"max_norm": v},
    "label_smoothing": lambda v: {"label_smoothing": v},
    "rate of Dropout": lambda v: {"rate": v},
}


def fitted(place, value, batch_size=10, epochs=3, **more):
    arguments = PLACES[place](value)
    made = network(arguments.pop("rate", 0.0), arguments.pop("label_smoothing", 0.0))
    y = Y if made.n_outputs == 2 else CLASSES
    made.fit(X, y, epochs=epochs, batch_size=batch_size, **arguments, **more)
    return made.params


@pytest.mark.parametrize(("batch_size", "accumulate", "n_steps"), [(10, 1, 15), (5, 3, 12), (47, 1, 3)])
@pytest.mark.parametrize("place", PLACES)
def test_every_setting_takes_its_length_from_the_fit(place, batch_size, accumulate, n_steps):
    how = {"batch_size": batch_size, "accumulate": accumulate}
    values = cosine(0.3, 0.02, n_steps)
    expected = fitted(place, lambda step: float(values[step]), **how)
    np.testing.assert_allclose(fitted(place, fm.Cosine(0.3, final=0.02), **how), expected, rtol=1e-9, atol=1e-12)
    assert abs(fitted(place, 0.3, **how) - expected).max() > 1e-6  # the setting matters at all


def test_a_warm_start_counts_its_own_steps():
    net = network()
    for epochs in (4, 7):
        history = net.fit(X, Y, epochs=epochs, batch_size=47, optimizer=fm.SGD(fm.Cosine(0.1)), warm_start=True)
        np.testing.assert_allclose(history["learning_rate"], cosine(0.1, 0.0, epochs), atol=1e-15)
    assert net.optimizer_state.n_steps == 11


def test_one_optimizer_in_many_fits_is_never_changed():
    optimizer = fm.SGD(fm.Warmup(then=fm.Cosine(0.1)))
    for epochs in (20, 40):
        history = network().fit(X, Y, epochs=epochs, batch_size=64, optimizer=optimizer)
        rates = warmed_up(epochs, epochs // 10, cosine(0.1, 0.0, epochs - epochs // 10))
        np.testing.assert_allclose(history["learning_rate"], rates, atol=1e-15)
    assert optimizer == fm.SGD(fm.Warmup(then=fm.Cosine(0.1)))


def test_a_last_value_that_cannot_be_is_told_before_anything_changes():
    net = network()
    before = net.params.copy()
    with pytest.raises(ValueError, match="clip_norm at step 49999 must be"):
        net.fit(X, Y, epochs=50_000, batch_size=47, clip_norm=fm.Cosine(1.0))
    np.testing.assert_array_equal(net.params, before)


# --- Estimators ---


def estimator(value, **more):
    fixed = {"hidden_layer_sizes": (6,), "batch_size": 8, "max_iter": 5, "tol": 0, "n_iter_no_change": 99}
    return fm.MLPRegressor(schedule=value, random_state=0, **fixed, **more)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_folds_of_different_sizes_end_with_the_last_value(solver):
    """Training parts of 24 and 25 rows have 3 and 4 batches of 8."""
    folds = list(KFold(4).split(X[:33]))
    assert {len(rows) for rows, _ in folds} == {24, 25}
    result = cross_validate(
        estimator(fm.Cosine(0.01, final=0.001), solver=solver), X[:33], Y[:33], cv=folds, return_estimator=True
    )
    for (rows, _), fit in zip(folds, result["estimator"], strict=True):
        values = cosine(0.01, 0.001, 5 * -(-len(rows) // 8))
        expected = estimator(lambda step, values=values: float(values[step]), solver=solver).fit(X[rows], Y[rows])
        np.testing.assert_allclose(fit.network_.params, expected.network_.params, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "settings", [{"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive"}], ids=str
)
def test_an_early_end_and_a_new_rate_do_not_change_the_length(settings):
    """The length is max_iter epochs, however many there are, and in however many parts."""
    seen = []

    def note(run):
        seen.append(run.epoch)

    fixed = {"max_iter": 30, "random_state": 0, "n_iter_no_change": 2, "tol": 0.5, **settings}
    values = cosine(0.5, 0.1, 30)
    by_fit = fm.MLPRegressor(dropout=fm.Cosine(0.5, final=0.1), callbacks=[note], **fixed).fit(X, Y)
    by_hand = fm.MLPRegressor(dropout=lambda step: float(values[step]), **fixed).fit(X, Y)
    np.testing.assert_allclose(by_fit.network_.params, by_hand.network_.params, rtol=1e-9)
    assert by_fit.n_iter_ < 30 or seen.count(0) > 1


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("schedule", [fm.CosLog4(0.05), fm.Cosine(0.05), fm.Cosine(0.05, n_steps=10)])
def test_a_rate_of_zero_is_a_step_that_moves_nothing(schedule):
    """With sgd, the velocity is rescaled by the ratio of two rates."""
    fit = estimator(schedule, solver="sgd").fit(X, Y)
    assert np.isfinite(fit.network_.params).all()
    assert fit.loss_curve_[-1] < fit.loss_curve_[0]


# --- Where nobody knows how many steps there will be ---


def stream(net, optimizer):
    net.fit(fm.Chunks([(X, Y)]), optimizer=optimizer)


@pytest.mark.parametrize(
    "call",
    [
        stream,
        lambda net, optimizer: net.train_on_batch(X, Y, optimizer=optimizer),
        lambda net, optimizer: net.apply_gradient(net.params, optimizer),
    ],
    ids=["chunks", "train_on_batch", "apply_gradient"],
)
def test_a_stream_must_name_the_length(call):
    net = network()
    before = net.params.copy()
    with pytest.raises(ValueError, match="learning_rate must have a length here, got Warmup.*number of steps"):
        call(net, fm.SGD(fm.Warmup(2, then=fm.OneCycle(0.1))))
    np.testing.assert_array_equal(net.params, before)
    assert net.optimizer_state is None
    call(net, fm.SGD(fm.Warmup(2, then=fm.OneCycle(0.1, n_steps=20))))
    assert (net.params != before).any()


def test_a_gradient_by_hand_must_name_the_length_of_its_layers_and_loss():
    for net, argument in ((network(fm.Cosine(0.3)), "rate"), (network(0.0, fm.Cosine(0.3)), "label_smoothing")):
        with pytest.raises(ValueError, match=f"{argument} must have a length here, got Cosine"):
            net.gradient(X, CLASSES if net.n_outputs == 1 else Y)


def test_partial_fit_must_name_the_length():
    with pytest.raises(ValueError, match="learning_rate must have a length here"):
        estimator(fm.Cosine(0.1)).partial_fit(X, Y)
    estimator(fm.Cosine(0.1, n_steps=50)).partial_fit(X, Y)


# --- Checkpoints ---


def test_a_resumed_fit_keeps_the_length_it_began_with(tmp_path):
    """Also after a warm start, and if the resumed fit is to have more epochs."""
    values = cosine(0.1, 0.02, 6 * 5)

    def trained(rate, **more):
        net = network(fm.Dropout(0.2).rate)
        net.fit(X, Y, epochs=1, batch_size=10, optimizer=fm.SGD(0.1), warm_start=True)
        history = net.fit(X, Y, epochs=9, batch_size=10, optimizer=fm.SGD(rate), warm_start=True, **more)
        return net.params, history["learning_rate"]

    net = network(fm.Dropout(0.2).rate)
    net.fit(X, Y, epochs=1, batch_size=10, optimizer=fm.SGD(0.1), warm_start=True)
    path = tmp_path / "run.ckpt"
    net.fit(
        X, Y, epochs=6, batch_size=10, optimizer=fm.SGD(fm.Cosine(0.1, final=0.02)), warm_start=True, checkpoint=path,
        callbacks=[lambda run: run.epoch == 3 and run.pause("enough")],
    )  # fmt: skip
    params, rates = trained(fm.Cosine(0.1, final=0.02), checkpoint=path, resume=True)
    expected, expected_rates = trained(lambda step: float(values[min(step - 5, 29)]))
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-12)
    np.testing.assert_allclose(params, expected, rtol=1e-9)
