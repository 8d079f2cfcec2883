"""fastmlp through its public interface: one ``fit`` call, batches in order."""

from __future__ import annotations

import fastmlp as fm

from ..cases import Parameters, Problem
from . import Train

TITLE = "fastmlp"
COMPUTES = True


def prepare(problem: Problem, n_threads: int) -> Train:
    """Build the network; each training begins by writing the initial weights into it."""
    case = problem.case
    net = fm.Network(
        list(case.widths), activation=case.activation, output=case.output, loss=case.loss, dtype="float32", seed=0
    )
    # Adam's other defaults are ADAM_BETA1 and so on
    optimizer = fm.Adam(case.learning_rate) if case.optimizer == "adam" else fm.SGD(case.learning_rate)

    def train(epochs: int) -> Parameters:
        for own, given in zip(net.weights + net.biases, problem.start.weights + problem.start.biases, strict=True):
            own[...] = given
        net.fit(
            problem.X,
            problem.y,
            epochs=epochs,
            batch_size=case.batch_size,
            optimizer=optimizer,
            shuffle=False,
            n_threads=n_threads,
            progress=False,
        )
        return Parameters([W.copy() for W in net.weights], [b.copy() for b in net.biases])

    return train
