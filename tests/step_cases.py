"""Shared by the tests of training options: samples, a network, all rules, thread modes, comparison with the twin."""

import numpy as np
import reference_training
from twins import relative_error, shake, twin_of

import fastmlp as fm

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(50, 7))
Y = _RNG.normal(size=(50, 2))
WEIGHT = _RNG.uniform(0.5, 2, size=50)
WAYS = {"tiles": lambda *given: False, "rows": lambda layout, n_threads, batch_size: n_threads > 1}
RULES = {
    "sgd": (fm.SGD(0.05), {"lr": 0.05}),
    "decay": (fm.SGD(0.05, weight_decay=0.1), {"lr": 0.05, "weight_decay": 0.1}),
    "momentum": (fm.SGD(0.02, momentum=0.9), {"lr": 0.02, "momentum": 0.9}),
    "rmsprop": (fm.RMSprop(0.01), {"rule": "rmsprop", "lr": 0.01}),
    "adagrad": (fm.Adagrad(0.01), {"rule": "adagrad", "lr": 0.01}),
    "adam": (fm.Adam(0.01), {"rule": "adam", "lr": 0.01}),
    "adamw": (fm.AdamW(0.01, weight_decay=0.1), {"rule": "adamw", "lr": 0.01, "weight_decay": 0.1}),
    "nadam": (fm.NAdam(0.01), {"rule": "nadam", "lr": 0.01}),
    "rprop": (fm.Rprop(0.01), {"rule": "rprop", "lr": 0.01}),
}


def network(*between, n_hidden=19, dtype="float64"):
    layers = [fm.Input(7), fm.Dense(n_hidden, "tanh"), *between, fm.Dense(5, "sigmoid"), 2]
    return shake(fm.Network(layers, dtype=dtype, seed=0), np.random.default_rng(1))


def compare(net, optimizer, hyper, batch_size=16, epochs=2, weight=None, n_threads=None, alpha=0.0, **options):
    """Fit the network and its twin; return how far apart they end and whether their losses agree."""
    twin = twin_of(net)
    shared = {"sample_weight": weight, "alpha": alpha, **options}
    history = net.fit(
        X, Y, epochs=epochs, batch_size=batch_size, optimizer=optimizer, shuffle=False, n_threads=n_threads, **shared
    )
    losses = reference_training.train(twin, X, Y, [np.arange(50)] * epochs, batch_size, **shared, **hyper)
    return relative_error(net.params, twin.flat()), relative_error(history["loss"], losses)
