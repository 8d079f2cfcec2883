"""Tables: the speed of reading, against DuckDB alone, and of training beyond memory, against arrays.

``python bench/tables_reading.py reading`` writes 1 GB of CSV and 1 GB of Parquet, 12 columns of numbers, 4 of whole
numbers, 3 of categories, a truth value, a time and the target, and reads each into memory, in turns.

``python bench/tables_reading.py training`` writes 5 GB of such Parquet and trains on it: on the rows of
`scan_table`, with a limit on memory that is a fraction of the file, and on as many rows as fit into an array, encoded
before. Every run has its own process, which reports its largest memory. The system keeps the file in its cache, so the
disk is not measured.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import click
import duckdb
import numpy as np

import fastmlp as fm
from fastmlp.bench.report import as_table, number

ROW_BYTES = {"csv": 312, "parquet": 118.5}
IN_MEMORY = 4_000_000
"""Rows of the array."""
_NUMBERS = [f"(random() + random() + random() - 1.5) * {j + 1} AS x{j}" for j in range(12)]
_WHOLE = [f"(random() * {10 ** (j + 1)})::INTEGER AS n{j}" for j in range(4)]
_CATEGORIES = [
    f"'{name}_' || (random() * {n} * random())::INTEGER AS {name}"
    for name, n in (("town", 20), ("hue", 6), ("shop", 8))
]
_OTHERS = ["random() < 0.3 AS member", "TIMESTAMP '2015-01-01' + to_seconds((random() * 3e8)::BIGINT) AS sold"]


def write(path: Path, gigabytes: float) -> None:
    """Write a table of about this size, the same each time; its rows are in random order."""
    n_rows = int(gigabytes * 1e9 / ROW_BYTES[path.suffix[1:]])
    columns = ", ".join([*_NUMBERS, *_WHOLE, *_CATEGORIES, *_OTHERS])
    rows = f"SELECT {columns} FROM range({n_rows})"
    target = "x0 * x1 + sin(x2) + n0 / 3 + 3 * member::INT + length(hue) + 0.1 * random()"
    database = duckdb.connect(config={"threads": 1})
    database.execute("SELECT setseed(0.5)")
    database.execute(f"COPY (SELECT *, {target} AS y FROM ({rows})) TO '{path}'")


def read_by_duckdb(path: Path) -> int:
    """Rows that DuckDB alone has read into memory."""
    return int(duckdb.execute("CREATE TABLE held AS FROM '" + str(path) + "'").fetchone()[0])  # type: ignore[index]


def read_by_fastmlp(path: Path) -> int:
    """Rows that `read_table` has read into memory."""
    return len(fm.read_table(path))


def network(rows: Any) -> fm.Network:
    """An ordinary network."""
    return fm.Network([rows.n_features, 256, 1], target_scale=rows.target_scale, seed=0)


def train_on_array(path: Path, limit: int, batch_size: int) -> dict[str, float]:
    """Train on the first rows as arrays."""
    rows = fm.scan_table(path, "y")
    X = np.empty((IN_MEMORY, rows.n_features), np.float32)
    y = np.empty(IN_MEMORY, np.float32)
    done = 0
    for some, targets in rows.of_epoch(0):
        n = min(len(some), IN_MEMORY - done)
        X[done : done + n], y[done : done + n] = some[:n], targets[:n]
        done += n
        if done == IN_MEMORY:
            break
    X, y = X[:done], y[:done]
    with measured() as facts:
        history = network(rows).fit(X, y, epochs=1, batch_size=batch_size)
    return facts | {"rows": done, "loss": float(history["loss"][-1])}


def train_on_scan(path: Path, limit: int, batch_size: int) -> dict[str, float]:
    """Train on all rows as they are read."""
    with measured() as set_up:
        rows = fm.scan_table(path, "y", memory_limit=limit * 2 // 3)
    with measured() as facts:
        history = network(rows).fit(rows, epochs=1, batch_size=batch_size)
    return facts | {"rows": rows.n_rows, "loss": float(history["loss"][-1]), "set-up": set_up["seconds"]}


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds, and seconds of a processor, that the context took."""
    facts: dict[str, float] = {}
    start, start_cpu = perf_counter(), process_time()
    yield facts
    facts |= {"seconds": perf_counter() - start, "processor": process_time() - start_cpu}


READERS = {"DuckDB": read_by_duckdb, "fm.read_table": read_by_fastmlp}
TRAINERS = {"array": train_on_array, "fm.scan_table": train_on_scan}


def run(*arguments: object) -> dict[str, float]:
    """The facts of a run in its own process."""
    command = [sys.executable, __file__, "run", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    facts: dict[str, float] = json.loads(done.stdout)
    return facts


@click.group()
def main() -> None:
    """Time reading tables, and training on tables larger than memory."""


@main.command("run", hidden=True)
@click.argument("way")
@click.argument("path", type=Path)
@click.argument("settings", nargs=-1, type=int)
def run_one(way: str, path: Path, settings: tuple[int, ...]) -> None:
    """Print the facts of one run."""
    if way in READERS:
        with measured() as facts:
            facts["rows"] = READERS[way](path)
    else:
        facts = TRAINERS[way](path, *settings)
    facts["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    click.echo(json.dumps(facts))


@contextmanager
def file_of(folder: Path | None, name: str, gigabytes: float) -> Iterator[Path]:
    """A file of this size, in a temporary folder unless one is named."""
    with TemporaryDirectory(prefix="fastmlp-") as temporary:
        path = Path(folder or temporary) / name
        if not path.exists():
            write(path, gigabytes)
        yield path


@main.command()
@click.option("--gigabytes", default=1.0)
@click.option("--repeats", default=3)
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Keep the files here, for further runs.")
def reading(gigabytes: float, repeats: int, folder: Path | None) -> None:
    """Read a table into memory."""
    table = [["file", "GB", "reader", "s", "processor s", "ratio"]]
    for suffix in ROW_BYTES:
        with file_of(folder, f"reading.{suffix}", gigabytes) as path:
            runs = repeated(repeats, READERS, path)
            seconds = {way: median(each["seconds"] for each in runs[way]) for way in READERS}
            for way in READERS:
                spent = median(each["processor"] for each in runs[way])
                size = f"{path.stat().st_size / 1e9:.2f}"
                table.append(
                    [suffix, size, way, number(seconds[way]), number(spent), f"{seconds[way] / seconds['DuckDB']:.2f}"]
                )
    click.echo(as_table(table))


@main.command()
@click.option("--gigabytes", default=5.0)
@click.option("--limit", default=1.5, help="Memory allowed, in GB.")
@click.option("--batch-size", default=32)
@click.option("--repeats", default=1)
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Keep the file here, for further runs.")
def training(gigabytes: float, limit: float, batch_size: int, repeats: int, folder: Path | None) -> None:
    """Train for an epoch on a table larger than the memory allowed."""
    table = [["rows from", "million rows", "us a row", "processor us", "speed", "set-up s", "memory MB", "loss"]]
    with file_of(folder, "training.parquet", gigabytes) as path:
        runs = repeated(repeats, TRAINERS, path, int(limit * 1e9), batch_size)
        for way in TRAINERS:
            cost, spent = (
                median(1e6 * each[key] / each["rows"] for each in runs[way]) for key in ("seconds", "processor")
            )
            base = median(1e6 * each["seconds"] / each["rows"] for each in runs["array"])
            first = runs[way][0]
            table.append(
                [
                    way, f"{first['rows'] / 1e6:.1f}", number(cost), number(spent), f"{base / cost:.2f}",
                    number(first["set-up"]) if "set-up" in first else "", f"{first['memory'] / 1e6:.0f}",
                    f"{first['loss']:.4f}",
                ]
            )  # fmt: skip
        click.echo(f"{path.stat().st_size / 1e9:.2f} GB of Parquet, {limit} GB of memory, batches of {batch_size}")
    click.echo(as_table(table))


def repeated(repeats: int, ways: dict[str, Any], *arguments: object) -> dict[str, list[dict[str, float]]]:
    """The facts of several runs of each way, in turns."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way in ways:
            runs[way].append(run(way, *arguments))
    return runs


if __name__ == "__main__":
    main()
