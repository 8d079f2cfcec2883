"""The process that `test_interrupt.py` interrupts: ``interrupted.py case n_times`` repeats a long call.

It prints "go" before each call; after it, the time on the system's monotonic clock and whether the network is usable.
"""

import signal
import sys
import time

import numpy as np
import scipy.optimize  # noqa: F401  what is imported at first use comes before anything is timed

import fastmlp as fm
from fastmlp.training import fit, lbfgs, levenberg_marquardt, online  # noqa: F401

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(60_000, 784), dtype=np.uint8)
LABELS = RNG.integers(0, 10, size=60_000)
WIDE = [fm.Input(784, scale=1 / 255), 400, 10]  # an epoch takes more than a second


def many(n, width=20):
    X = RNG.normal(size=(n, width)).astype(np.float32)
    return X, X[:, 0] * X[:, 1]


def blocks():
    while True:
        yield PIXELS[:20_000], LABELS[:20_000]


def hang():
    yield PIXELS[:3000], LABELS[:3000]
    time.sleep(600)


def slow_loss(targets, scores):
    time.sleep(0.01)
    return ((scores - targets) ** 2).sum(axis=1), 2 * (scores - targets)


def wide(**options):
    return fm.Network(WIDE, loss="cross_entropy", seed=0, **options)


def make(case):
    """A network and a call on it that takes more than a second."""
    net = wide()
    if case == "fit":
        return net, lambda: net.fit(PIXELS, LABELS, epochs=100, n_threads=1)
    if case == "fit_threads":
        return net, lambda: net.fit(PIXELS, LABELS, epochs=100, batch_size=2000, n_threads=2)
    if case == "fit_average":
        return net, lambda: net.fit(PIXELS, LABELS, epochs=100, average=0.99, callbacks=[fm.EarlyStopping()])
    if case == "fit_tiny":
        net = fm.Network([1, 1], seed=0)
        x = np.ones((10_000, 1))
        return net, lambda: net.fit(x, x, epochs=10**9, batch_size=1, optimizer=fm.SGD(0.01), shuffle=False)
    if case in ("validation", "metrics"):
        more = {"metrics": ["macro_f1"]} if case == "metrics" else {}
        return net, lambda: net.fit(
            PIXELS[:100], LABELS[:100], epochs=10**6, validation_data=(PIXELS, LABELS), n_threads=1, **more
        )
    if case == "lbfgs":
        return net, lambda: net.fit(PIXELS, LABELS, epochs=10**6, optimizer=fm.LBFGS(), n_threads=1)
    if case == "levenberg_marquardt":
        net = fm.Network([20, 30, 1], activation="tanh", seed=0)
        X, y = many(100_000)
        return net, lambda: net.fit(X, y, epochs=10**6, optimizer=fm.LevenbergMarquardt(), n_threads=1)
    if case == "chunks":
        return net, lambda: net.fit(fm.Chunks(blocks), epochs=10)
    if case == "hanging_source":
        return net, lambda: net.fit(fm.Chunks(hang), epochs=10)
    if case == "custom_loss":
        net.loss = fm.CustomLoss(slow_loss, output="softmax")
        return net, lambda: net.fit(PIXELS, LABELS, epochs=100)
    if case == "check":
        X = np.ones((5_000_000, 20), dtype=np.float32)
        net = fm.Network([20, 1], seed=0)
        return net, lambda: net.evaluate(X, X[:, 0])
    calls = {
        "predict": lambda: net.predict(PIXELS, n_threads=1),
        "evaluate": lambda: net.evaluate(PIXELS, LABELS, n_threads=1),
        "activations": lambda: net.activations(PIXELS, n_threads=1),
        "loss_and_gradients": lambda: net.loss_and_gradients(PIXELS, LABELS, n_threads=1),
        "sample_gradients": lambda: net.sample_gradients(PIXELS[:500], LABELS[:500], n_threads=1),
        "input_gradients": lambda: net.input_gradients(PIXELS[:10_000], n_threads=1),
        "cost_surface": lambda: small.cost_surface(*few, [0, 5], [np.linspace(-1, 1, 2000)] * 2, n_threads=1),
        "cost_surface_of_many": lambda: net.cost_surface(PIXELS, LABELS, [0, 5], [np.linspace(-1, 1, 30)] * 2),
    }
    few = many(30)
    small = fm.Network([20, 8, 1], seed=0)
    return net, calls[case]


def interrupted(call):
    """Repeat the call until Ctrl-C. A fit reports it as its stop reason, any other call raises KeyboardInterrupt."""
    try:
        while True:
            result = call()
            if isinstance(result, fm.History):
                return result.stop_reason == "interrupted"
    except KeyboardInterrupt:
        return True


def main(case, n_times):
    net, call = make(case)
    for _ in range(n_times):
        print("go", flush=True)
        was_interrupted = interrupted(call)
        now = time.monotonic()
        finite = np.isfinite(net.params).all() and np.isfinite(net.predict(np.ones((2, net.n_features)))).all()
        print(now, "usable" if was_interrupted and finite else "unusable", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it in background jobs
    main(sys.argv[1], int(sys.argv[2]))
