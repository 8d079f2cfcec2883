"""Callbacks: the protocol, and the two ways to stop by themselves."""

import numpy as np
import pytest

import fastmlp as fm

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
        ({"monitor": 5}, TypeError, "monitor must be a name of the history such as 'val_loss', got 5"),
        ({"min_delta": -1}, ValueError, "min_delta must be a finite number with 0.0 <= min_delta, got -1"),
        ({"min_delta": "a"}, TypeError, "min_delta must be a number, got str"),
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
        ({"monitor": None}, TypeError, "monitor must be a name of the history such as 'val_loss', got None"),
    ],
)
def test_bad_settings_of_tolerance(given, error, words):
    with pytest.raises(error) as caught:
        fm.Tolerance(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize("callback", [fm.EarlyStopping, fm.Tolerance])
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
    for callback in (fm.EarlyStopping(patience=2), fm.Tolerance(1e-9)):
        lengths = [
            network().fit(X, Y, epochs=20, optimizer=fm.SGD(0.0), batch_size=30, callbacks=[callback]).n_epochs
            for _ in range(2)
        ]
        assert lengths[0] == lengths[1] < 20


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
    network().fit(X, Y, epochs=2, callbacks=fm.Tolerance())
    network().fit(X, Y, epochs=1, callbacks=(callback for callback in [lambda run: seen.append("generator")]))
    assert seen == [0, 1, "generator"]


def test_a_callback_may_record_numbers_of_its_own():
    def norm(run):
        run.history.add(norm=np.linalg.norm(run.network.params))

    history = network().fit(X, Y, epochs=3, callbacks=[norm, fm.Tolerance(1e-30, monitor="norm")])
    assert history["norm"].shape == (3,)
