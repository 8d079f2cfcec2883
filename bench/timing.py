"""How the contenders are timed.

For each contender, first one batch: it warms up, shows that the contender
computes what the others compute, and tells how much work fits the time budget
of one repeat. A slow contender gets a small sample of the data; a fast one gets
all of it, as many times over as needed. Then the repeats are interleaved (one of
each contender, then again), so that a noisy moment of the machine hits all of
them. Time per step is a repeat's time over its number of steps; reported are the
median and the quartiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from .agreement import disagreement, reference
from .cases import Case, Problem, make_problem
from .contenders import Train, load
from .machine import sgemm_gflops


class DisagreementError(RuntimeError):
    """A contender does not compute what the others compute."""


@dataclass
class Entry:
    """One contender on one case: how it is run, and the seconds per step of every repeat."""

    contender: str
    title: str
    train: Train
    epochs: int
    steps_per_epoch: int
    warm_up_seconds: float
    seconds_per_step: list[float] = field(default_factory=list)
    spent: float = 0.0

    def repeat(self) -> None:
        """Time one training."""
        elapsed = seconds_of(self.train, self.epochs)
        self.spent += elapsed
        self.seconds_per_step.append(elapsed / (self.epochs * self.steps_per_epoch))

    def quantile(self, q: float) -> float:
        """Microseconds per step, a quantile over the repeats."""
        return float(np.quantile(self.seconds_per_step, q)) * 1e6


@dataclass(frozen=True)
class CaseResult:
    """All contenders on one case, and the matrix-product speed of that moment."""

    case: Case
    n_threads: int
    gflops: float
    entries: tuple[Entry, ...]
    n_samples: int

    @property
    def limit(self) -> float:
        """Microseconds that a step's matrix products take at the sgemm peak."""
        return self.case.flop_per_step / self.gflops * 1e-3


def seconds_of(train: Train, epochs: int) -> float:
    """Time one call."""
    start = perf_counter()
    train(epochs)
    return perf_counter() - start


def get_ready(name: str, problem: Problem, n_threads: int, budget: float) -> Entry:
    """Warm up, check and size one contender.

    Raises ImportError when the contender's library is not installed, and
    DisagreementError when it computes something else.
    """
    contender = load(name)
    one_batch = problem.head(1)
    start = perf_counter()
    train = contender.prepare(one_batch, n_threads)
    first = train(1)
    warm_up = perf_counter() - start
    if contender.COMPUTES:
        difference = disagreement(one_batch, first, reference(one_batch))
        if difference:
            raise DisagreementError(f"{contender.TITLE} on {problem.case.name} {difference}")
    n_batches = 1
    # Set-up may hide a short step, so the sample grows until it is long or has all the data.
    while n_batches < problem.steps_per_epoch and (elapsed := seconds_of(train, 1)) < budget / 2:
        n_batches = min(problem.steps_per_epoch, int(n_batches * budget / elapsed))
        start = perf_counter()
        train = contender.prepare(problem.head(n_batches), n_threads)
        train(1)
        warm_up += perf_counter() - start
    epochs = 1
    while n_batches == problem.steps_per_epoch and (elapsed := seconds_of(train, epochs)) < budget / 2:
        epochs = int(epochs * budget / elapsed)
    return Entry(name, contender.TITLE, train, epochs, n_batches, warm_up)


def measure(case: Case, names: Sequence[str], n_threads: int = 1, repeats: int = 7, budget: float = 0.2) -> CaseResult:
    """Time contenders on a case, side by side.

    ``budget`` is the seconds that one repeat should take. A contender whose single
    step takes longer is repeated until ``repeats * budget`` seconds are spent, once
    at least. BLAS runs on ``n_threads``.
    """
    problem = make_problem(case)
    with threadpool_limits(n_threads, user_api="blas"):
        gflops = sgemm_gflops()
        entries = tuple(get_ready(name, problem, n_threads, budget) for name in names)
        for _ in range(repeats):
            for entry in entries:
                if not entry.seconds_per_step or entry.spent < repeats * budget:
                    entry.repeat()
    return CaseResult(case, n_threads, gflops, entries, len(problem.X))
