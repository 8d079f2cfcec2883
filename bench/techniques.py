"""What each technique of ``docs/performance.md`` gains: fastmlp with it and without it.

``python bench/techniques.py`` switches off one technique at a time, through a
threshold or an option that needs another code path, and times both in turns on the
row of the benchmark where it matters most. To compare the kernels themselves, use two
builds, see ``docs/performance.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import click
import numpy as np

import fastmlp as fm
from fastmlp.bench.cases import Problem, make_problem
from fastmlp.bench.report import as_table, number
from fastmlp.bench.tasks import TASKS
from fastmlp.data import inputs
from fastmlp.model import layout
from fastmlp.passes import inference
from fastmlp.training import trainer

BY_NAME = {task.name: task for task in TASKS}
Switch = Callable[[], Any]


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Replace the value of an attribute in a ``with`` block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def whole_batches() -> Iterator[None]:
    """Make a batch a single tile, however many rows it has."""
    with replaced(layout, "MIN_TILE_ROWS", 10**9), replaced(layout, "MAX_TILE_ROWS", 10**9):
        yield


def no_predictor(network: fm.Network) -> Callable[[object], None]:
    """A fast path that accepts no input."""
    return lambda X: None


@dataclass(frozen=True)
class Technique:
    """A technique, the row that shows it, and how to switch it off."""

    name: str
    task: str
    off: Switch = nullcontext
    without: tuple[tuple[str, Any], ...] = ()  # arguments of fit that need the other code path
    n_threads: int = 1


TECHNIQUES = (
    Technique("zeros are left out", "784-30-10", lambda: replaced(inputs, "DENSITY", -1.0)),
    Technique("zeros are left out", "784-256-128-10", lambda: replaced(inputs, "DENSITY", -1.0)),
    Technique("the product is the update", "784-30-10", lambda: replaced(fm.SGD, "is_plain", lambda self: False)),
    Technique("a kernel for a few weights", "2-3-1", without=(("sample_weight", "ones"),)),
    Technique("a kernel for a few weights", "3-4-1", without=(("sample_weight", "ones"),)),
    Technique("many epochs in one call", "fit-iris", without=(("callbacks", (lambda run: None,)),)),
    Technique("tiles that fit the cache", "4-32-16-4", whole_batches),
    Technique("rows of W over threads", "784-256-128-10", lambda: replaced(trainer, "splits_rows", lambda *_: False),
              n_threads=2),
    Technique("rows of W over threads", "784-1024-1024-10",
              lambda: replaced(trainer, "splits_rows", lambda *_: False), n_threads=2),
    Technique("a second thread", "784-256-128-10", without=(("n_threads", 1),), n_threads=2),
    Technique("a second thread", "4-32-16-4", without=(("n_threads", 1),), n_threads=2),
    Technique("the fast path of a prediction", "predict-1",
              lambda: replaced(inference, "make_predictor", no_predictor)),
)  # fmt: skip


def make_network(problem: Problem) -> fm.Network:
    """The network of a case, with its initial weights."""
    case = problem.case
    net = fm.Network(list(case.widths), activation=case.activation, output=case.output, loss=case.loss, seed=0)
    for own, given in zip(net.weights + net.biases, [*problem.start.weights, *problem.start.biases], strict=True):
        own[...] = given
    return net


def make_call(technique: Technique, switched_on: bool) -> tuple[Callable[[], object], int]:
    """The call to time, with or without the technique, and its number of steps or predictions."""
    task = BY_NAME[technique.task]
    problem = make_problem(task.case)
    net = make_network(problem)
    if task.kind == "predict":
        return lambda: [net.predict(problem.X[:1]) for _ in range(2000)], 2000
    rate = task.case.learning_rate
    given: dict[str, Any] = {
        "epochs": 1 if task.case.flop_per_step > 1e8 else task.epochs if task.kind == "fit" else 10,
        "batch_size": task.case.batch_size,
        "optimizer": fm.Adam(rate) if task.case.optimizer == "adam" else fm.SGD(rate),
        "shuffle": task.case.shuffle,
        "n_threads": technique.n_threads,
        "progress": False,
    }
    if not switched_on:
        given |= dict(technique.without)
    if "sample_weight" in given:
        given["sample_weight"] = np.ones(len(problem.X))
    return lambda: net.fit(problem.X, problem.y, **given), 1 if task.kind == "fit" else (
        given["epochs"] * problem.steps_per_epoch
    )


def compare(technique: Technique, repeats: int) -> tuple[float, float]:
    """Microseconds with the technique and without it: medians of alternating repeats."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    calls = {switched_on: make_call(technique, switched_on) for switched_on in seconds}
    for _ in range(repeats):
        for switched_on, (call, units) in calls.items():
            with nullcontext() if switched_on else technique.off():
                start = perf_counter()
                call()
                seconds[switched_on].append((perf_counter() - start) / units)
    return median(seconds[True]) * 1e6, median(seconds[False]) * 1e6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--repeats", default=15, show_default=True, type=click.IntRange(1), help="Repeats of each, in turns.")
@click.option("--only", help="Only techniques whose name starts with this.", default="")
def main(repeats: int, only: str) -> None:
    """Time fastmlp with each technique and without it."""
    rows = [["technique", "row", "threads", "us without", "us with", "factor"]]
    for technique in TECHNIQUES:
        if technique.name.startswith(only):
            on, off = compare(technique, repeats)
            figures = [number(off), number(on), f"{off / on:.2f}"]
            rows.append([technique.name, technique.task, str(technique.n_threads), *figures])
    click.echo(as_table(rows))


if __name__ == "__main__":
    main()
