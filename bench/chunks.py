"""Data larger than memory: fits of chunks and of a memory map, compared with a fit of an array.

``python bench/chunks.py`` writes a float32 file ten times as large as the memory that
it then allows. Each way runs in its own process, in turns. The two that need no array
have a limit (RLIMIT_DATA) on what they may allocate during the fit. The file is in the
cache of the system, so the disk is not measured.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import click
import numpy as np

import fastmlp as fm
from fastmlp.bench.report import as_table, number

N_FEATURES, N_CLASSES, BATCH = 256, 10, 64
WAYS = ("array", "memory map", "chunks")


def write(folder: Path, n_rows: int) -> None:
    """Write inputs (n_rows, 256) and class labels, in pieces."""
    shape = (n_rows, N_FEATURES)
    X = np.lib.format.open_memmap(folder / "X.npy", mode="w+", dtype=np.float32, shape=shape)  # type: ignore[no-untyped-call]
    rng = np.random.default_rng(0)
    for start in range(0, n_rows, 65536):
        X[start : start + 65536] = rng.standard_normal(X[start : start + 65536].shape, dtype=np.float32)
    X.flush()
    np.save(folder / "y.npy", (np.asarray(X[:, 0]) * 2).astype(np.int32) % N_CLASSES)


def chunks_of(X: Any, y: Any, megabytes: int) -> fm.Chunks:
    """Blocks of rows of the file, each an eighth of the memory, read one after another."""
    step = megabytes * 2**20 // 8 // X[:1].nbytes

    def source() -> Iterator[tuple[Any, Any]]:
        for start in range(0, len(X), step):
            yield np.array(X[start : start + step]), y[start : start + step]

    return fm.Chunks(source)


def allocated() -> int:
    """Bytes that count towards the limit."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024


def measure(way: str, folder: Path, epochs: int, n_threads: int, megabytes: int) -> dict[str, float]:
    """Seconds per epoch and the last loss of one fit."""
    settings: dict[str, Any] = {"batch_size": BATCH, "optimizer": fm.Adam(), "n_threads": n_threads}
    net = fm.Network([N_FEATURES, 64, N_CLASSES], loss="cross_entropy", seed=0)
    rows, labels = np.zeros((4 * BATCH, N_FEATURES), np.float32), np.zeros(4 * BATCH, np.int32)
    net.copy().fit(fm.Chunks([(rows, labels)]), epochs=1, **settings)
    y = np.load(folder / "y.npy")
    X = np.load(folder / "X.npy", mmap_mode=None if way == "array" else "r")
    if way != "array":
        limit = allocated() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    data = (chunks_of(X, y, megabytes),) if way == "chunks" else (X, y)
    start = perf_counter()
    history = net.fit(*data, epochs=epochs, **settings)
    return {"seconds": (perf_counter() - start) / epochs, "loss": float(history["loss"][-1])}


@click.command()
@click.option("--megabytes", default=64, help="Memory allowed; the data are ten times as large.")
@click.option("--epochs", default=2)
@click.option("--repeats", default=3)
@click.option("--threads", default=1)
@click.option("--measure", "measured", nargs=2, hidden=True, help="One way, and the folder with the files.")
def main(megabytes: int, epochs: int, repeats: int, threads: int, measured: tuple[str, str] | None) -> None:
    """Time fits of data ten times as large as the memory allowed."""
    if measured:
        click.echo(json.dumps(measure(measured[0], Path(measured[1]), epochs, threads, megabytes)))
        return
    results: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with TemporaryDirectory(prefix="fastmlp-") as folder:
        write(Path(folder), 10 * megabytes * 2**20 // (4 * N_FEATURES))
        for _ in range(repeats):
            for way in WAYS:
                command = [sys.executable, __file__, "--measure", way, folder, "--epochs", str(epochs)]
                command += ["--threads", str(threads), "--megabytes", str(megabytes)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                results[way].append(json.loads(done.stdout))
    seconds = {way: median(run["seconds"] for run in runs) for way, runs in results.items()}
    rows = [["way", "s per epoch", "speed", "loss"]]
    rows += [
        [way, number(seconds[way]), f"{seconds['array'] / seconds[way]:.2f}", f"{results[way][0]['loss']:.4f}"]
        for way in WAYS
    ]
    click.echo(f"{10 * megabytes} MB of data, {megabytes} MB of memory, {threads} thread(s)")
    click.echo(as_table(rows))


if __name__ == "__main__":
    main()
