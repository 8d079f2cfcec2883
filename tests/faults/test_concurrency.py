"""Many threads: shared reads give the same bits, conflicting calls raise RuntimeError, no memory leaks."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import fastmlp as fm

LONG = os.environ.get("FASTMLP_LONG") == "1"
N_THREADS, N_TURNS = (64, 200) if LONG else (16, 20)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(700, 20)).astype(np.float32)
Y = RNG.integers(0, 3, size=700)


def make_network(seed=0, **options):
    return fm.Network([20, 32, fm.BatchNorm(), 16, 3], loss="cross_entropy", seed=seed, **options)


def fitted(seed, n_threads=1):
    net = make_network(seed)
    net.fit(X, Y, epochs=1, batch_size=64, n_threads=n_threads)
    return net


def in_threads(n, work):
    """Run work(i) in n threads at once; re-raise an error of any of them."""
    errors, gate = [], threading.Barrier(n)

    def run(i):
        gate.wait()
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def squares(targets, scores):
    return ((scores - targets) ** 2).sum(axis=1), 2 * (scores - targets)


def flat(result):
    """All numbers of a result, whatever its structure."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return np.concatenate([flat(part) for part in result])
    return np.ravel(np.asarray(result, dtype=np.float64))


READS = {
    "predict a row": lambda net: net.predict(X[:1]),
    "predict": lambda net: net.predict(X),
    "predict by two": lambda net: net.predict(X, n_threads=2),
    "predict sparse": lambda net: net.predict(pytest.importorskip("scipy.sparse").csr_matrix(X)),
    "evaluate": lambda net: net.evaluate(X, Y),
    "evaluate by two": lambda net: net.evaluate(X, Y, n_threads=2),
    "loss_and_gradients": lambda net: net.loss_and_gradients(X, Y),
    "loss_and_flat_gradient": lambda net: net.loss_and_flat_gradient(X, Y, dropout_seed=3, n_threads=2),
    "input_gradients": lambda net: net.input_gradients(X[:50]),
    "activations": lambda net: net.activations(X),
    "cost_surface": lambda net: net.cost_surface(X[:20], Y[:20], [0, 5], [np.linspace(-1, 1, 9)] * 2),
    "copy": lambda net: net.copy().params,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)).params,
    "check_gradients": lambda net: fm.check_gradients(fm.Network([20, 3], loss="cross_entropy", seed=0), X[:3], Y[:3]),
}


@pytest.mark.parametrize("custom", [False, True], ids=["table", "custom loss"])
def test_shared_reads_equal_the_serial_ones_to_the_bit(custom):
    net = fitted(1)
    if custom:
        net.loss = fm.CustomLoss(squares, output="softmax")
    reads = list(READS.values())
    alone = [flat(read(net)) for read in reads]

    def work(i):
        for turn in range(len(reads) if custom else 3 * len(reads)):
            k = (i + turn) % len(reads)
            np.testing.assert_array_equal(flat(reads[k](net)), alone[k])

    in_threads(8, work)


def test_sample_gradients_are_shared_too():
    net = fm.Network([20, 8, 3], loss="cross_entropy", seed=0)
    alone = net.sample_gradients(X, Y)
    in_threads(4, lambda i: np.testing.assert_array_equal(net.sample_gradients(X, Y, n_threads=1 + i % 2), alone))


def test_a_new_network_may_be_predicted_by_all_at_once():
    """The first prediction creates what later ones reuse; here several threads create it at once."""
    for seed in range(50):
        net = make_network(seed)
        alone = net.copy().predict(X[:2])
        in_threads(4, lambda i, net=net, alone=alone: np.testing.assert_array_equal(net.predict(X[:2]), alone))


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.plain_build(reason="the address sanitizer keeps what was freed, so memory grows")
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's resident set")
def test_fits_and_predicts_of_many_threads_are_right_and_leak_nothing():
    """Fit separate networks and predict with a shared one; the resident memory must not grow in the second half."""
    shared = fitted(99)
    expected = shared.predict(X), shared.predict(X[:1]), shared.evaluate(X, Y)
    params = [fitted(seed, 1 + seed % 2).params for seed in range(8)]
    turns, sizes, lock = [0], [], threading.Lock()

    def work(i):
        for turn in range(N_TURNS):
            seed = (i + turn) % 8
            np.testing.assert_array_equal(fitted(seed, 1 + seed % 2).params, params[seed])
            np.testing.assert_array_equal(shared.predict(X), expected[0])
            np.testing.assert_array_equal(shared.predict(X[:1]), expected[1])
            assert shared.evaluate(X, Y) == expected[2]
            with lock:
                turns[0] += 1
                if turns[0] % N_THREADS == 0:
                    sizes.append(resident_bytes())

    gc.collect()
    in_threads(N_THREADS, work)
    assert turns[0] == N_THREADS * N_TURNS
    last_half = sizes[len(sizes) // 2 :]
    if LONG:
        print("resident MB:", " ".join(f"{size / 1e6:.1f}" for size in sizes[:: len(sizes) // 20]))
    assert max(last_half) - last_half[0] < 2e6


class Held:
    """A fit in another thread that is paused in its callback."""

    def __init__(self, net):
        self.net, self.inside, self.go_on = net, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.fit)

    def fit(self):
        self.net.fit(X, Y, epochs=2, batch_size=64, callbacks=[self.wait])

    def wait(self, run):
        self.inside.set()
        assert self.go_on.wait(60)

    def __enter__(self):
        self.thread.start()
        assert self.inside.wait(60)

    def __exit__(self, *_):
        self.go_on.set()
        self.thread.join()


WRITES = {
    "fit": lambda net: net.fit(X, Y, epochs=1),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "initialize": lambda net: net.initialize(),
    "freeze": lambda net: net.freeze(0),
    "unfreeze": lambda net: net.unfreeze(),
    "params": lambda net: setattr(net, "params", np.zeros(net.n_params)),
    "optimizer_state": lambda net: setattr(net, "optimizer_state", None),
    "restore": lambda net: net.restore(make_network().snapshot()),
}
CALLS = {name: call for name, call in (READS | WRITES).items() if name != "check_gradients"}


@pytest.mark.parametrize("name", [*CALLS, "save"])
def test_what_another_thread_trains_is_refused(name, tmp_path):
    net, alone = make_network(3), make_network(3)
    alone.fit(X, Y, epochs=2, batch_size=64)
    call = CALLS.get(name, lambda net: net.save(tmp_path / "net.safetensors"))
    net.predict(X[:1])  # prepares the fast path of predict
    with Held(net), pytest.raises(RuntimeError, match=r"another thread is training this network.*net\.copy\(\)"):
        call(net)
    np.testing.assert_array_equal(net.params, alone.params)
    call(net)  # the fit is over
    assert list(tmp_path.iterdir()) == ([tmp_path / "net.safetensors"] if name == "save" else [])


def test_a_copy_made_before_is_free():
    net = make_network(3)
    twin = net.copy()
    with Held(net):
        twin.fit(X, Y, epochs=1)
        assert twin.evaluate(X, Y)["loss"] < 2


@pytest.mark.parametrize("name", WRITES)
def test_what_another_thread_reads_is_not_changed(name):
    """A loss in Python pauses an evaluation halfway."""
    inside, go_on = threading.Event(), threading.Event()

    def loss(targets, scores):
        inside.set()
        assert go_on.wait(60)
        return squares(targets, scores)

    net = make_network(4)
    net.loss = fm.CustomLoss(loss, output="softmax")
    before = net.params.copy()
    reader = threading.Thread(target=net.evaluate, args=(X, Y))
    reader.start()
    assert inside.wait(60)
    try:
        with pytest.raises(RuntimeError, match="another call is still reading this network"):
            WRITES[name](net)
        np.testing.assert_array_equal(net.params, before)
    finally:
        go_on.set()
        reader.join()
    WRITES[name](net)


@pytest.mark.parametrize("name", ["fit", "train_on_batch"])
def test_a_fit_inside_its_own_fit_is_refused(name):
    net = make_network(5)
    with pytest.raises(RuntimeError, match="already being trained, by the fit that made this call"):
        net.fit(X, Y, epochs=2, callbacks=[lambda run: WRITES[name](net)])
    net.fit(X, Y, epochs=1)  # the lock is released


def test_a_callback_may_read_save_and_copy(tmp_path):
    net, alone = make_network(6), make_network(6)
    alone.fit(X, Y, epochs=2)
    seen = []

    def look(run):
        for name, read in READS.items():
            seen.append((name, flat(read(run.network))))
        run.network.save(tmp_path / "net.safetensors")
        copy.deepcopy(run.network).fit(X, Y, epochs=1)

    net.fit(X, Y, epochs=2, callbacks=[look])
    np.testing.assert_array_equal(net.params, alone.params)
    for name, result in seen[len(READS) :]:
        np.testing.assert_array_equal(result, flat(READS[name](net)), err_msg=name)
    np.testing.assert_array_equal(fm.load(tmp_path / "net.safetensors").params, net.params)


def test_a_callback_may_change_what_it_trains():
    net = make_network(7)
    net.fit(X, Y, epochs=1, callbacks=[lambda run: setattr(run.network, "params", np.zeros(net.n_params))])
    assert not net.params.any()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_of_any_kind_leaves_the_network_free(error):
    net = make_network(8)

    def fail(run):
        raise error("on purpose")

    if error is KeyboardInterrupt:
        assert net.fit(X, Y, callbacks=[fail]).stop_reason == "interrupted"
    else:
        with pytest.raises(error, match="on purpose"):
            net.fit(X, Y, callbacks=[fail])
    with pytest.raises(ValueError, match="epochs"):
        net.fit(X, Y, epochs=0)
    with pytest.raises(ValueError, match="columns"):
        net.train_on_batch(X[:, :3], Y)
    in_threads(1, lambda i: net.fit(X, Y, epochs=1))
    in_threads(1, lambda i: net.predict(X[:1]))


def test_access_travels_with_no_copy():
    net = make_network(9)
    with Held(make_network(10)):
        pass
    copies = []
    net.fit(X, Y, epochs=1, callbacks=[lambda run: copies.append((net.copy(), pickle.dumps(net), copy.copy(net)))])
    for twin in (copies[0][0], pickle.loads(copies[0][1]), copies[0][2]):
        twin.predict(X[:1])
        in_threads(1, lambda i, twin=twin: twin.fit(X, Y, epochs=1))


INTERRUPTED = """
import signal, sys, threading, _thread
import numpy as np
import fastmlp as fm
net = fm.Network([3, 4, 1], seed=0)
X = np.ones((4, 3), dtype=np.float32)
refused = []
def beside():
    for call in (lambda: net.train_on_batch(X, X[:, 0]), lambda: net.predict(X)):
        try:
            call()
        except RuntimeError as error:
            refused.append(error)
interrupts = 0
for count in range(1500):
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 * (1 + count % 300))
        while True:
            net.train_on_batch(X, X[:, 0])
            net.evaluate(X, X[:, 0])
            net.params = net.params
    except KeyboardInterrupt:
        interrupts += 1
    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
print(interrupts, len(refused))
"""


@pytest.mark.plain_build(reason="hundreds of interrupted calls take minutes in a build with checks")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX timers")
def test_an_interrupt_at_any_moment_leaves_the_network_free():
    program = "import signal\nsignal.signal(signal.SIGALRM, signal.default_int_handler)\n" + INTERRUPTED
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["1500", "0"], done.stderr
