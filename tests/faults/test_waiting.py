"""`wait=True`: calls wait in line for a network that others use, and nobody waits for ever."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import fastmlp as fm
from cnn_core.machine.access import Access

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = RNG.normal(size=(60, 1))


class Gate:
    """A loss that, once closed, holds the next call until it may go on, and may call something in the meantime."""

    def __init__(self):
        self.closed, self.inside, self.go_on = False, threading.Event(), threading.Event()
        self.call = lambda: None

    def __call__(self, targets, scores):
        if self.closed:
            self.closed = False
            self.inside.set()
            assert self.go_on.wait(60)
            self.call()
        error = scores - targets
        return (error**2).sum(axis=1) / 2, error


def make():
    gate = Gate()
    return fm.Network([4, 5, 1], loss=fm.CustomLoss(gate), dtype="float64", seed=0), gate


def wait_for_line(access, n):
    """Until this many callers are in line; a call that never comes is the test's time limit."""
    end = time.monotonic() + 60
    while access.n_waiting() != n:
        assert time.monotonic() < end
        time.sleep(0.001)


def started(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


HOLDERS = {
    "fit": lambda net: net.fit(X, Y, epochs=1, batch_size=60),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "gradient": lambda net: net.gradient(X, Y),
    "evaluate": lambda net: net.evaluate(X, Y),
}
WAITING = {
    "fit": lambda net, **more: net.fit(X, Y, epochs=2, **more),
    "fit of chunks": lambda net, **more: net.fit(fm.Chunks([(X, Y)]), epochs=2, **more),
    "train_on_batch": lambda net, **more: net.train_on_batch(X, Y, **more),
    "gradient": lambda net, **more: net.gradient(X, Y, **more),
    "apply_gradient": lambda net, **more: net.apply_gradient(np.ones(net.n_params), fm.SGD(0.1), **more),
    "predict": lambda net, **more: net.predict(X, **more),
    "predict a row": lambda net, **more: net.predict(X[:1], **more),
    "predict chunks": lambda net, **more: net.predict(fm.Chunks([X]), **more),
    "evaluate": lambda net, **more: net.evaluate(X, Y, **more),
    "loss_and_gradients": lambda net, **more: net.loss_and_gradients(X, Y, **more),
    "loss_and_flat_gradient": lambda net, **more: net.loss_and_flat_gradient(X, Y, **more),
    "sample_gradients": lambda net, **more: net.sample_gradients(X, Y, **more),
    "input_gradients": lambda net, **more: net.input_gradients(X, **more),
    "activations": lambda net, **more: net.activations(X, **more),
    "cost_surface": lambda net, **more: net.cost_surface(X, Y, 0, np.linspace(0, 1, 3), **more),
}
WRITES = ("fit", "fit of chunks", "train_on_batch", "gradient", "apply_gradient")


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", WAITING)
def test_a_call_waits_where_it_would_raise(name, holder):
    if holder == "evaluate" and name not in WRITES:
        pytest.skip("readers do not exclude each other")
    (net, gate), (twin, _) = make(), make()
    HOLDERS[holder](twin)
    WAITING[name](twin)
    gate.closed = True
    thread = started(lambda: HOLDERS[holder](net))
    assert gate.inside.wait(60)
    with pytest.raises(RuntimeError):
        WAITING[name](net)
    with pytest.raises(RuntimeError):
        WAITING[name](net, wait=False)
    waiting = started(lambda: WAITING[name](net, wait=True))
    wait_for_line(net._access, 1)
    assert waiting.is_alive()
    gate.go_on.set()
    thread.join()
    waiting.join()
    np.testing.assert_array_equal(net.params, twin.params)
    assert net._access.n_waiting() == 0


@pytest.mark.parametrize("given", [None, 1, "yes"])
@pytest.mark.parametrize("name", WAITING)
def test_it_is_true_or_false(name, given):
    with pytest.raises(TypeError, match="wait must be True or False"):
        WAITING[name](make()[0], wait=given)


def test_whoever_waits_gets_its_turn_in_line():
    """One reads; then come a writer, a reader and a writer: the reader does not overtake the first writer."""
    net, gate = make()
    done, gate.closed = [], True
    first = started(lambda: net.evaluate(X, Y))
    assert gate.inside.wait(60)

    def noted(name, call):
        return started(lambda: (call(), done.append(name)))

    def fit(name):
        return noted(
            name, lambda: net.fit(X, Y, epochs=1, callbacks=[lambda run: done.append(f"{name} trains")], wait=True)
        )

    threads = []
    for n, start in enumerate(
        [
            lambda: fit("first writer"),
            lambda: noted("reader", lambda: net.predict(X, wait=True)),
            lambda: fit("second writer"),
        ],
        1,
    ):
        threads.append(start())
        wait_for_line(net._access, n)
    assert net.predict(X[:1]).shape == (1, 1)  # without `wait`, readers share as ever
    gate.go_on.set()
    for thread in (first, *threads):
        thread.join()
    assert done.index("first writer trains") == 0
    assert done.index("second writer trains") > 1


def test_readers_share_and_do_not_wait_for_each_other():
    net, gate = make()
    gate.closed = True
    thread = started(lambda: net.evaluate(X, Y))
    assert gate.inside.wait(60)
    assert net.predict(X, wait=True).shape == (60, 1)
    assert net.evaluate(X, Y, wait=True)["loss"] > 0
    gate.go_on.set()
    thread.join()


def test_a_thread_never_waits_for_itself():
    """Calls in a callback, or in a loss while a writer waits, raise or go through, as without `wait`."""
    net, gate = make()

    def callback(run):
        assert net.predict(X, wait=True).shape == (60, 1)
        for name in WRITES:
            with pytest.raises(RuntimeError, match="already being trained"):
                WAITING[name](net, wait=True)

    net.fit(X, Y, epochs=1, callbacks=[callback], wait=True)
    seen = []

    def inside():
        wait_for_line(net._access, 1)
        seen.append(net.predict(X[:1], wait=True))
        seen.append(net.evaluate(X[:5], Y[:5], wait=True))
        with pytest.raises(RuntimeError, match="still reading this network"):
            net.train_on_batch(X, Y, wait=True)

    gate.closed, gate.call = True, inside
    gate.go_on.set()
    writer = None

    def begin():
        nonlocal writer
        writer = started(lambda: net.fit(X, Y, epochs=1, wait=True))

    gate.inside.clear()
    starter = started(lambda: gate.inside.wait(60) and begin())
    net.evaluate(X, Y)
    starter.join()
    writer.join()
    assert len(seen) == 2


def counting():
    """A network without inputs that matter: after k steps, its weights are all k."""
    net = fm.Network([6, 1], bias=False, init="zeros", loss="absolute_error", dtype="float64", seed=0)
    return net, np.eye(6), np.full(6, 90.0)


@pytest.mark.parametrize("n_writers", [1, 3])
def test_no_call_of_many_threads_is_refused_or_sees_half_an_update(n_writers):
    net, rows, far = counting()
    errors, gate = [], threading.Barrier(n_writers + 3)

    def run(work):
        gate.wait()
        try:
            for turn in range(20):
                work(turn)
        except BaseException as error:
            errors.append(error)

    def write(turn):
        if turn % 2:
            net.train_on_batch(rows, far, optimizer=fm.SGD(6.0), wait=True)
        else:
            net.fit(rows, far, epochs=1, batch_size=6, optimizer=fm.SGD(6.0), warm_start=True, wait=True)

    def read(turn):
        seen = net.predict(rows, wait=True) if turn % 2 else net.predict(np.tile(rows, (10, 1)), wait=True)
        assert np.ptp(seen) == 0 and seen[0, 0] % 1 == 0

    works = [write] * n_writers + [read] * 3
    threads = [started(lambda work=work: run(work)) for work in works]
    for thread in threads:
        thread.join()
    assert not errors, errors
    np.testing.assert_array_equal(net.params, 20.0 * n_writers)
    assert net.optimizer_state.n_steps == 20 * n_writers


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the system cannot signal a thread")
@pytest.mark.parametrize("name", ["fit", "predict"])
def test_an_interrupt_ends_the_wait(name):
    net, gate = make()
    gate.closed = True
    thread = started(lambda: net.fit(X, Y, epochs=1))
    assert gate.inside.wait(60)
    main = threading.get_ident()

    def interrupt():
        wait_for_line(net._access, 1)
        signal.pthread_kill(main, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    interrupter = started(interrupt)
    with pytest.raises(KeyboardInterrupt):
        WAITING[name](net, wait=True)
    interrupter.join()
    signal.signal(signal.SIGINT, before)
    assert net._access.n_waiting() == 0
    gate.go_on.set()
    thread.join()
    WAITING[name](net)


FORK = """
import os, threading, time
import numpy as np
import fastmlp as fm

X = np.ones((8, 2))
net = fm.Network([2, 1], seed=0)
inside, go_on = threading.Event(), threading.Event()

def hold(run):
    inside.set()
    go_on.wait(60)

threads = [threading.Thread(target=net.fit, args=(X, np.ones(8)), kwargs={"epochs": 1, "callbacks": [hold]})]
threads[0].start()
inside.wait(60)
threads += [threading.Thread(target=call, kwargs={"wait": True}) for call in (
    lambda **more: net.fit(X, np.ones(8), **more), lambda **more: net.predict(X, **more))]
for thread in threads[1:]:
    thread.start()
while net._access.n_waiting() < 2:
    time.sleep(0.001)
child = os.fork()
if child == 0:
    assert net._access.n_waiting() == 0
    net.predict(X, wait=True)
    net.fit(X, np.ones(8), epochs=1, wait=True)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
go_on.set()
for thread in threads:
    thread.join()
assert net._access.n_waiting() == 0
print("free")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_forked_during_a_wait_is_free():
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout == "free\n", done.stderr


def test_a_use_that_is_dropped_is_over():
    access = Access()
    use = access.reading
    use.__enter__()
    with pytest.raises(RuntimeError), access.training:
        pass
    del use
    with access.to_train(True):
        pass


# --- Estimators ---


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_partial_fit_and_predictions_of_an_estimator_take_turns(kind):
    pytest.importorskip("sklearn")
    labels = (X[:, 0] > 0).astype(int)
    model = getattr(fm, kind)(hidden_layer_sizes=(5,), wait=True, random_state=0)
    more = {"classes": [0, 1]} if kind == "MLPClassifier" else {}
    model.partial_fit(X, labels, **more)
    errors, stop = [], threading.Event()

    def read():
        try:
            while not stop.is_set():
                model.predict(X)
                model.predict(X[:1])
                if more:
                    model.predict_log_proba(X)
        except BaseException as error:
            errors.append(error)

    threads = [started(read) for _ in range(2)]
    try:
        for _ in range(20):
            model.partial_fit(X, labels)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors, errors
    assert model.network_.optimizer_state.n_steps == 21


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_fits_of_one_estimator_take_turns():
    pytest.importorskip("sklearn")
    model = fm.MLPRegressor(hidden_layer_sizes=(5,), wait=True, max_iter=2, warm_start=True, random_state=0)
    model.fit(X, Y.ravel())
    threads = [started(lambda: model.fit(X, Y.ravel())) for _ in range(4)]
    for thread in threads:
        thread.join()
    assert model.network_.optimizer_state.n_steps == 10
