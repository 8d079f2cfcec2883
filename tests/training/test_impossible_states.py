"""Checkpoints with a correct checksum and impossible contents: refused with one sentence, or harmless.

Every field of every kind of checkpoint is set to values that it cannot have. The fields are found in the checkpoint, so
new ones are included.
"""

import copy
import os
import time
import warnings

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.machine.state_files import from_bytes, to_bytes

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2))
ODD = (
    0, -1, 1, 2, 7, 2**31, 2**53, 2**62, 2**63, -(2**63), 10**30, 10**400, 0.5, -0.5, 1e300, -1e300, 1e-320,
    float("nan"), float("inf"), -float("inf"), "", "0", "x" * 300, "\x1b[31m", None, True, [], {}, [1], {"a": 1},
    np.zeros(0), np.zeros(3), np.full((2, 2), np.nan), np.array(2**40),
)  # fmt: skip


def chunks():
    return [(X[:5], Y[:5]), (X[5:], Y[5:])]


STOPPING = {"validation_data": (X, Y), "metrics": ["r2"]}
KINDS = {
    "SGD": ({"optimizer": fm.SGD(0.01)}, lambda: []),
    "Adam, averaged": ({"optimizer": "adam", "average": 0.5}, lambda: []),
    "momentum in a schedule": (
        {"optimizer": fm.SGD(fm.Cosine(0.01), momentum=0.9, nesterov=True)}, lambda: [fm.Plateau(monitor="loss")]
    ),
    "Rprop": ({"optimizer": fm.Rprop(backtrack=True), "batch_size": 12}, lambda: []),
    "NAdam, early stopping": ({"optimizer": "nadam", **STOPPING}, lambda: [fm.EarlyStopping(3)]),
    "LevenbergMarquardt": ({"optimizer": fm.LevenbergMarquardt(), "batch_size": None}, lambda: [fm.Tolerance(1e-9)]),
    "Chunks": ({"chunks": True, "optimizer": "adagrad"}, lambda: [fm.EarlyStopping(5, monitor="loss", keep="last")]),
    "Chunks, not shuffled": ({"chunks": True, "optimizer": "rmsprop", "shuffle": False, "average": 0.9}, lambda: []),
}  # fmt: skip


def network(kind):
    layers = (4,) if kind == "LevenbergMarquardt" else (4, fm.BatchNorm(), fm.Dropout(0.2))
    return fm.Network([3, *layers, 2], seed=0, activation="tanh")


def fitted(kind, net, path, *more_callbacks, resume=False):
    arguments, callbacks = KINDS[kind]
    arguments = {"epochs": 4, "batch_size": 5, **arguments}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    data = (fm.Chunks(chunks()),) if arguments.pop("chunks", False) else (X, Y)
    hooks = [*callbacks(), *more_callbacks]
    return net.fit(*data, checkpoint=path, checkpoint_every=1e9, resume=resume, callbacks=hooks, **arguments)


class Pause(fm.Callback):
    def on_epoch_end(self, run):
        if run.epoch == 1:
            run.pause("interrupted")


def saved(kind, path):
    """The state of a fit that was paused after two of four epochs."""
    fitted(kind, network(kind), path, Pause())
    return from_bytes(path.read_bytes())


def fields(tree, place=()):
    """The places of all values in the state, containers included."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*place, key)
        yield from fields(value, (*place, key))


def put(tree, place, value):
    """A copy of the state with another value in that place."""
    tree = copy.deepcopy(tree)
    parent = tree
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = copy.deepcopy(value)
    return tree


def odd_arrays(array):
    """Arrays of the same shape and dtype with impossible numbers."""
    numbers = (np.nan, np.inf, -np.inf, 1e30, -1e30) if array.dtype.kind == "f" else (-1, 2**31 - 1, 0)
    for number in numbers:
        yield np.full_like(array, number)


def values_for(value, number):
    """Odd values for a field; in the short run one in four of them, others for each field."""
    every = [*ODD, *(odd_arrays(value) if isinstance(value, np.ndarray) else ())]
    return every if os.environ.get("FASTMLP_LONG") == "1" else every[number % 6 :: 6]


def state_of(net):
    return (net.params.tobytes(), net.statistics.tobytes(), str(net.rng.bit_generator.state), net.optimizer_state)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_set_to_impossible_values_is_refused_or_harmless(kind, tmp_path):
    path = tmp_path / "run.ckpt"
    state = saved(kind, path)
    assert fitted(kind, network(kind), path, resume=True).n_epochs == 4
    places = list(fields(state))
    assert len(places) > 30
    refused = 0
    net = network(kind)
    before = state_of(net)
    for number, place in enumerate(places):
        value = state
        for key in place:
            value = value[key]
        for odd in values_for(value, number):
            path.write_bytes(to_bytes(put(state, place, odd)))
            (tmp_path / "run.ckpt.previous").unlink(missing_ok=True)
            start = time.process_time()
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    fitted(kind, net, path, resume=True)
                net = network(kind)
            except ValueError as error:
                refused += 1
                assert str(error).startswith(str(path)) or "checkpoint" in str(error), (place, odd)
                assert str(error).isprintable() and len(str(error)) < 1000, (place, odd)
                assert state_of(net) == before, (place, odd)
            except fm.DivergedError:
                net = network(kind)
            except Exception as error:
                raise AssertionError(f"{place} = {odd!r:.60}: {error!r:.200}") from error
            assert time.process_time() - start < 5, (place, odd)
    assert refused > len(places)
