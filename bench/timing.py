"""Time one contender on one row: warm-up, check, size of a repeat, repeats.

A first batch warms up, and shows whether the contender computes the same as the
others. Then the work of a repeat is sized to a time budget: a slow contender gets a
small sample of the data, a fast one all of it, several times if needed. The time per
unit (a step, a fit, a prediction) is the time of a repeat over its number of units.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from .agreement import TOLERANCE, disagreement, outputs, reference
from .cases import Parameters, Problem
from .contenders import Contender, Train, case_of
from .tasks import FITS, TARGET, Task, mnist

LONG_UNIT = 5  # budgets; a unit that takes longer the first time is a repeat of its own


class DisagreementError(RuntimeError):
    """A contender does not compute the same as the others."""


@dataclass
class Work:
    """The work of one repeat: ``call(loops)`` runs ``loops * units`` units."""

    call: Callable[[int], object]
    units: int
    loops: int = 1
    warm_up_seconds: float = 0.0

    def seconds(self) -> float:
        """Time one repeat, in seconds per unit."""
        return elapsed(self.call, self.loops) / (self.loops * self.units)


def elapsed(call: Callable[..., object], *arguments: Any) -> float:
    """Time one call, in seconds."""
    start = perf_counter()
    call(*arguments)
    return perf_counter() - start


def repeated(call: Callable[[], object]) -> Callable[[int], object]:
    """A function that calls ``call`` a number of times."""

    def calls(loops: int) -> None:
        for _ in range(loops):
            call()

    return calls


def for_contender(contender: Contender, problem: Problem) -> Problem:
    """The problem with the case that the contender can express: its own, or a similar one."""
    return replace(problem, case=case_of(contender, problem.case))


def check(contender: Contender, problem: Problem, n_threads: int) -> float:
    """Train one batch and compare the result; returns the seconds that the training took.

    The data are this batch alone, so the result does not depend on how a contender shuffles.
    """
    one_batch = for_contender(contender, problem).head(1)
    start = perf_counter()
    got = contender.prepare(one_batch, n_threads)(1)
    seconds = perf_counter() - start
    difference = disagreement(one_batch, got, reference(one_batch)) if contender.COMPUTES else None
    if difference:
        raise DisagreementError(f"{contender.TITLE} on {problem.case.name} {difference}")
    return seconds


def get_ready(contender: Contender, task: Task, problem: Problem, n_threads: int, budget: float) -> Work:
    """Warm up, and size the work of one repeat to about ``budget`` seconds."""
    problem = for_contender(contender, problem)
    if task.kind == "steps":
        return steps(contender, problem, n_threads, budget)
    start = perf_counter()
    if task.kind == "target":
        train = contender.prepare(problem, n_threads)
        check_target(task, train)
        return Work(repeated(lambda: train(task.epochs)), 1)
    if task.kind == "fit":
        train = contender.prepare(problem, n_threads)
        call = repeated(lambda: train(task.epochs))
    elif task.kind == "fits":
        call = repeated(fits(contender, problem, n_threads, task.epochs))
    else:
        call = repeated(prediction(contender, task, problem, n_threads))
    first = elapsed(call, 1)
    warm_up = perf_counter() - start
    return Work(call, 1, 1 if first > LONG_UNIT * budget else loops_for(call, budget), warm_up)


def loops_for(call: Callable[[int], object], budget: float) -> int:
    """How many loops take about ``budget`` seconds."""
    loops = 1
    while (seconds := elapsed(call, loops)) < budget / 2:
        loops = int(loops * budget / seconds) + 1
    return loops


def steps(contender: Contender, problem: Problem, n_threads: int, budget: float) -> Work:
    """Training steps, on a sample of the data if all of it would take too long."""
    start = perf_counter()
    train = contender.prepare(problem.head(1), n_threads)
    train(1)
    warm_up = perf_counter() - start
    n_batches = 1
    # Setting up may hide a short step, so the sample grows until it takes long enough or has all the data.
    while n_batches < problem.steps_per_epoch and (seconds := elapsed(train, 1)) < budget / 2:
        n_batches = min(problem.steps_per_epoch, int(n_batches * budget / seconds) + 1)
        start = perf_counter()
        train = contender.prepare(problem.head(n_batches), n_threads)
        train(1)
        warm_up += perf_counter() - start
    loops = loops_for(train, budget) if n_batches == problem.steps_per_epoch else 1
    return Work(train, n_batches, loops, warm_up)


def fits(contender: Contender, problem: Problem, n_threads: int, epochs: int) -> Callable[[], object]:
    """Many trainings of different networks, each on one thread, ``n_threads`` of them at a time."""
    trains = [contender.prepare(problem, 1) for _ in range(FITS)]

    def run(train: Callable[[int], Parameters]) -> None:
        train(epochs)

    if n_threads == 1:
        return lambda: [run(train) for train in trains]
    pool = ThreadPoolExecutor(n_threads)
    return lambda: list(pool.map(run, trains))


def prediction(contender: Any, task: Task, problem: Problem, n_threads: int) -> Callable[[], object]:
    """The prediction that a row of the table times, checked on its first inputs."""
    X = task.inputs(problem)
    predict: Callable[[], Any] = contender.prepare_predict(problem, X, n_threads)
    scale = 1.0 if X.dtype == np.float32 else 1 / 255
    expected = outputs(problem.case, problem.start, scale * X[:100].astype(np.float64))
    gap = float(np.abs(np.asarray(predict())[:100].reshape(expected.shape) - expected).max())
    if not gap <= TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise DisagreementError(f"{contender.TITLE} predicts something else: {gap:.2g} apart")
    return predict


def check_target(task: Task, train: Train) -> None:
    """Train once, and check the accuracy on the test digits."""
    _, X_test, y_test = mnist(task.case)
    accuracy = (outputs(task.case, train(task.epochs), X_test).argmax(axis=1) == y_test).mean()
    if accuracy < TARGET:
        raise DisagreementError(f"{task.name}: {accuracy:.2%} of the test digits are right, expected {TARGET:.0%}")
