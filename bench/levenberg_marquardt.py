"""Compare Levenberg-Marquardt with Adam: the training loss that each reaches in the same time.

``python bench/levenberg_marquardt.py`` fits a sine (1-10-1) and, if FASTMLP_DATA has it, the strength of concrete
(8-16-1). Adam is fastmlp's own, at each time with the best of a few learning rates and batch sizes, which a user could
not know in advance. Both start from the same weights; results are medians over the seeds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

import fastmlp as fm
from fastmlp.bench.report import as_table

TIMES = (0.01, 0.03, 0.1, 0.3)
"""Seconds after which the losses are compared."""
LEARNING_RATES = (0.001, 0.003, 0.01, 0.03)


class Fit(NamedTuple):
    """A regression and a network for it."""

    name: str
    X: NDArray[Any]
    y: NDArray[Any]
    make_network: Callable[[int], fm.Network]


def sine() -> Fit:
    """One period of a sine, 200 rows, 1-10-1."""
    X = np.linspace(-np.pi, np.pi, 200).reshape(-1, 1)
    return Fit("sine 1-10-1", X, np.sin(X[:, 0]), lambda seed: _network([1, 10, 1], seed))


def concrete(folder: Path) -> Fit:
    """The strength of 1 030 samples of concrete, inputs and targets standardized, 8-16-1."""
    *columns, y = np.loadtxt(folder / "tabular" / "concrete_strength.csv.gz", delimiter=",", skiprows=1).T
    X = np.column_stack(columns)
    inputs = fm.Input.standardized(X)
    return Fit("concrete 8-16-1", X, (y - y.mean()) / y.std(), lambda seed: _network([inputs, 16, 1], seed))


def _network(layers: list[Any], seed: int) -> fm.Network:
    return fm.Network(layers, activation="tanh", loss="mse", dtype="float64", seed=seed)


def losses_at(fit: Fit, seed: int, optimizer: Any, batch_size: int) -> list[float]:
    """The lowest loss so far at each of the times, in one fit on one thread."""
    epochs = 20
    while True:
        network = fit.make_network(seed)
        history = network.fit(
            fit.X, fit.y, epochs=epochs, batch_size=batch_size, optimizer=optimizer, n_threads=1, progress=False
        )
        seconds = history["seconds"]
        if seconds[-1] >= TIMES[-1] or history.stop_reason != "epochs":
            break
        epochs = int(epochs * min(20.0, 1.3 * TIMES[-1] / seconds[-1])) + 1
    lowest = np.minimum.accumulate(history["loss"])
    return [float(lowest[max(np.searchsorted(seconds, time, side="right") - 1, 0)]) for time in TIMES]


def best_of_adam(fit: Fit, seeds: int) -> list[float]:
    """At each of the times, the lowest median over all learning rates and batch sizes."""
    medians = []
    for batch_size in (32, len(fit.X)):
        for rate in LEARNING_RATES:
            runs = [losses_at(fit, seed, fm.Adam(rate), batch_size) for seed in range(seeds)]
            medians.append([median(column) for column in zip(*runs, strict=True)])
    return [min(column) for column in zip(*medians, strict=True)]


def rows_of(fit: Fit, seeds: int) -> Iterator[list[str]]:
    """A row of the table for each time."""
    runs = [losses_at(fit, seed, fm.LevenbergMarquardt(tolerance=0.0), len(fit.X)) for seed in range(seeds)]
    ours = [median(column) for column in zip(*runs, strict=True)]
    for time, adam, loss in zip(TIMES, best_of_adam(fit, seeds), ours, strict=True):
        yield [fit.name, f"{time:g}", f"{adam:.3g}", f"{loss:.3g}", f"{adam / loss:.3g}"]


@click.command()
@click.option("--seeds", default=3, show_default=True, help="Number of initial weights; the median is reported.")
def main(seeds: int) -> None:
    """Print the table."""
    fits = [sine()]
    if "FASTMLP_DATA" in os.environ:
        fits.append(concrete(Path(os.environ["FASTMLP_DATA"])))
    else:
        click.echo("FASTMLP_DATA is not set: concrete is left out", err=True)
    header = ["fit", "seconds", "Adam's loss", "Levenberg-Marquardt's", "ratio"]
    click.echo(as_table([header, *(row for fit in fits for row in rows_of(fit, seeds))]))


if __name__ == "__main__":
    main()
