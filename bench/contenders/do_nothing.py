"""Walks the batches and computes nothing: what the harness and the loop cost by themselves."""

from __future__ import annotations

from ..cases import Parameters, Problem
from . import Train

TITLE = "do nothing"
COMPUTES = False


def prepare(problem: Problem, n_threads: int) -> Train:
    """Slice every batch, leave the weights as they are."""
    X, y, batch_size = problem.X, problem.y, problem.case.batch_size

    def train(epochs: int) -> Parameters:
        for _ in range(epochs):
            for low in range(0, len(X), batch_size):
                X[low : low + batch_size], y[low : low + batch_size]
        return problem.start

    return train
