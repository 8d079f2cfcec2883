"""Child processes, forked after or during training or spawned: all of them end, with the right bits."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

HEAD = """
import concurrent.futures, multiprocessing, os, sys, threading
import numpy as np
import fastmlp as fm

X = np.random.default_rng(0).normal(size=(600, 4))
Y = X[:, 0] * X[:, 1]

def fit(seed, n_threads):
    net = fm.Network([4, 40, 8, 1], dtype="float64", seed=seed)
    net.fit(X, Y, epochs=3, batch_size=300, n_threads=n_threads)
    return np.concatenate([net.params, net.predict(X, n_threads=n_threads).ravel(), net.predict(X[:1]).ravel()])

def fit_two(seed):
    return fit(seed, 2)

def in_child(work):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            os.write(write, work())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        return pipe.read()
"""

POOLS = """
def results(pool):
    return [np.asarray(result) for result in pool.map(fit_two, range(3))]

if __name__ == "__main__":
    one, two = ([fit(seed, n) for seed in range(3)] for n in (1, 2))
    assert not np.array_equal(one, two)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        np.testing.assert_array_equal(results(pool), one)  # a child uses one thread
    for method, expected in (("fork", one), ("spawn", two)):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            np.testing.assert_array_equal(results(pool), expected)
    np.testing.assert_array_equal([fit(seed, 2) for seed in range(3)], two)  # the parent still has its threads
    print("same")
"""

FRESH = """
expected = []
child = in_child(lambda: fit(0, 2).tobytes())  # nothing was trained before: the child may use two threads
assert child == fit(0, 2).tobytes()
print("same")
"""

WITHIN = """
nets = [fm.Network([4, 40, 8, 1], dtype="float64", seed=seed) for seed in range(2)]
go_on = True
def train(net, n_threads):
    while go_on:
        net.fit(X, Y, epochs=20, batch_size=300, n_threads=n_threads)
threads = [threading.Thread(target=train, args=(net, n)) for net, n in zip(nets, (1, 2))]
for thread in threads:
    thread.start()
def use():
    for net in nets:  # half-updated, perhaps, but not locked in the child
        net.copy().fit(X, Y, epochs=1)
        net.fit(X, Y, epochs=1, n_threads=2)
        net.train_on_batch(X, Y)
        net.evaluate(X, Y)
        assert np.isfinite(net.predict(X[:1])).all()
    return fit(0, 2).tobytes()
alone = fit(0, 1).tobytes()
for _ in range(10):
    assert in_child(use) == alone
go_on = False
for thread in threads:
    thread.join()
print("same")
"""

CALLBACK = """
outcomes = []
def fork(run):
    if run.epoch == 0:
        outcomes.append(in_child(child))
def child():
    assert net.predict(X).shape == (600, 1)
    try:
        net.fit(X, Y)  # the fit continues here too
    except RuntimeError as error:
        refused = "already being trained" in str(error)
    def beside():
        try:
            net.predict(X)
        except RuntimeError:
            outcomes.append("refused")
    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    return str((refused, outcomes)).encode()
net = fm.Network([4, 40, 8, 1], dtype="float64", seed=0)
net.fit(X, Y, epochs=2, callbacks=[fork])
assert outcomes == [b"(True, ['refused'])"], outcomes
twice = fm.Network([4, 40, 8, 1], dtype="float64", seed=0)
twice.fit(X, Y, epochs=2)
assert (net.params == twice.params).all()

def both(run):
    global pid
    if run.epoch == 0:
        pid = os.fork()
pid = None
net = fm.Network([4, 40, 8, 1], dtype="float64", seed=0)
net.fit(X, Y, epochs=2, n_threads=1, callbacks=[both])  # continues in both processes
if pid == 0:
    os._exit(0 if (net.params == twice.params).all() and fit(1, 2).all() else 1)
assert os.waitpid(pid, 0)[1] == 0

def chunks():
    for _ in range(3):
        yield X, Y
net = fm.Network([4, 40, 8, 1], dtype="float64", seed=0)
try:
    net.fit(fm.Chunks(chunks), epochs=30, n_threads=1, callbacks=[both])
except RuntimeError as error:
    os._exit(0 if pid == 0 and "forked during the fit" in str(error) else 1)
assert pid != 0 and os.waitpid(pid, 0)[1] == 0
print("same")
"""

GO_ON = """
import signal, time

def squares(y_true, scores):
    return 0.5 * ((scores - y_true) ** 2).sum(axis=1), scores - y_true

class Fork:
    "Forks at its first call; the child goes on with what it was called from, and may not take long."
    def __init__(self):
        self.pid = None
    def __call__(self):
        if self.pid is None:
            self.pid = os.fork()
            if self.pid == 0:
                signal.alarm(30)

class Seen(fm.Callback):
    def on_gradient(self, run, gradient):
        fork()

def loss(y_true, scores):
    fork()
    return squares(y_true, scores)

def metric(y_true, y_pred):
    fork()
    return 0.0

def source():
    global reads
    reads += 1
    for start in (0, 300):
        if reads == 3 and start:  # by now another thread reads ahead
            fork()
        yield X[start : start + 300], Y[start : start + 300]

def after_each(run):
    fork()

ON_TWO = {"epochs": 3, "batch_size": 300, "n_threads": 2}
WHOLE = {"epochs": 3, "n_threads": 2, "callbacks": [after_each]}
CASES = {  # the call, and whether the child ends with the numbers of the parent
    "callback": (lambda net: net.fit(X, Y, callbacks=[after_each], **ON_TWO), True),
    "metric": (lambda net: net.fit(X, Y, metrics=[metric], validation_data=(X, Y), **ON_TWO), True),
    "lbfgs": (lambda net: net.fit(X, Y, optimizer="lbfgs", **WHOLE), True),
    "levenberg_marquardt": (lambda net: net.fit(X, Y, optimizer="levenberg_marquardt", **WHOLE), True),
    "loss": (lambda net: net.fit(X, Y, **ON_TWO), False),
    "loss in one thread": (lambda net: net.fit(X, Y, **(ON_TWO | {"n_threads": 1})), True),
    "loss of evaluate": (lambda net: net.evaluate(X, Y, n_threads=2), True),
    "loss of lbfgs": (lambda net: net.fit(X, Y, optimizer="lbfgs", epochs=3, n_threads=2), True),
    "on_gradient": (lambda net: net.fit(X, Y, callbacks=[Seen()], **ON_TWO), False),
    "source": (lambda net: net.fit(fm.Chunks(source), **ON_TWO), False),
}
for name, (call, goes_on) in CASES.items():
    reads, fork = 0, Fork()
    net = fm.Network([4, fm.Dense(40, "tanh"), 8, 1], dtype="float64", seed=0,
                     loss=fm.CustomLoss(loss) if "loss" in name else "squared_error")
    before = net.params.copy()
    read, write = os.pipe()
    try:
        call(net)
        params = net.params
    except RuntimeError as error:
        assert fork.pid == 0 and not goes_on and "in a process that its loss or on_gradient forked" in str(error)
        assert (net.params == before).all()
        net.loss = "squared_error"
        net.fit(X, Y, **ON_TWO)  # but the child can train
        params = np.full_like(before, -1.0)
    if fork.pid == 0:
        os.write(write, params.tobytes())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        child = np.frombuffer(pipe.read())
    status = os.waitpid(fork.pid, 0)[1]
    if name == "source":
        assert os.WEXITSTATUS(status) == 1 and len(child) == 0, status
    elif goes_on:
        assert status == 0 and np.abs(child - params).max() < 1e-9 * np.abs(params).max(), (name, status)
    else:
        assert status == 0 and (child == -1).all(), (name, status)
print("same")
"""

BLAS = """
from threadpoolctl import threadpool_info
from fastmlp.machine.threads import single_threaded_blas
def sizes():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}
before = sizes()
with single_threaded_blas:
    pid = os.fork()
    assert sizes() == {1}
    with single_threaded_blas:
        pass
    assert sizes() == {1}
good = sizes() == before
if pid == 0:
    os._exit(not good)
assert good and os.waitpid(pid, 0)[1] == 0
inside, go_on = threading.Event(), threading.Event()
def hold():
    with single_threaded_blas:
        inside.set()
        go_on.wait()
thread = threading.Thread(target=hold)
thread.start()
inside.wait()
def use():
    with single_threaded_blas:  # the other thread does not exist in the child
        pass
    return str(sizes()).encode()
assert in_child(use) == str(before).encode()
go_on.set()
thread.join()
assert sizes() == before
print("same")
"""


@pytest.mark.parametrize(
    "program",
    [POOLS, FRESH, WITHIN, CALLBACK, GO_ON, BLAS],
    ids=["pools", "fresh", "within", "callback", "go on", "blas"],
)
def test_processes_end_with_the_bits_they_should(program, tmp_path):
    script = tmp_path / "forks.py"
    script.write_text(HEAD + program, encoding="utf-8")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "same", result.stderr
