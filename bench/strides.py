"""Slices of arrays that are read in place: the memory they take and their speed, compared with the same rows copied.

``python bench/strides.py`` makes views of 400 MB of float32 rows in memory, and of a
memory map: all columns but the last, every second row, the rows in reverse, and windows
over a series. Each view runs in its own process. A thread watches the memory allocated
in each call; a copy of the view is trained and read in turns with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time, sleep
from typing import Any

import click
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import fastmlp as fm
from fastmlp.bench.report import as_table, number

N_FEATURES, BATCH = 200, 64
VIEWS: dict[str, Callable[[Any], Any]] = {
    "A[:, :-1]": lambda A: A[:, :-1],
    "A[::2]": lambda A: A[::2],
    "A[::-1]": lambda A: A[::-1],
    "windows": lambda A: sliding_window_view(A.reshape(-1)[: len(A) + N_FEATURES - 1], N_FEATURES),
}


def allocated() -> int:
    """Bytes of the process in memory, without those of mapped files."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024


@contextmanager
def watched(peaks: dict[str, float], name: str) -> Iterator[None]:
    """Record the largest number of megabytes that the block allocates."""
    before, over = allocated(), threading.Event()
    most = before

    def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, allocated())
            sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    over.set()
    watcher.join()
    peaks[f"{name}, MB"] = (most - before) / 1e6


def calls(net: fm.Network, estimator: Any, X: Any, y: Any) -> dict[str, Callable[[], object]]:
    """What is done with the rows, by name."""
    return {
        "fit": lambda: net.fit(X, y, epochs=1, batch_size=BATCH, optimizer=fm.SGD(1e-3), n_threads=1),
        "predict": lambda: net.predict(X, n_threads=1),
        "evaluate": lambda: net.evaluate(X, y, n_threads=1),
        "estimator": lambda: estimator.fit(X, y).predict(X),
    }


def measure(view: str, file: str | None, megabytes: int, rounds: int) -> dict[str, float]:
    """Peaks of memory for a view of the file, or of an array in memory, and its speed relative to a copy."""
    n_rows = megabytes * 10**6 // (4 * N_FEATURES)
    if file is None:
        A: Any = np.random.default_rng(0).standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    else:
        A = np.load(file, mmap_mode="r")
    X = VIEWS[view](A)
    y = np.random.default_rng(1).standard_normal(len(X))
    net = fm.Network([X.shape[1], 64, 1], seed=0)
    estimator = fm.MLPRegressor(hidden_layer_sizes=(64,), max_iter=1, batch_size=BATCH, n_iter_no_change=9, n_jobs=1)
    small = slice(0, 1000)
    for call in calls(net, estimator, X[small], y[small]).values():  # imports, and the memory of threads and BLAS
        call()
    results: dict[str, float] = {}
    for name, call in calls(net, estimator, X, y).items():
        with watched(results, name):
            call()
    own, copied = calls(net, estimator, X, y), calls(net, estimator, np.array(X, order="C"), y)
    for name in ("fit", "predict", "evaluate"):
        seconds: dict[int, list[float]] = {0: [], 1: []}
        for turn in range(2 * rounds):
            start = process_time()
            (own, copied)[turn % 2][name]()
            seconds[turn % 2].append(process_time() - start)
        results[f"{name}, speed"] = median(b / a for a, b in zip(seconds[0], seconds[1], strict=True))
    return results


@click.command()
@click.option("--megabytes", default=400, help="Size of the data.")
@click.option("--rounds", default=5, help="Times that each call is timed.")
@click.option("--view", type=click.Choice(list(VIEWS)), hidden=True)
@click.option("--file", type=click.Path(), hidden=True)
def main(megabytes: int, rounds: int, view: str | None, file: str | None) -> None:
    """Compare views of rows, read in place, with copies of them."""
    if view is not None:
        click.echo(json.dumps(measure(view, file, megabytes, rounds)))
        return
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "X.npy")
        rng, n_rows = np.random.default_rng(0), megabytes * 10**6 // (4 * N_FEATURES)
        np.save(path, rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32))
        rows = []
        for name in VIEWS:
            for file in (None, path):
                command = [sys.executable, __file__, f"--view={name}", f"--megabytes={megabytes}", f"--rounds={rounds}"]
                command += [] if file is None else [f"--file={file}"]
                results = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
                rows.append([name + (" of a file" if file else ""), *map(number, results.values())])
        click.echo(as_table([["rows", *results], *rows]))


if __name__ == "__main__":
    main()
