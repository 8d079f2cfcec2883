"""Compare the classifiers of fastmlp and scikit-learn on rows that are mostly zeros, such as word counts.

    python bench/sparse.py

20 000 rows of 50 000 columns, 0.1 % of them nonzero, as a CSR matrix; 64 hidden units, otherwise defaults. Prints the
seconds per epoch and the peak memory above data and weights; each library runs in its own process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from time import perf_counter
from typing import Any

import click
import numpy as np
from scipy import sparse

from fastmlp.bench.worker import reset_peak, status_mb

LIBRARIES = ("fastmlp", "scikit-learn")


def make_rows(n: int, n_columns: int, density: float) -> tuple[Any, Any]:
    """A CSR matrix of counts, float64 (n, n_columns), and the class of each row, which a few columns determine."""
    rng = np.random.default_rng(0)
    each = max(1, round(n_columns * density))
    columns = rng.integers(0, n_columns, (n, each), dtype=np.int32)
    columns.sort(axis=1)
    X = sparse.csr_matrix(
        (np.ones(columns.size), columns.ravel(), np.arange(0, columns.size + 1, each, dtype=np.int32)), (n, n_columns)
    )
    X.sum_duplicates()
    return X, (columns < n_columns // 2).sum(axis=1) > each // 2


def measure(library: str, n_rows: int, epochs: int) -> dict[str, float]:
    """Seconds per epoch, megabytes above data and weights, and the loss of the last epoch."""
    from sklearn import neural_network

    import fastmlp

    kind: Any = fastmlp.MLPClassifier if library == "fastmlp" else neural_network.MLPClassifier
    warnings.simplefilter("ignore")  # too few epochs to converge
    X, y = make_rows(n_rows, 50_000, 0.001)
    kind((4,), max_iter=1).fit(X[:500, :50], y[:500])  # imports and allocations of the first use
    reset_peak()
    before = status_mb("VmRSS") or 0.0
    start = perf_counter()
    model = kind((64,), max_iter=epochs, tol=0.0, random_state=0).fit(X, y)
    seconds = (perf_counter() - start) / epochs
    weights = sum(array.nbytes for array in (*model.coefs_, *model.intercepts_)) / 2**20
    return {"seconds": seconds, "megabytes": (status_mb("VmHWM") or 0.0) - before - weights, "loss": float(model.loss_)}


@click.command()
@click.option("--library", type=click.Choice(LIBRARIES), help="Only this library, in this process; prints JSON.")
@click.option("--rows", default=20_000, show_default=True)
@click.option("--epochs", default=3, show_default=True)
def main(library: str | None, rows: int, epochs: int) -> None:
    """Measure seconds per epoch and peak memory on sparse rows."""
    if library is not None:
        click.echo(json.dumps(measure(library, rows, epochs)))
        return
    times = []
    for each in LIBRARIES:
        command = [sys.executable, __file__, "--library", each, "--rows", str(rows), "--epochs", str(epochs)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        times.append(found["seconds"])
        click.echo(
            f"{each:13} {found['seconds']:8.3f} s per epoch, {found['megabytes']:6.0f} MB above data and weights, "
            f"loss {found['loss']:.4f}"
        )
    click.echo(f"ratio {times[1] / times[0]:.1f}")


if __name__ == "__main__":
    main()
