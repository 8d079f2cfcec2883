"""fastmlp through its public interface: one ``fit`` call, one ``predict`` call."""

from __future__ import annotations

import fastmlp as fm

from ..cases import Array, Parameters, Problem
from . import Predict, Train

TITLE = "fastmlp"
COMPUTES = True
PARALLEL = True


def write(net: fm.Network, start: Parameters) -> None:
    """Put the initial weights into the network."""
    for own, given in zip(net.weights + net.biases, start.weights + start.biases, strict=True):
        own[...] = given


def prepare(problem: Problem, n_threads: int) -> Train:
    """Build the network; each training begins by writing the initial weights into it."""
    case = problem.case
    net = fm.Network(
        list(case.widths), activation=case.activation, output=case.output, loss=case.loss, dtype="float32", seed=0
    )
    # Adam's other defaults are ADAM_BETA1 and so on
    optimizer = fm.Adam(case.learning_rate) if case.optimizer == "adam" else fm.SGD(case.learning_rate)

    def train(epochs: int) -> Parameters:
        write(net, problem.start)
        net.fit(
            problem.X,
            problem.y,
            epochs=epochs,
            batch_size=case.batch_size,
            optimizer=optimizer,
            shuffle=case.shuffle,
            n_threads=n_threads,
            progress=False,
        )
        return Parameters(net.weights, net.biases)

    return train


def prepare_predict(problem: Problem, X: Array, n_threads: int) -> Predict:
    """The scale of the inputs is a part of the network, so uint8 rows go in as they are."""
    case = problem.case
    n_in, *hidden, n_out = case.widths
    net = fm.Network(
        [
            fm.Input(n_in, scale=1 / 255 if X.dtype.kind == "u" else 1.0),
            *(fm.Dense(units, case.activation) for units in hidden),
            fm.Dense(n_out, case.output),
        ],
        loss=case.loss,
        dtype="float32",
        seed=0,
    )
    write(net, problem.start)
    return lambda: net.predict(X, n_threads=n_threads)
