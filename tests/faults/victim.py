"""Fits for the fault tests: each runs in its own process, with a checkpoint, and writes its result to a folder."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np

import fastmlp as fm
from fastmlp.passes.pace import Pace
from fastmlp.training import trainer

N_ROWS = 1500


def samples():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N_ROWS, 40)).astype(np.float32)
    return X, (X[:, :4].sum(axis=1) > 0).astype(int) + (X[:, 4] > 0.5)


def chunks():
    X, y = samples()
    for low in range(0, N_ROWS, 400):
        yield X[low : low + 400], y[low : low + 400]


def deep(dtype="float32"):
    layers = [40, 160, fm.BatchNorm(), fm.Dropout(0.2), fm.Dense(160, "tanh"), 3]
    return fm.Network(layers, loss="cross_entropy", dtype=dtype, seed=4)


def watched():
    return [fm.EarlyStopping(6, min_delta=1e-3), fm.Plateau(0.5, patience=2)]


def train_watched(**arguments):
    X, y = samples()
    net = deep()
    validation = X[:300], y[:300]
    schedule = fm.Cosine(0.003, n_steps=900)
    return net, net.fit(
        X, y, epochs=14, batch_size=20, optimizer=fm.Adam(schedule), validation_data=validation,
        callbacks=watched(), **arguments,
    )  # fmt: skip


def train_averaged(**arguments):
    X, y = samples()
    net = deep("float64")
    return net, net.fit(
        X, y, epochs=10, batch_size=50, optimizer=fm.SGD(0.1, momentum=0.9), average=0.99, clip_norm=1.0, **arguments
    )


def train_chunks(**arguments):
    net = deep()
    return net, net.fit(fm.Chunks(chunks), epochs=9, batch_size=30, optimizer="rmsprop", **arguments)


FITS = {"watched": train_watched, "averaged": train_averaged, "chunks": train_chunks}


def run(fit: str, folder: Path, dies_at: int | None = None) -> None:
    """Train with the checkpoint in the folder, then write the network and its history to the same folder.

    Chunks are short and each ends with a checkpoint, so that much of the time goes into writing. ``dies_at``: the
    number of the call of os.fsync or os.replace at which the process kills itself.
    """
    trainer.Pace = partial(Pace, seconds=0.005)
    if dies_at is not None:
        die_at_call(dies_at)
    net, history = FITS[fit](checkpoint=folder / "run.ckpt", checkpoint_every=0.0, resume=True)
    records = {name: history[name].tolist() for name in history if name != "seconds"}
    net.save(folder / "final.safetensors")
    (folder / "history.json").write_text(json.dumps([records, history.stop_reason, history.best_epoch]))


def die_at_call(number: int) -> None:
    """SIGKILL this process at the call with this number, counting os.fsync and os.replace."""
    calls = iter(range(number - 1, -1, -1))
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def counted(*arguments, real=real):
            if next(calls, 1) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)

        setattr(os, name, counted)
