"""The same seed and the same number of threads give the same bits: again, in another process, whatever the pace of the
chunks, and across a copy, a pickle or a file in the middle of a training.
"""

import hashlib
import os
import pickle
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

import fastmlp as fm
from fastmlp.passes.pace import Pace

pytestmark = pytest.mark.filterwarnings(
    "ignore::fastmlp.TrainingWarning"
)  # bytes as they are: what matters here are bits
N = 96
_RNG = np.random.default_rng(7)
X = _RNG.normal(size=(N, 12))
Y = _RNG.normal(size=(N, 2))
MOSTLY_ZEROS = X * (_RNG.uniform(size=X.shape) < 0.15)
WEIGHT = _RNG.uniform(0.5, 2, size=N)
OPTIMIZERS = {
    "sgd": fm.SGD(0.05),
    "momentum": fm.SGD(0.02, momentum=0.9),
    "nesterov": fm.SGD(0.02, momentum=0.9, nesterov=True),
    "rmsprop": fm.RMSprop(0.01),
    "adagrad": fm.Adagrad(0.01),
    "adam": fm.Adam(0.01),
    "adamw": fm.AdamW(0.01, weight_decay=0.1),
    "nadam": fm.NAdam(0.01),
    "schedule": fm.Adam(fm.Cosine(0.01, n_steps=30)),
}
WHOLE = {"rprop": fm.Rprop(0.01), "backtrack": fm.Rprop(0.01, backtrack=True)}
ENDINGS = {"lbfgs": fm.LBFGS(), "levenberg_marquardt": fm.LevenbergMarquardt()}
BETWEEN = {
    "plain": (),
    "dropout": (fm.Dropout(0.4),),
    "dropout_schedule": (fm.Dropout(fm.Cosine(0.5, n_steps=30)),),
    "batch_norm": (fm.BatchNorm(),),
    "layer_norm": (fm.LayerNorm(),),
}
OPTIONS = {
    "in_order": {"shuffle": False},
    "average": {"average": 0.9},
    "accumulate": {"accumulate": 2},
    "clip": {"clip_norm": 0.5, "clip_value": 0.3},
    "max_norm": {"max_norm": 0.8},
    "alpha": {"alpha": 0.01},
    "weights": {"sample_weight": WEIGHT},
}
INPUTS = {
    "dense": lambda: (X, Y),
    "uint8": lambda: (np.rint(X + 3).clip(0).astype(np.uint8), Y),
    "mostly_zeros": lambda: (MOSTLY_ZEROS, Y),
    "sparse": lambda: (csr_array(MOSTLY_ZEROS), Y),
    "chunks": lambda: (fm.Chunks(lambda: ((X[i : i + 37], Y[i : i + 37]) for i in range(0, N, 37))), None),
}
CASES = {
    **{f"{name}-{dtype}": ({"optimizer": optimizer}, "plain", dtype)
       for name, optimizer in OPTIMIZERS.items() for dtype in ("float32", "float64")},
    **{name: ({"optimizer": optimizer, "batch_size": N}, "plain", "float32") for name, optimizer in WHOLE.items()},
    **{name: ({"optimizer": optimizer, "batch_size": N}, "plain", "float64") for name, optimizer in ENDINGS.items()},
    **{name: (options, "dropout", "float32") for name, options in OPTIONS.items()},
    **{name: ({}, name, "float32") for name in BETWEEN},
    **{f"input-{name}": ({"data": name}, "dropout", "float32") for name in INPUTS},
    "wide": ({"hidden": 300, "optimizer": fm.SGD(0.01)}, "dropout", "float32"),
}  # fmt: skip
WAYS = {
    "copy": lambda net, path: net.copy(),
    "deepcopy": lambda net, path: deepcopy(net),
    "pickle": lambda net, path: pickle.loads(pickle.dumps(net)),
    "file": lambda net, path: net.save(path / "net") or fm.load(path / "net"),
}


def network(between="plain", dtype="float32", hidden=9):
    return fm.Network([12, fm.Dense(hidden, "tanh"), *BETWEEN[between], 2], dtype=dtype, seed=5)


def train(net, data="dense", hidden=None, **settings):
    """Two epochs; everything that they leave, but the seconds, as bytes."""
    rows, targets = INPUTS[data]()
    history = net.fit(rows, targets, **{"epochs": 2, "batch_size": 16, "warm_start": True} | settings)
    return digest(net, history["loss"])


def digest(net, losses=()):
    """Parameters, statistics, momenta, generator and losses in one number."""
    state = net.optimizer_state
    arrays = [net.params, net.statistics, np.array(losses)]
    if state is not None and state.vectors is not None:
        arrays.append(state.vectors)
    contents = b"".join(array.tobytes() for array in arrays) + repr(net.rng.bit_generator.state).encode()
    return hashlib.sha256(contents).hexdigest()


def outcome(name, n_threads):
    """What the case gives with so many threads, from its first weights on."""
    settings, between, dtype = CASES[name]
    return train(network(between, dtype, settings.get("hidden", 9)), n_threads=n_threads, **settings)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_again_is_the_same(name, n_threads):
    first = outcome(name, n_threads)
    assert outcome(name, n_threads) == first
    assert train(network(), n_threads=n_threads, epochs=3) != first  # the digest sees a difference


def test_another_process_with_other_hashes_is_the_same():
    code = "import test_determinism as t; print(*(t.outcome(name, n) for name in t.CASES for n in (1, 2)))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": path},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert run.stdout.split() == [outcome(name, n) for name in CASES for n in (1, 2)]


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", [name for name in CASES if name not in ENDINGS])
def test_the_length_of_the_chunks_changes_nothing(name, n_threads, monkeypatch):
    expected = outcome(name, n_threads)
    monkeypatch.setattr(Pace, "_bounded", lambda self, n_steps: 1)
    assert outcome(name, n_threads) == expected


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_fits_go_on_the_same_behind_a_copy(name, way, tmp_path):
    settings, between, dtype = CASES[name]
    net = network(between, dtype, settings.get("hidden", 9))
    train(net, **settings)
    other = WAYS[way](net, tmp_path)
    assert train(other, **settings) == train(net, **settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_batches_go_on_the_same_behind_a_copy(optimizer, between, way, tmp_path):
    net = network(between)
    for start in (0, 16, 32):
        net.train_on_batch(X[start : start + 16], Y[start : start + 16], optimizer=optimizer)
    other = WAYS[way](net, tmp_path)
    losses = [
        [each.train_on_batch(X[i:j], Y[i:j], optimizer=optimizer) for i, j in ((48, 64), (64, 80), (80, 90))]
        for each in (net, other)
    ]
    assert losses[0] == losses[1] and digest(net) == digest(other)
    assert train(net, optimizer=optimizer) == train(other, optimizer=optimizer)


def test_every_batch_has_masks_of_its_own():
    net = network("dropout")
    losses = [net.train_on_batch(X, Y, optimizer=fm.SGD(1e-30)) for _ in range(20)]
    assert len(set(losses)) == 20
