"""Runs everything in the core, at sizes small enough for tools that slow it down a hundredfold.

python .ci/small_training.py [N_THREADS ...]          1 and 2 threads if none is given
"""

import sys

import numpy as np
from scipy.sparse import csr_array

import fastmlp as fm

RNG = np.random.default_rng(0)
N = 70
X = RNG.normal(size=(N, 11)) * (RNG.uniform(size=(N, 11)) < 0.4)
Y = RNG.uniform(0.1, 0.9, size=(N, 3))
OPTIMIZERS = [
    fm.SGD(0.05), fm.SGD(0.05, momentum=0.9, nesterov=True), fm.RMSprop(), fm.Adagrad(), fm.Adam(fm.Cosine(0.01, 9)),
    fm.AdamW(), fm.NAdam(), fm.Rprop(), fm.Rprop(backtrack=True),
]  # fmt: skip
LAYERS = {
    "dense": (),
    "batch_norm": (fm.BatchNorm(), fm.Dropout(0.3), fm.Dense(7, "elu"), fm.BatchNorm()),
    "layer_norm": (fm.LayerNorm(), fm.Activation("gelu")),
    "parametric": (fm.Dense(9, "mish", parametric=True), fm.Activation("relu", parametric=True)),
}


class Halved(fm.Callback):
    """Sees each gradient before its update, and changes it; uses another network meanwhile."""

    def on_gradient(self, run, gradient):
        gradient *= 0.5
        network().predict(X, n_threads=2)


def judged(y_true, scores):
    """A loss that uses another network in every way, with a team inside the team that calls it."""
    judge = fm.Network([3, fm.Dense(9, "tanh"), 3], seed=0)
    for n_threads in (1, 2):
        look(judge, n_threads, scores, y_true)
        train(judge, n_threads, scores, y_true)
        judge.apply_gradient(judge.gradient(scores, y_true, n_threads=n_threads))
        for whole in WHOLE:
            train(judge, n_threads, scores, y_true, optimizer=whole())
    judge.train_on_batch(scores, y_true)
    error = scores - y_true
    return (error**2).sum(axis=1), 2 * error


OPTIONS = [
    {"average": 0.9, "accumulate": 2},
    {"clip_norm": 0.1, "clip_value": 0.5, "alpha": 0.01},
    {"max_norm": 0.5, "sample_weight": RNG.uniform(size=N)},
    {"max_norm": 0.5, "average": 1},
    {"callbacks": Halved(), "clip_norm": 0.1},
]
WHOLE = fm.LBFGS, fm.LevenbergMarquardt
LOSSES = ["squared_error", "mse", "absolute_error", "huber", "quantile", "poisson", "cross_entropy",
          "binary_cross_entropy"]  # fmt: skip


def network(between=(), dtype="float32", hidden=18, **settings):
    return fm.Network([11, fm.Dense(hidden, "tanh"), *between, fm.Dense(5, "relu"), 3], dtype=dtype, seed=0, **settings)


def look(net, n_threads, rows=X, targets=Y):
    """Everything a network does besides training."""
    for form in (rows, csr_array(rows), rows.astype(np.uint8), rows[:1]):
        net.predict(form, n_threads=n_threads)
    net.predict(rows[:1].astype(net.dtype))
    net.evaluate(rows, targets, n_threads=n_threads)
    net.loss_and_gradients(rows, targets, n_threads=n_threads)
    if not net.layout.uses_batch:
        net.sample_gradients(rows, targets, n_threads=n_threads)
    net.input_gradients(rows, n_threads=n_threads)
    net.activations(rows, n_threads=n_threads)
    net.cost_surface(rows, targets, [0, min(200, net.n_params - 1)], [[0.0, 1.0, 2.0], [0.5, 1.0]], n_threads=n_threads)


def train(net, n_threads, rows=X, targets=Y, **settings):
    batches = {} if isinstance(settings.get("optimizer"), WHOLE) else {"batch_size": 24}
    net.fit(rows, targets, **{"epochs": 2, "n_threads": n_threads} | batches | settings)


def main(n_threads):
    for dtype in ("float32", "float64"):
        for between in LAYERS.values():
            for optimizer in OPTIMIZERS:
                size = N if isinstance(optimizer, fm.Rprop) else 24
                train(network(between, dtype), n_threads, optimizer=optimizer, batch_size=size)
            for options in OPTIONS:
                train(network(between, dtype), n_threads, **options)
            look(network(between, dtype), n_threads)
        for whole in WHOLE:
            train(network(dtype=dtype), n_threads, optimizer=whole())
        for loss in LOSSES:
            train(network(dtype=dtype, loss=loss), n_threads, targets=Y / Y.sum(axis=1, keepdims=True))
        for options in ({"optimizer": fm.SGD(0.01)}, {"clip_norm": 0.1, "alpha": 0.01}, {"rows": csr_array(X)},
                        {"callbacks": Halved()}):  # fmt: skip
            for between in ((), (fm.Activation("silu", parametric=True),)):  # threads share rows of W
                train(network(between, dtype, hidden=200), n_threads, batch_size=5, **options)
        train(
            network(dtype=dtype), n_threads, fm.Chunks(lambda: ((X[i : i + 30], Y[i : i + 30]) for i in (0, 30))), None
        )
        for hidden, between in ((18, ()), (200, ()), (18, (fm.BatchNorm(),))):
            with_judge = network(between, dtype, hidden=hidden, loss=fm.CustomLoss(judged))
            train(with_judge, n_threads, batch_size=35, epochs=1)
            look(with_judge, n_threads, X[:9], Y[:9])
        tiny = fm.Network([11, 4, 3], activation="sigmoid", dtype=dtype, seed=0)
        train(tiny, n_threads, batch_size=4, optimizer=fm.SGD(0.1))
        tiny.train_on_batch(X[:5], Y[:5])
        tiny.apply_gradient(tiny.gradient(X[:5], Y[:5], n_threads=n_threads))


if __name__ == "__main__":
    for number in map(int, sys.argv[1:] or ("1", "2")):
        main(number)
        print(f"{number} thread(s): done", flush=True)
