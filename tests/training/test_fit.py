"""fit(): its arguments, its history, how it ends, and what it takes of memory, threads and the interpreter's lock."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from labels import short

import fastmlp as fm
from fastmlp.passes.pace import Pace
from fastmlp.training import lbfgs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.sin(X.sum(axis=1))
LABELS = RNG.integers(0, 3, size=40)
nan, inf = np.nan, np.inf


def regression(**settings):
    return fm.Network([3, 5, 1], **({"activation": "tanh", "dtype": "float64", "seed": 0} | settings))


def classifier(**settings):
    layers = [3, fm.Dense(5, "tanh"), fm.BatchNorm(), fm.Dropout(0.3), 3]
    return fm.Network(layers, loss="cross_entropy", **({"seed": 0} | settings))


def state(net):
    return net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state


BAD_ARGUMENTS = [
    ({"epochs": 0}, ValueError, "epochs must be between 1 and 2147483647, got 0"),
    ({"epochs": -3}, ValueError, "epochs must be between 1 and 2147483647, got -3"),
    ({"epochs": 1.5}, TypeError, "epochs must be a whole number, got 1.5"),
    ({"epochs": None}, TypeError, "epochs must be a whole number, got None"),
    ({"epochs": True}, TypeError, "epochs must be a whole number, got True"),
    ({"epochs": "10"}, TypeError, "epochs must be a whole number, got '10'"),
    ({"epochs": 10**30}, ValueError, "epochs must be between 1 and 2147483647, got 1000"),
    ({"batch_size": 0}, ValueError, "batch_size must be between 1 and 2147483647, got 0"),
    ({"batch_size": 2**31}, ValueError, "batch_size must be between 1 and 2147483647, got 2147483648"),
    ({"batch_size": 8.0}, TypeError, "batch_size must be a whole number, got 8.0"),
    ({"batch_size": None}, TypeError, "batch_size must be a whole number, got None"),
    ({"optimizer": "adm"}, ValueError, "optimizer='adm' is unknown; did you mean 'adam'? Known: adagrad"),
    ({"optimizer": 0.1}, TypeError, "optimizer must be a name or an optimizer such as fm.SGD(0.1), got 0.1"),
    ({"optimizer": fm.SGD}, TypeError, "optimizer must be a name or an optimizer such as fm.SGD(0.1), got <class"),
    ({"shuffle": "no"}, TypeError, "shuffle must be True or False, got 'no'"),
    ({"shuffle": None}, TypeError, "shuffle must be True or False, got None"),
    ({"validation_data": 0.2}, TypeError, "validation_data must be a pair (X, y), a triple (X, y, sample_weight)"),
    ({"validation_data": X}, TypeError, "validation_data must be a pair (X, y), a triple"),
    ({"validation_data": (X,)}, TypeError, "sample_weight) or Chunks, got tuple of 1"),
    ({"validation_data": (X, Y, Y, Y)}, TypeError, "sample_weight) or Chunks, got tuple of 4"),
    ({"validation_data": (X, Y[:9])}, ValueError, "X and y of validation_data must have the same number of rows"),
    ({"callbacks": None}, TypeError, "callbacks must be a list of Callback objects or functions of a Run, got None"),
    ({"callbacks": [5]}, TypeError, "callbacks must be Callback objects or functions of a Run, got 5"),
    ({"callbacks": [fm.Tolerance]}, TypeError, "callbacks must be Callback objects or functions of a Run, got <class"),
    ({"n_threads": 0}, ValueError, "n_threads must be between 1 and 1024, got 0"),
    ({"n_threads": 1.0}, TypeError, "n_threads must be a whole number, got 1.0"),
    ({"n_threads": 10**9}, ValueError, "n_threads must be between 1 and 1024, got 1000000000"),
    ({"progress": "yes"}, TypeError, "progress must be True, False or None, got 'yes'"),
]


@pytest.mark.parametrize(("given", "error", "words"), BAD_ARGUMENTS, ids=short)
def test_bad_arguments_are_refused_before_anything_changes(given, error, words):
    net = regression()
    before = state(net)
    with pytest.raises((ValueError, TypeError)) as caught:
        net.fit(X, Y, **({"epochs": 1} | given))
    assert caught.type is error, caught.value
    assert words in str(caught.value)
    assert state(net) == before


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (None, TypeError, "learning_rate at step 0 must be a number, got NoneType"),
        ("a", TypeError, "learning_rate at step 0 must be a number, got str"),
        ([0.1, 0.2], TypeError, "learning_rate at step 0 must be a number, got list"),
        (nan, ValueError, "learning_rate at step 0 must be a finite number, got nan"),
    ],
)
def test_a_schedule_that_gives_no_number_is_named(value, error, words):
    net = regression()
    before = state(net)
    with pytest.raises(error) as caught:
        net.fit(X, Y, optimizer=fm.SGD(lambda step: value))
    assert words in str(caught.value)
    assert state(net)[:2] == before[:2]


def test_lbfgs_refuses_batch_norm_before_anything_changes():
    net = classifier()
    before = state(net)
    with pytest.raises(ValueError, match="LBFGS cannot train a network with BatchNorm"):
        net.fit(X, LABELS, optimizer="lbfgs")
    assert state(net) == before


def test_history_has_one_number_per_epoch_under_each_name():
    history = regression().fit(X, Y, epochs=4)
    assert set(history) == {"loss", "seconds", "learning_rate"}
    history = classifier().fit(X, LABELS, epochs=4, validation_data=[X[:7], LABELS[:7]])
    assert set(history) == {"loss", "val_loss", "val_accuracy", "seconds", "learning_rate"}
    assert all(values.shape == (4,) and values.dtype == np.float64 for values in history.values())
    assert history["seconds"][0] > 0 and (np.diff(history["seconds"]) > 0).all()
    assert history.stop_reason == "epochs" and history.best_epoch is None


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.SGD(0.1, momentum=0.9), fm.Adam(), fm.Rprop()])
def test_loss_of_a_full_batch_is_that_of_the_weights_before_the_update(optimizer):
    net, seen = regression(), []
    seen.append(net.evaluate(X, Y)["loss"])
    history = net.fit(
        X, Y, epochs=3, batch_size=40, optimizer=optimizer,
        callbacks=[lambda run: seen.append(run.network.evaluate(X, Y)["loss"])],
    )  # fmt: skip
    np.testing.assert_allclose(history["loss"], seen[:3], rtol=1e-12)


def test_loss_of_an_epoch_is_the_mean_over_samples_each_before_its_own_update():
    """Batches of 16, 16 and 8, by hand: the ragged one counts by its samples."""
    net, by_hand = regression(), regression()
    history = net.fit(X, Y, epochs=1, batch_size=16, optimizer=fm.SGD(0.2), shuffle=False)
    total = 0.0
    for rows in (slice(0, 16), slice(16, 32), slice(32, 40)):
        loss, gradient = by_hand.loss_and_flat_gradient(X[rows], Y[rows], reduction="sum")
        total += loss
        by_hand.params[:] -= 0.2 * gradient / len(Y[rows])
    assert history["loss"][0] == pytest.approx(total / 40, rel=1e-12)
    np.testing.assert_allclose(net.params, by_hand.params, rtol=1e-12)


def test_weighted_loss_divides_by_the_weights():
    weights = RNG.uniform(0.5, 2.0, size=40)
    net = regression()
    expected = (weights * (net.predict(X)[:, 0] - Y) ** 2 / 2).sum() / weights.sum()
    history = net.fit(X, Y, epochs=1, batch_size=40, sample_weight=weights)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


def test_validation_is_measured_on_the_weights_behind_the_epoch():
    net, measured = classifier(), []
    history = net.fit(
        X, LABELS, epochs=3, validation_data=(X[:9], LABELS[:9]),
        callbacks=[lambda run: measured.append(run.network.evaluate(X[:9], LABELS[:9]))],
    )  # fmt: skip
    assert history["val_loss"].tolist() == [values["loss"] for values in measured]
    assert history["val_accuracy"].tolist() == [values["accuracy"] for values in measured]


def test_validation_and_callbacks_change_nothing_in_the_training():
    plain, watched = classifier(), classifier()
    plain.fit(X, LABELS, epochs=3)
    watched.fit(X, LABELS, epochs=3, validation_data=(X, LABELS), callbacks=[lambda run: None])
    assert state(plain) == state(watched)


def test_learning_rate_is_that_of_the_first_step_of_each_epoch():
    history = regression().fit(X, Y, epochs=3, batch_size=10, optimizer=fm.SGD(lambda step: 0.1 / (1 + step)))
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.1 / 5, 0.1 / 9])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_same_seed_same_bits(n_threads):
    one, other, third = classifier(), classifier(), classifier(seed=1)
    histories = [net.fit(X, LABELS, epochs=3, n_threads=n_threads) for net in (one, other)]
    assert state(one) == state(other)
    np.testing.assert_array_equal(histories[0]["loss"], histories[1]["loss"])
    third.fit(X, LABELS, epochs=3, n_threads=n_threads)
    assert state(third)[0] != state(one)[0]


def test_shuffling_changes_the_order_and_not_the_samples():
    in_order, again, shuffled = regression(), regression(), regression()
    in_order.fit(X, Y, epochs=1, batch_size=8, shuffle=False)
    again.fit(X, Y, epochs=1, batch_size=8, shuffle=False)
    shuffled.fit(X, Y, epochs=1, batch_size=8)
    np.testing.assert_array_equal(in_order.params, again.params)
    assert not np.array_equal(in_order.params, shuffled.params)
    # With a step of 0 every order sees the same weights, and so the same mean loss: no sample is left out.
    loss = regression().evaluate(X, Y)["loss"]
    history = regression().fit(X, Y, epochs=3, batch_size=7, optimizer=fm.SGD(0.0))
    np.testing.assert_allclose(history["loss"], loss, rtol=1e-12)


def test_each_epoch_has_a_new_order():
    orders = []
    values = np.arange(40.0)

    def remember(run):
        orders.append(run.network.params[0])

    net = fm.Network([1, 1], bias=False, dtype="float64", init="zeros", seed=0)
    net.fit(np.ones((40, 1)), values, epochs=3, batch_size=1, optimizer=fm.SGD(0.5), callbacks=[remember])
    # w <- (w + y) / 2 at every step: the weight spells the order of the last samples.
    assert len({round(order, 6) for order in orders}) == 3


def test_a_batch_larger_than_the_data_is_the_whole_data():
    one, other = classifier(), classifier()
    one.fit(X, LABELS, epochs=2, batch_size=40)
    other.fit(X, LABELS, epochs=2, batch_size=2**31 - 1)
    assert state(one) == state(other)


def test_a_second_fit_goes_on_where_the_first_ended():
    once, twice = regression(), regression()
    once.fit(X, Y, epochs=5, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    first = twice.fit(X, Y, epochs=2, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    second = twice.fit(X, Y, epochs=3, batch_size=10, optimizer=fm.SGD(0.1), shuffle=False)
    np.testing.assert_array_equal(once.params, twice.params)
    assert (first.n_epochs, second.n_epochs) == (2, 3)
    assert second["loss"][0] < first["loss"][0]


def test_default_optimizer_is_adam_and_names_stand_for_defaults():
    nets = [regression() for _ in range(3)]
    for net, optimizer in zip(nets, (None, "adam", fm.Adam(0.001)), strict=True):
        net.fit(X, Y, epochs=2, optimizer=optimizer)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    np.testing.assert_array_equal(nets[0].params, nets[2].params)


def diverge(net, optimizer, **settings):
    """Fit until the loss isn't finite: the error, and the weights and losses behind each finished epoch."""
    weights, losses = [state(net)], []

    def remember(run):
        weights.append(state(run.network))
        losses.append(run.history.last("loss"))

    with pytest.raises(fm.DivergedError) as caught:
        net.fit(X, Y, callbacks=[remember], **({"epochs": 60, "optimizer": optimizer} | settings))
    return caught.value, weights, losses


DIVERGING = {
    "direct SGD": fm.SGD(lambda step: 0.01 if step < 12 else 1e200),
    "Adam": fm.Adam(lambda step: 0.01 if step < 12 else 1e200),
    "momentum": fm.SGD(lambda step: 0.01 if step < 12 else 1e200, momentum=0.5),
}


@pytest.mark.parametrize("name", DIVERGING)
def test_divergence_leaves_the_best_proven_epoch_to_the_bit(name):
    """Four steps an epoch: three good epochs, then a step into nowhere.

    The loss of an epoch doesn't tell of the weights at its end; that of the next does. So the last finite epoch is
    not among those to choose from.
    """
    net = fm.Network([3, 5, fm.BatchNorm(), 1], activation="tanh", dtype="float64", seed=0)
    error, weights, losses = diverge(net, DIVERGING[name], batch_size=10)
    assert len(losses) >= 3 and np.isfinite(losses).all()
    assert state(net)[:2] == weights[1 + int(np.argmin(losses[:-1]))][:2]
    assert net.is_finite() and np.isfinite(net.evaluate(X, Y)["loss"])
    assert "the loss stopped being finite by batch " in str(error)
    assert re.search("learning rate .*; (a smaller momentum or learning rate: )?try", str(error))
    assert isinstance(error, ArithmeticError)


@pytest.mark.parametrize("optimizer", [fm.SGD(1e200), fm.Adam(1e200)])
def test_divergence_in_the_first_epoch_leaves_the_weights_from_before(optimizer):
    net = regression()
    error, weights, losses = diverge(net, optimizer, batch_size=10)
    assert losses == []
    assert state(net)[:2] == weights[0][:2]
    assert "batch 2 of the epoch" in str(error) or "batch 4 of the epoch" in str(error)


@pytest.fixture(params=[1, 3, 7, 10**6])
def steps_per_chunk(request, monkeypatch):
    """Training in chunks of so many steps: of an epoch of four, a part, nearly all, or many."""
    monkeypatch.setattr(Pace, "_bounded", lambda self, n_steps: request.param)
    return request.param


CHUNKED = {
    "direct SGD": ([3, 5, 1], fm.SGD(0.05, weight_decay=0.01), {}),
    "momentum, schedule": ([3, 5, 1], fm.SGD(fm.Cosine(0.1, 3000), momentum=0.9), {}),
    "adam, dropout, ragged": ([3, fm.Dense(5, "tanh"), fm.Dropout(0.4), 1], fm.Adam(0.01), {"batch_size": 14}),
    "batch norm, weights": ([3, 5, fm.BatchNorm(), 1], fm.NAdam(), {"sample_weight": np.linspace(0.5, 2.0, 40)}),
    "two threads": ([3, 5, fm.BatchNorm(), 1], fm.SGD(0.05), {"n_threads": 2, "epochs": 60}),
    "in order": ([3, 5, 1], fm.RMSprop(0.01), {"shuffle": False}),
}


@pytest.mark.usefixtures("steps_per_chunk")
@pytest.mark.parametrize("name", CHUNKED)
def test_epochs_at_once_have_the_bits_of_epochs_one_by_one(name):
    """More steps than hyper-values are worked out for at once, so that a chunk ends within an epoch too."""
    layers, optimizer, settings = CHUNKED[name]
    settings = {"batch_size": 10, "optimizer": optimizer, "epochs": 1100} | settings
    at_once, one_by_one = (fm.Network(layers, activation="tanh", seed=3) for _ in range(2))
    history = at_once.fit(X, Y, **settings)
    expected = one_by_one.fit(X, Y, callbacks=[lambda run: None], **settings)
    assert state(at_once) == state(one_by_one)
    np.testing.assert_array_equal(history["loss"], expected["loss"])
    np.testing.assert_array_equal(history["learning_rate"], expected["learning_rate"])
    assert history.n_epochs == settings["epochs"] and (np.diff(history["seconds"]) > 0).all()


@pytest.mark.parametrize("optimizer", DIVERGING.values(), ids=DIVERGING)
def test_divergence_is_the_same_in_chunks_of_any_size(optimizer, steps_per_chunk):
    nets = [fm.Network([3, 5, fm.BatchNorm(), 1], activation="tanh", dtype="float64", seed=0) for _ in range(2)]
    diverge(nets[0], optimizer, batch_size=10)
    with pytest.raises(fm.DivergedError, match="by batch [1-4] of the epoch"):
        nets[1].fit(X, Y, epochs=60, optimizer=optimizer, batch_size=10)
    assert state(nets[1]) == state(nets[0])


@pytest.mark.usefixtures("steps_per_chunk")
def test_the_best_epoch_may_lie_far_behind_the_divergence():
    """Thirty good epochs, thirty in which the weights decay, then a step into nowhere."""
    optimizer = fm.SGD(lambda step: 0.05 if step < 240 else 1e200, weight_decay=lambda step: float(step >= 120))
    watched, unwatched = regression(), regression()
    _, weights, losses = diverge(watched, optimizer, batch_size=10, epochs=100)
    best = int(np.argmin(losses[:-1]))
    assert best < 35 and len(losses) >= 60
    with pytest.raises(fm.DivergedError):
        unwatched.fit(X, Y, epochs=100, optimizer=optimizer, batch_size=10)
    assert state(unwatched)[:2] == state(watched)[:2] == weights[1 + best][:2]


def test_divergence_of_a_full_batch_leaves_weights_whose_loss_is_finite():
    """The loss of a full batch is that of the weights before the step, so a step can spoil them unseen."""
    net = regression()
    diverge(net, fm.SGD(lambda step: 0.1 if step < 3 else 1e300), batch_size=40)
    assert np.isfinite(net.evaluate(X, Y)["loss"])


def test_divergence_of_lbfgs_at_once_leaves_the_weights_from_before():
    net = regression()
    before = state(net)
    with pytest.raises(fm.DivergedError, match="stopped being finite"):
        net.fit(X, Y * 1e200, optimizer=fm.LBFGS(), epochs=5)
    assert state(net)[0] == before[0]


def test_divergence_of_lbfgs_leaves_the_best_weights(monkeypatch):
    right, n_calls = lbfgs.loss_and_flat_gradient, 0

    def diverging(*args):
        nonlocal n_calls
        n_calls += 1
        loss, gradient = right(*args)
        return (np.inf if n_calls > 12 else loss), gradient

    monkeypatch.setattr(lbfgs, "loss_and_flat_gradient", diverging)
    net = regression()
    _, weights, losses = diverge(net, fm.LBFGS())
    assert len(losses) >= 3
    assert state(net)[0] == weights[1 + int(np.argmin(losses))][0]


def test_interrupt_in_a_callback_keeps_the_finished_epochs():
    net, weights = regression(), []

    def interrupt(run):
        weights.append(state(run.network)[0])
        if run.epoch == 2:
            raise KeyboardInterrupt

    history = net.fit(X, Y, epochs=10, callbacks=[interrupt])
    assert history.stop_reason == "interrupted"
    assert history.n_epochs == 3 and len(history["loss"]) == len(history["seconds"]) == 3
    assert state(net)[0] == weights[-1]
    assert net.fit(X, Y, epochs=1).stop_reason == "epochs"


@pytest.fixture
def ctrl_c_interrupts():
    """Python's own answer to SIGINT, also where the tests run in the background and the shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
@pytest.mark.parametrize(
    ("optimizer", "copies", "wait_for"), [(fm.SGD(0.01), 20_000, 0), (fm.Adam(), 20_000, 0), (fm.LBFGS(), 500, 1)]
)
def test_sigint_in_the_middle_of_a_long_epoch(optimizer, copies, wait_for):
    """An epoch takes seconds with an update rule; fit returns within a chunk of the signal."""
    rows, targets = np.tile(X, (copies, 1)), np.tile(Y, copies)
    net = fm.Network([3, 64, 64, 1], seed=0)
    before, epochs = state(net), []
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    def watch(run):
        epochs.append(run)
        if len(epochs) == wait_for:
            timer.start()

    if wait_for == 0:
        timer.start()
    batches = {} if isinstance(optimizer, fm.LBFGS) else {"batch_size": 4}
    history = net.fit(rows, targets, epochs=100, optimizer=optimizer, n_threads=1, callbacks=[watch], **batches)
    timer.join()
    assert history.stop_reason == "interrupted"
    assert history.n_epochs == len(epochs)
    assert state(net)[0] != before[0]
    assert net.is_finite() and np.isfinite(net.evaluate(X, Y)["loss"])


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_sigint_among_many_short_epochs_keeps_and_records_those_that_were_trained():
    net, again = regression(), regression()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    history = net.fit(X, Y, epochs=10**8, batch_size=10, optimizer=fm.SGD(0.01))
    timer.join()
    assert history.stop_reason == "interrupted"
    assert 100 < history.n_epochs < 10**8
    again.fit(X, Y, epochs=history.n_epochs, batch_size=10, optimizer=fm.SGD(0.01))
    assert state(again) == state(net)


def test_an_error_in_a_callback_comes_through_and_leaves_a_usable_network():
    net = regression()
    with pytest.raises(ZeroDivisionError):
        net.fit(X, Y, callbacks=[lambda run: 1 / 0])
    assert net.fit(X, Y, epochs=1).n_epochs == 1


@pytest.mark.parametrize("optimizer", [fm.SGD(0.01), fm.Adam(), fm.SGD(lambda step: 0.01, momentum=0.9)])
def test_memory_does_not_grow_with_the_number_of_batches(optimizer):
    """Past the few thousand steps whose hyper-values make one table, five times the batches take no more."""
    net = fm.Network([3, 4, 1], seed=0)
    peaks = []
    for n_batches in (20_000, 100_000):
        rows, targets = np.zeros((2 * n_batches, 3), np.float32), np.zeros((2 * n_batches, 1), np.float32)
        settings = {"epochs": 1, "batch_size": 2, "optimizer": optimizer, "shuffle": False, "n_threads": 1}
        net.fit(rows, targets, **settings)
        tracemalloc.start()
        net.fit(rows, targets, **settings)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 20_000, peaks


FULL_BATCH = """
import re, sys
import numpy as np
import fastmlp as fm

def megabytes(name):
    with open("/proc/self/status") as status:
        return int(re.search(name + r":\\s+(\\d+) kB", status.read())[1]) / 1024

rows = np.random.default_rng(0).integers(0, 256, size=(200_000, 784), dtype=np.uint8)
labels = np.arange(200_000) % 10
net = fm.Network([fm.Input(784, scale=1 / 255), 30, 10], activation="sigmoid", loss="cross_entropy", seed=0)
for optimizer in ("adam", "lbfgs"):
    net.fit(rows[:500], labels[:500], epochs=1, batch_size=500, optimizer=optimizer)
before = megabytes("VmRSS")
net.fit(rows, labels, epochs=1, batch_size=len(rows), optimizer=sys.argv[1], n_threads=2)
print(megabytes("VmHWM") - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the peak from /proc")
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_full_batch_over_large_data_needs_little_memory(optimizer):
    """157 MB of uint8 rows as one batch: the workspace depends neither on the data nor on the batch."""
    command = [sys.executable, "-c", FULL_BATCH, optimizer]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert float(result.stdout) < 48, result.stdout


def test_the_interpreter_goes_on_during_a_fit():
    """A Python thread counts while the core works; with the lock held it would get a turn once a chunk only."""
    rows, targets = np.tile(X, (500, 1)), np.tile(Y, 500)
    net = fm.Network([3, 64, 64, 1], seed=0)
    count, running = 0, True

    def tick():
        nonlocal count
        while running:
            count += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    before = count
    history = net.fit(rows, targets, epochs=2, batch_size=8, n_threads=1)
    ticks, chunks = count - before, history["seconds"][-1] / 0.05
    running = False
    thread.join()
    assert ticks > 5 * chunks, (ticks, chunks)


def test_fits_in_two_threads_give_what_they_give_alone():
    alone = [classifier(seed=seed) for seed in (0, 1)]
    together = [classifier(seed=seed) for seed in (0, 1)]
    for net in alone:
        net.fit(X, LABELS, epochs=20)
    threads = [threading.Thread(target=net.fit, args=(X, LABELS), kwargs={"epochs": 20}) for net in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state(net) for net in together] == [state(net) for net in alone]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
def test_a_fit_leaves_the_data_alone(optimizer):
    rows, targets, weights = X.copy(), Y.copy(), np.ones(40)
    for array in (rows, targets, weights):
        array.flags.writeable = False
    settings = {"sample_weight": weights, "validation_data": (rows, targets)}
    regression().fit(rows, targets, epochs=2, optimizer=optimizer, **settings)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(targets, Y)
