"""What checkpoints cost: the share of a fit's time spent writing them, at the default interval.

``python bench/checkpoints.py`` trains networks of several sizes, with a checkpoint in a folder (which should be on a
disk, not in memory), and adds up the time of all writes, including the flush to disk.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click
import numpy as np

import fastmlp as fm
from fastmlp.bench.report import as_table, number
from fastmlp.machine.state_files import StateFile

WIDTHS = ([784, 30, 10], [784, 256, 128, 10], [784, 1024, 1024, 10])


def measure(widths: list[int], seconds: float, folder: Path) -> tuple[int, float, float, int]:
    """Number of checkpoints, seconds spent writing them, seconds of the fit, bytes of the last checkpoint."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, widths[0]), dtype=np.float32)
    y = rng.integers(0, widths[-1], len(X))
    took: list[float] = []

    def timed(write: partial[None]) -> None:
        start = perf_counter()
        write()
        took.append(perf_counter() - start)

    real = StateFile.write
    StateFile.write = lambda self, state: timed(partial(real, self, state))  # type: ignore[method-assign]
    path = folder / "run.ckpt"
    try:
        net = fm.Network(widths, loss="cross_entropy", seed=0)
        start = perf_counter()
        net.fit(X, y, epochs=10**6, batch_size=64, checkpoint=path, callbacks=[fm.TimeLimit(seconds)])
        return len(took), sum(took), perf_counter() - start, path.stat().st_size
    finally:
        StateFile.write = real  # type: ignore[method-assign]


@click.command()
@click.option("--seconds", default=60.0, help="Length of each fit.")
@click.option("--folder", type=click.Path(file_okay=False, exists=True), default=".", help="Where to write.")
def main(seconds: float, folder: str) -> None:
    """Time fits with checkpoints at the default interval."""
    rows = [["network", "checkpoints", "MB each", "ms each", "share of the time"]]
    for widths in WIDTHS:
        with TemporaryDirectory(dir=folder) as place:
            n, writing, whole, size = measure(widths, seconds, Path(place))
        share = f"{100 * writing / whole:.2f} %"
        rows.append(["-".join(map(str, widths)), str(n), number(size / 1e6), number(1e3 * writing / n), share])
    click.echo(as_table(rows))


if __name__ == "__main__":
    main()
