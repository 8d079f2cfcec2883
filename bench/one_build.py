"""The process that times one build of fastmlp on one task: the child of ``builds.py``.

It is run by its path, with the Python for which the build is installed. The build may be years
older than this file, so it uses only the public names of fastmlp, and nothing of the benchmark.

The first line of standard input is the task as JSON; the answer is the number of loops per
block and the path of fastmlp. Every further line runs one block; the answer is its time in
microseconds per unit (a step, a fit, a prediction).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np

import fastmlp as fm

BLOCK = 0.003  # seconds: shorter than the changes in the speed of a machine, much longer than starting a fit
WARM_UP = 0.1  # seconds


def make_call(task: dict[str, Any], data: Any) -> tuple[Callable[[int], object], int]:
    """The call to time, as a function of the number of loops, and the units per loop.

    Every call starts from the initial weights, because the time of a step can depend on them.
    """
    X, y, start = data["X"], data["y"], data["start"]
    net = fm.Network(task["widths"], activation=task["activation"], output=task["output"], loss=task["loss"], seed=0)
    optimizer = (fm.Adam if task["optimizer"] == "adam" else fm.SGD)(task["learning_rate"])
    row, n_threads = X[:1].copy(), task["n_threads"]
    settings = {
        "batch_size": task["batch_size"],
        "optimizer": optimizer,
        "shuffle": task["shuffle"],
        "n_threads": n_threads,
        "progress": False,
    }

    def steps(loops: int) -> None:
        net.params[:] = start
        net.fit(X, y, epochs=loops, **settings)

    def fits(loops: int) -> None:
        for _ in range(loops):
            net.params[:] = start
            net.fit(X, y, epochs=task["epochs"], **settings)

    def predictions(loops: int) -> None:
        for _ in range(loops):
            net.predict(row)

    def updates(loops: int) -> None:
        net.params[:] = start
        for _ in range(loops):
            net.train_on_batch(X, y, optimizer=optimizer)

    net.params[:] = start
    call = {"steps": steps, "fit": fits, "predict": predictions, "train_on_batch": updates}[task["kind"]]
    return call, -(-len(X) // task["batch_size"]) if call is steps else 1


def main() -> None:
    """Answer until the parent closes the pipe or kills this process."""
    task = json.loads(sys.stdin.readline())
    with np.load("data.npz") as data:
        call, units = make_call(task, data)
    # With one thread, other processes of the machine do not count.
    clock = process_time if task["n_threads"] == 1 else perf_counter

    def seconds(loops: int) -> float:
        begin = clock()
        call(loops)
        return clock() - begin

    call(1)  # triggers late imports
    loops = task["loops"] or 1
    while not task["loops"] and (quickest := min(seconds(loops) for _ in range(5))) < 0.8 * BLOCK:
        loops = int(loops * BLOCK / quickest) + 1
    end = perf_counter() + WARM_UP
    while perf_counter() < end:
        call(loops)
    print(json.dumps([loops, fm.__file__]), flush=True)
    for _ in sys.stdin:
        print(1e6 * seconds(loops) / (loops * units), flush=True)


if __name__ == "__main__":
    main()
