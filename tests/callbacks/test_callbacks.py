"""Callbacks: the protocol, those that stop a fit, and the one that lowers its learning rate."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import reference_training
from hypothesis import given
from hypothesis import strategies as st
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.callbacks.monitors import LARGER_IS_BETTER
from fastmlp.metrics import METRICS
from fastmlp.passes.pace import Pace

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.sin(X.sum(axis=1))


def network(**settings):
    return fm.Network([3, 5, 1], activation="tanh", **({"seed": 0} | settings))


def played(callback, losses, name="val_loss"):
    """Run a callback over given losses without training: the stop reason, the epochs seen and the weights left.

    The one weight of the network is the number of the epoch it stands for.
    """
    net = fm.Network([1, 1], bias=False, init="zeros")
    run = fm.Run(net, fm.History(), len(losses))
    callback.on_fit_begin(run)
    for run.epoch, loss in enumerate(losses):
        net.params[0] = run.epoch
        run.history.add(**{"loss": 1.0, name: loss})
        callback.on_epoch_end(run)
        if run.stop_reason:
            break
    callback.on_fit_end(run)
    return run.stop_reason, run.epoch + 1, int(net.params[0])


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"patience": 0}, ValueError, "patience must be between 1 and 2147483647, got 0"),
        ({"patience": 1.5}, TypeError, "patience must be a whole number, got 1.5"),
        ({"patience": None}, TypeError, "patience must be a whole number, got None"),
        ({"patience": True}, TypeError, "patience must be a whole number, got True"),
        ({"monitor": 5}, TypeError, "monitor must be a name in the history such as 'val_loss', got 5"),
        ({"min_delta": -1}, ValueError, "min_delta must be a finite number with 0.0 <= min_delta, got -1"),
        ({"min_delta": "a"}, TypeError, "min_delta must be a number, got str"),
        ({"mode": "mini"}, ValueError, "mode='mini' is unknown; did you mean 'min'? Known: auto, max, min"),
        ({"keep": "best"}, ValueError, "keep='best' is unknown"),
        ({"restore_best": "yes"}, TypeError, "restore_best must be True or False, got 'yes'"),
    ],
)
def test_bad_settings_of_early_stopping(given, error, words):
    with pytest.raises(error) as caught:
        fm.EarlyStopping(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"epsilon": 0}, ValueError, "epsilon must be a finite number with 0.0 < epsilon, got 0"),
        ({"epsilon": np.nan}, ValueError, "epsilon must be a finite number with 0.0 < epsilon, got nan"),
        ({"epsilon": "a"}, TypeError, "epsilon must be a number, got str"),
        ({"patience": 0}, ValueError, "patience must be between 1 and 2147483647, got 0"),
        ({"patience": 2.0}, TypeError, "patience must be a whole number, got 2.0"),
        ({"monitor": None}, TypeError, "monitor must be a name in the history such as 'val_loss', got None"),
    ],
)
def test_bad_settings_of_tolerance(given, error, words):
    with pytest.raises(error) as caught:
        fm.Tolerance(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"factor": 1}, ValueError, "factor must be a finite number with 0.0 < factor < 1.0, got 1"),
        ({"factor": 0}, ValueError, "factor must be a finite number with 0.0 < factor < 1.0, got 0"),
        ({"patience": -1}, ValueError, "patience must be between 1 and 2147483647, got -1"),
        ({"min_delta": -1}, ValueError, "min_delta must be a finite number with 0.0 <= min_delta, got -1"),
        ({"floor": -1}, ValueError, "floor must be a finite number with 0.0 <= floor, got -1"),
        ({"monitor": 5}, TypeError, "monitor must be a name in the history such as 'val_loss', got 5"),
        ({"mode": "up"}, ValueError, "mode='up' is unknown"),
    ],
)
def test_bad_settings_of_plateau(given, error, words):
    with pytest.raises(error) as caught:
        fm.Plateau(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize(("seconds", "error"), [(0, ValueError), (np.inf, ValueError), ("1", TypeError)])
def test_bad_time_limits(seconds, error):
    with pytest.raises(error, match="seconds must be a"):
        fm.TimeLimit(seconds)


@pytest.mark.parametrize("callback", [fm.EarlyStopping, fm.Tolerance, fm.Plateau])
@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ("val_loss", "monitor='val_loss' needs validation_data, and this fit has none"),
        ("val_accuracy", "monitor='val_accuracy' needs validation_data, and this fit has none"),
        ("los", "monitor='los' is unknown; did you mean 'loss'? Known: learning_rate, loss, seconds"),
    ],
)
def test_a_monitor_that_the_fit_does_not_record(callback, monitor, words):
    with pytest.raises(ValueError) as caught:
        network().fit(X, Y, epochs=2, callbacks=[callback(monitor=monitor)])
    assert words in str(caught.value)


def test_early_stopping_counts_epochs_without_improvement_and_goes_back():
    losses = [5, 3, 4, 3, 3.5, 1]
    assert played(fm.EarlyStopping(patience=3), losses) == ("val_loss has not improved for 3 epochs", 5, 1)
    assert played(fm.EarlyStopping(patience=4), losses) == (None, 6, 5)
    assert played(fm.EarlyStopping(patience=3, restore_best=False), losses)[2] == 4
    assert played(fm.EarlyStopping(patience=1), [3, 3])[:2] == ("val_loss has not improved for 1 epoch", 2)


def test_early_stopping_ignores_changes_up_to_min_delta():
    losses = [1.0, 0.95, 0.9, 0.85]
    assert played(fm.EarlyStopping(patience=2, min_delta=0.06), losses) == (None, 4, 2)
    assert played(fm.EarlyStopping(patience=2, min_delta=0.2), losses)[1:] == (3, 0)


def test_early_stopping_wants_accuracy_to_rise():
    stopped = played(fm.EarlyStopping(patience=2, monitor="val_accuracy"), [0.5, 0.9, 0.8, 0.7, 1.0], "val_accuracy")
    assert stopped == ("val_accuracy has not improved for 2 epochs", 4, 1)


def test_patience_where_none_is_given():
    assert played(fm.EarlyStopping(), [1.0] * 30)[1] == 11
    assert played(fm.Tolerance(monitor="val_loss"), [3.0, 2.0, 1.99995, 1.0])[1] == 3
    assert fm.Plateau().patience == 5


def test_an_infinite_loss_is_no_best_epoch():
    callback = fm.EarlyStopping(keep="last", patience=9)
    run = fm.Run(fm.Network([1, 1], seed=0), fm.History(), 2)
    callback.on_fit_begin(run)
    for run.epoch in range(2):
        run.history.add(loss=1.0, val_loss=np.inf)
        callback.on_epoch_end(run)
    callback.on_fit_end(run)
    assert run.history.best_epoch is None


@pytest.mark.parametrize(
    "make",
    [lambda value: fm.EarlyStopping(min_delta=value), lambda value: fm.Plateau(factor=value), fm.TimeLimit,
     lambda value: fm.Plateau(min_delta=value), lambda value: fm.Plateau(floor=value)],
)  # fmt: skip
def test_settings_of_callbacks_are_no_schedules(make):
    with pytest.raises(TypeError, match="must be a number, got Constant"):
        make(fm.Constant(0.5))


def test_modes_overrule_the_name():
    numbers = [1.0, 2.0, 3.0, 4.0]
    assert played(fm.EarlyStopping(patience=2, mode="max"), numbers) == (None, 4, 3)
    assert played(fm.EarlyStopping(patience=2, mode="min"), numbers)[1:] == (3, 0)
    for name in ("val_r2", "val_balanced_accuracy", "val_f1", "r2"):
        assert played(fm.EarlyStopping(patience=2, monitor=name), numbers, name) == (None, 4, 3)
    assert played(fm.EarlyStopping(2, monitor="val_mean_absolute_error"), numbers, "val_mean_absolute_error")[1] == 3


def R2(y_true, y_pred):
    return -float(np.square(y_true - y_pred).mean())


def neg_mean_squared_error(y_true, y_pred):
    return R2(y_true, y_pred)


def explained_variance(y_true, y_pred):
    return R2(y_true, y_pred)


def my_loss(y_true, y_pred):
    return -R2(y_true, y_pred)


@pytest.mark.parametrize("make", [fm.EarlyStopping, fm.Plateau])
@pytest.mark.parametrize("metric", [R2, neg_mean_squared_error, explained_variance, my_loss])
def test_the_direction_of_a_metric_is_not_guessed(make, metric):
    net = network()
    before = net.params.copy()
    words = f"monitor='val_{metric.__name__}' needs mode='min' or mode='max'"
    with pytest.raises(ValueError, match=words):
        net.fit(X, Y, validation_data=(X, Y), metrics=[metric], callbacks=[make(monitor=f"val_{metric.__name__}")])
    np.testing.assert_array_equal(net.params, before)


def test_a_number_that_a_callback_records_needs_a_mode():
    def norm(run):
        run.history.add(norm=np.linalg.norm(run.network.params))

    with pytest.raises(ValueError, match="for a number that a callback records, pass mode='min' or mode='max'"):
        network().fit(X, Y, callbacks=[norm, fm.EarlyStopping(monitor="norm")])
    assert "norm" in network().fit(X, Y, epochs=2, callbacks=[norm, fm.EarlyStopping(monitor="norm", mode="max")])


def test_a_metric_may_tell_its_direction():
    """Both functions give the same numbers: the one that says "more is better" ends with the largest of them."""

    def up(y_true, y_pred):
        return float(y_pred.mean())

    def down(y_true, y_pred):
        return float(y_pred.mean())

    up.greater_is_better, down.greater_is_better = True, np.bool_(False)
    for metric, best in ((up, np.argmax), (down, np.argmin)):
        history = network().fit(
            X, Y, epochs=12, optimizer=fm.Adam(0.1), validation_data=(X, Y), metrics=[metric],
            callbacks=[fm.EarlyStopping(50, monitor=f"val_{metric.__name__}")],
        )  # fmt: skip
        assert history.best_epoch == best(history[f"val_{metric.__name__}"])
    up.greater_is_better = "yes"
    with pytest.raises(TypeError, match="greater_is_better of up must be True or False, got 'yes'"):
        network().fit(X, Y, validation_data=(X, Y), metrics=[up])


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_of_the_package_has_a_direction(name):
    y = np.arange(4) % 2
    better, worse = METRICS[name](y, y), METRICS[name](y, 1 - y)
    assert LARGER_IS_BETTER[name] == (better > worse)


def test_a_metric_can_be_watched_by_the_name_it_was_asked_for():
    history = network().fit(
        X, Y, epochs=2, validation_data=(X, Y), metrics=["rmse"], callbacks=[fm.EarlyStopping(monitor="val_rmse")]
    )
    assert history.best_epoch == np.argmin(history["val_root_mean_square_error"])


def test_the_first_or_the_last_of_equally_good_epochs_is_kept():
    losses = [5, 3, 4, 3, 3.5, 3.1]
    assert played(fm.EarlyStopping(patience=4, keep="first"), losses)[1:] == (6, 1)
    assert played(fm.EarlyStopping(patience=4, keep="last"), losses)[1:] == (6, 3)  # and the count is the same
    creeping = [1.0, 0.95, 0.9, 0.85, 0.87]  # gains below min_delta: none counts, and the last of them is the best
    assert played(fm.EarlyStopping(patience=4, min_delta=0.5), creeping)[1:] == (5, 0)
    assert played(fm.EarlyStopping(patience=4, min_delta=0.5, keep="last"), creeping)[1:] == (5, 3)


def test_a_number_that_is_not_one_never_improves():
    assert played(fm.EarlyStopping(patience=3), [np.nan, 2, np.nan, 3, np.nan])[1:] == (5, 1)
    assert played(fm.EarlyStopping(patience=2), [np.nan] * 5)[:2] == ("val_loss has not improved for 2 epochs", 2)
    assert played(fm.EarlyStopping(patience=2, keep="last"), [np.nan] * 5)[1:] == (2, 1)


def reference_stop(losses, patience, min_delta, keep):
    """Epochs run and the epoch whose weights are kept, found without going through the epochs one by one."""
    for n in range(1, len(losses) + 1):
        improved = [0]
        for i, loss in enumerate(losses[:n]):
            if losses[improved[-1]] - loss > min_delta:
                improved.append(i)
        if n - 1 - improved[-1] >= patience:
            break
    best = improved[-1]
    if keep == "last":  # the lowest loss since the best that counts, the newest of them
        best = min(range(n - 1, -1, -1), key=lambda i: losses[i])
    return n, best


@given(
    losses=st.lists(st.integers(0, 12), min_size=1, max_size=25), patience=st.integers(1, 6),
    min_delta=st.integers(0, 3), keep=st.sampled_from(["first", "last"]),
)  # fmt: skip
def test_early_stopping_of_any_losses(losses, patience, min_delta, keep):
    callback = fm.EarlyStopping(patience=patience, min_delta=min_delta, keep=keep)
    assert played(callback, losses)[1:] == reference_stop(losses, patience, min_delta, keep)


@given(
    losses=st.lists(st.integers(0, 12), min_size=1, max_size=25), patience=st.integers(1, 5), epsilon=st.integers(1, 3)
)
def test_tolerance_of_any_losses(losses, patience, epsilon):
    """Stops behind the first ``patience`` changes in a row that are all smaller than ``epsilon``."""
    still = np.abs(np.diff(losses)) < epsilon
    ends = [i + 1 for i in range(patience, len(losses)) if still[i - patience : i].all()]
    expected = ends[0] if ends else len(losses)
    assert played(fm.Tolerance(epsilon, patience), losses, "loss")[1] == expected


def test_early_stopping_watches_the_training_loss_where_there_is_no_validation():
    watched = fm.EarlyStopping(patience=2)
    history = network().fit(X, Y, epochs=50, optimizer=fm.SGD(0.0), batch_size=30, callbacks=[watched])
    assert history.stop_reason == "loss has not improved for 2 epochs"
    assert history.n_epochs == 3 and history.best_epoch == 0


@pytest.mark.parametrize("optimizer", [fm.SGD(0.5), fm.Adam(0.1), fm.LBFGS()])
def test_early_stopping_restores_the_best_weights_to_the_bit(optimizer):
    """Validation targets unlike the training ones: fitting makes them worse sooner or later."""
    layers = [3, fm.Dense(5, "tanh"), fm.Dense(1)]
    if not isinstance(optimizer, fm.LBFGS):
        layers.insert(2, fm.BatchNorm())
    net, seen = fm.Network(layers, seed=0), []
    history = net.fit(
        X, Y, epochs=200, optimizer=optimizer, validation_data=(X[::-1], Y),
        callbacks=[lambda run: seen.append(run.network.snapshot()), fm.EarlyStopping(patience=3)],
    )  # fmt: skip
    best = int(np.argmin(history["val_loss"]))
    assert history.stop_reason == "val_loss has not improved for 3 epochs"
    assert history.best_epoch == best == history.n_epochs - 4
    assert net.params.tobytes() == seen[best].params.tobytes()
    assert net.statistics.tobytes() == seen[best].statistics.tobytes()


def test_one_callback_object_can_serve_fit_after_fit():
    for callback in (fm.EarlyStopping(patience=2), fm.Tolerance(1e-9, patience=3)):
        lengths = [
            network().fit(X, Y, epochs=20, optimizer=fm.SGD(0.0), batch_size=30, callbacks=[callback]).n_epochs
            for _ in range(2)
        ]
        assert lengths[0] == lengths[1] < 20


def fit_with(callback, seed):
    """A fit that lets other threads in after each epoch; every seed has a network of another width."""
    net = fm.Network([3, 5 + seed, 1], activation="tanh", seed=seed)
    history = net.fit(
        X, Y, epochs=40, batch_size=8, optimizer=fm.Adam(0.05), validation_data=(X[::-1], Y), n_threads=1,
        callbacks=[callback, lambda run: time.sleep(2e-4)],
    )  # fmt: skip
    return net.params.tobytes(), history["loss"].tolist(), history.stop_reason, history.best_epoch


@pytest.mark.parametrize(
    "make",
    [lambda: fm.EarlyStopping(4), lambda: fm.Tolerance(0.01, patience=2), lambda: fm.Plateau(0.5, patience=1),
     lambda: fm.TimeLimit(600)],
    ids=["EarlyStopping", "Tolerance", "Plateau", "TimeLimit"],
)  # fmt: skip
def test_one_callback_object_in_several_fits_at_once_is_as_several_objects(make):
    alone = [fit_with(make(), seed) for seed in range(6)]
    shared = make()
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(partial(fit_with, shared), range(6))) == alone


def test_every_callback_of_the_package_has_a_copy_for_each_fit():
    kinds = [fm.EarlyStopping(), fm.Tolerance(), fm.Plateau(), fm.TimeLimit(1)]
    public = {
        kind
        for kind in (getattr(fm, name) for name in fm.__all__)
        if isinstance(kind, type) and issubclass(kind, fm.Callback)
    }
    assert {type(callback) for callback in kinds} == public - {fm.Callback}
    for callback in kinds:
        assert callback.for_fit() is not callback and type(callback.for_fit()) is type(callback)
    own = fm.Callback()
    assert own.for_fit() is own


def test_what_a_callback_has_found_stays_on_it():
    class Best(fm.EarlyStopping):
        def on_fit_end(self, run):
            super().on_fit_end(run)
            self.best_epoch = run.history.best_epoch

    callback = Best(3)
    for _ in range(2):
        history = network().fit(X, Y, epochs=9, validation_data=(X[::-1], Y), callbacks=[callback])
        assert callback.best_epoch == history.best_epoch is not None


def test_tolerance_stops_when_the_change_is_below_epsilon():
    losses = [8, 4, 2, 1, 0.5, 0.25]
    assert played(fm.Tolerance(0.6), losses, "loss") == ("loss changed by less than 0.6", 5, 4)
    assert played(fm.Tolerance(0.5), losses, "loss")[:2] == ("loss changed by less than 0.5", 6)
    assert played(fm.Tolerance(0.25), losses, "loss")[0] is None
    assert played(fm.Tolerance(0.6), [1, 2, 2.5], "loss")[1] == 3  # a rise is a change too
    assert played(fm.Tolerance(1, patience=2), [8, 7.5, 4, 3.5, 3.2, 3], "loss")[1] == 5
    assert played(fm.Tolerance(0.6, monitor="val_loss"), losses)[0] == "val_loss changed by less than 0.6"


def test_gradient_descent_stops_by_tolerance():
    net = network(dtype="float64")
    history = net.fit(X, Y, epochs=5000, batch_size=30, optimizer=fm.SGD(0.1), callbacks=[fm.Tolerance(1e-4)])
    changes = -np.diff(history["loss"])
    assert history.stop_reason == "loss changed by less than 0.0001"
    assert (changes[:-1] >= 1e-4).all() and changes[-1] < 1e-4


@pytest.mark.parametrize("epochs", [1, 10**9], ids=["within an epoch", "between epochs"])
def test_the_time_is_up(epochs):
    """An epoch of 20 million batches takes seconds; it isn't recorded, and the work so far is kept."""
    n = 20_000_000 if epochs == 1 else 30
    net = fm.Network([1, 1], bias=False, seed=0)
    before = net.params.copy()
    history = net.fit(
        np.zeros((n, 1), np.uint8), np.zeros(n, np.uint8), epochs=epochs, batch_size=1, shuffle=False,
        optimizer=fm.Adam(1e-5, weight_decay=0.1), callbacks=[fm.TimeLimit(0.2)],
    )  # fmt: skip
    assert history.stop_reason == "time limit of 0.2 s"
    assert (net.params != before).all() and net.is_finite()
    assert history.n_epochs == 0 if epochs == 1 else history.n_epochs > 1


def test_what_was_learnt_within_an_epoch_must_be_finite():
    """The last step before the end overflows, and no loss has seen that yet: the weights from before come back."""

    def stop(run):
        run.network.params[0] = np.inf
        run.stop("enough")

    callback = fm.Callback()
    callback.on_progress = stop
    net = network()
    before = net.params.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pace, "_bounded", lambda self, n_steps: 2)
        with pytest.raises(
            fm.DivergedError, match="parameters stopped being finite in the last step, of the epoch with index 0"
        ):
            net.fit(X, Y, epochs=3, batch_size=3, callbacks=[callback])
    np.testing.assert_array_equal(net.params, before)


def lowered(losses, **settings):
    """The learning rates that a plateau makes of 0.8, epoch by epoch, without training."""
    run, callback, rates = fm.Run(None, fm.History(), len(losses)), fm.Plateau(**settings), []
    callback.on_fit_begin(run)
    for run.epoch, loss in enumerate(losses):
        rates.append(0.8 * run.learning_rate_factor)
        run.history.add(loss=loss, learning_rate=rates[-1])
        callback.on_epoch_end(run)
    return rates


def test_plateaus_lower_the_learning_rate():
    assert lowered([5, 4, 4, 4, 4, 4, 4], patience=2) == [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2]
    assert lowered([5, 4, 4, 3, 3, 3], patience=2) == [0.8] * 6
    assert lowered([5, 4, 3, 2, 1], patience=2, min_delta=1.5) == [0.8] * 5
    assert lowered([5, 4, 3, 2, 1], patience=1, min_delta=2.5) == [0.8, 0.8, 0.4, 0.2, 0.2]
    np.testing.assert_allclose(lowered([1] * 6, patience=1, factor=0.25, floor=0.1), [0.8, 0.8, 0.2, 0.1, 0.1, 0.1])
    assert lowered([1, 2, 3], patience=1, mode="max") == [0.8] * 3


@given(
    losses=st.lists(st.integers(0, 9), min_size=1, max_size=30), patience=st.integers(1, 4),
    factor=st.floats(0.01, 0.99), min_delta=st.integers(0, 2), floor=st.floats(0.0, 1.0),
)  # fmt: skip
def test_plateaus_of_any_losses(losses, patience, factor, min_delta, floor):
    """The rate falls behind every ``patience`` epochs in a row without improvement, counted afresh each time."""
    rate, best, row, expected = 0.8, None, 0, []
    for loss in losses:
        expected.append(rate)
        improved = best is None or best - loss > min_delta
        best, row = (loss, 0) if improved else (best, row + 1)
        if row == patience:
            rate, row = max(rate * factor, min(rate, floor)), 0
    got = lowered(losses, factor=factor, patience=patience, min_delta=min_delta, floor=floor)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


OPTIMIZERS = {
    "sgd": lambda rate: (fm.SGD(rate), {"rule": "sgd"}),
    "momentum": lambda rate: (fm.SGD(rate, momentum=0.9), {"rule": "sgd", "momentum": 0.9}),
    "rmsprop": lambda rate: (fm.RMSprop(rate), {"rule": "rmsprop"}),
    "adagrad": lambda rate: (fm.Adagrad(rate), {"rule": "adagrad"}),
    "adam": lambda rate: (fm.Adam(rate), {"rule": "adam"}),
    "adamw": lambda rate: (fm.AdamW(rate, weight_decay=0.1), {"rule": "adamw", "weight_decay": 0.1}),
    "nadam": lambda rate: (fm.NAdam(rate), {"rule": "nadam"}),
}


@pytest.mark.parametrize("scheduled", [False, True], ids=["number", "schedule"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_lowered_rate_trains_like_the_twin(name, scheduled):
    """Every epoch is a plateau where only a gain of 1e9 counts: the rate falls by 0.7 behind each but the first."""
    rate = fm.Exponential(0.02, rate=0.9, every=7) if scheduled else 0.02
    optimizer, hyper = OPTIMIZERS[name](rate)
    net = shake(network(dtype="float64"), np.random.default_rng(0))
    twin = twin_of(net)
    history = net.fit(
        X, Y, epochs=5, batch_size=8, shuffle=False, optimizer=optimizer,
        callbacks=[fm.Plateau(0.7, patience=1, min_delta=1e9)],
    )  # fmt: skip
    rates = [(float(rate(step)) if scheduled else rate) * 0.7 ** max(0, step // 4 - 1) for step in range(20)]
    losses = reference_training.train(twin, X, Y[:, None], [np.arange(30)] * 5, 8, lr=lambda step: rates[step], **hyper)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
    np.testing.assert_allclose(history["learning_rate"], rates[::4], rtol=1e-14)
    assert relative_error(net.params, twin.flat()) < 1e-11


@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt(), fm.Rprop()])
def test_a_plateau_needs_a_learning_rate(optimizer):
    with pytest.raises(ValueError, match=f"an optimizer with a learning rate, got {type(optimizer).__name__}"):
        network().fit(X, Y, optimizer=optimizer, callbacks=[fm.Plateau()])


def test_a_lowered_rate_ends_with_its_fit():
    net = network()
    callbacks = [fm.Plateau(patience=1, min_delta=1e9)]
    rates = [
        net.fit(X, Y, epochs=3, optimizer=fm.Adam(0.1), warm_start=True, callbacks=callbacks)["learning_rate"].tolist()
        for _ in range(2)
    ]
    assert rates == [[0.1, 0.1, 0.05]] * 2


class Recorder(fm.Callback):
    def __init__(self):
        self.calls = []

    def on_fit_begin(self, run):
        self.calls.append(("begin", run.epoch, run.history.n_epochs))

    def on_epoch_end(self, run):
        self.calls.append(("epoch", run.epoch, run.history.n_epochs))

    def on_fit_end(self, run):
        self.calls.append(("end", run.epoch, run.history.n_epochs))


@pytest.mark.parametrize("optimizer", [fm.SGD(0.01), fm.LBFGS()])
def test_callbacks_are_called_in_order_with_the_history_recorded(optimizer):
    recorder = Recorder()
    network().fit(X, Y, epochs=2, optimizer=optimizer, callbacks=[recorder])
    assert recorder.calls == [("begin", -1, 0), ("epoch", 0, 1), ("epoch", 1, 2), ("end", 1, 2)]


@pytest.mark.parametrize("optimizer", [fm.SGD(0.01), fm.LBFGS()])
def test_the_end_is_called_when_a_fit_is_interrupted(optimizer):
    def interrupt(run):
        raise KeyboardInterrupt

    recorder = Recorder()
    network().fit(X, Y, epochs=9, optimizer=optimizer, callbacks=[recorder, interrupt])
    assert [call[0] for call in recorder.calls] == ["begin", "epoch", "end"]


@pytest.mark.parametrize("optimizer", [fm.SGD(0.01), fm.LBFGS()])
def test_any_function_can_stop_a_fit(optimizer):
    def stop(run):
        assert run.n_epochs == 9 and run.stop_reason is None
        if run.epoch == 2:
            run.stop("enough")

    history = network().fit(X, Y, epochs=9, optimizer=optimizer, callbacks=[stop])
    assert (history.stop_reason, history.n_epochs) == ("enough", 3)


def test_one_callback_needs_no_list():
    seen = []
    network().fit(X, Y, epochs=2, callbacks=lambda run: seen.append(run.epoch))
    network().fit(X, Y, epochs=2, callbacks=fm.Tolerance(1e-9))
    network().fit(X, Y, epochs=1, callbacks=(callback for callback in [lambda run: seen.append("generator")]))
    assert seen == [0, 1, "generator"]


def test_a_callback_may_record_numbers_of_its_own():
    def norm(run):
        run.history.add(norm=np.linalg.norm(run.network.params))

    history = network().fit(X, Y, epochs=3, callbacks=[norm, fm.Tolerance(1e-30, monitor="norm")])
    assert history["norm"].shape == (3,)
