"""Compare what fastmlp makes of public tables by itself with scikit-learn behind careful work by hand.

    python bench/tables.py DATA      the errors on each file, as a table in Markdown

DATA is the folder of the files. A careful user has chosen columns, missing values, categories and dates by hand
(``bench/by_hand.py``) for scikit-learn's MLPClassifier or MLPRegressor with default settings, trained until it
converges. fastmlp gets the file as ``fastmlp train`` does, and trains the default network. It is told only what can't
be seen in a file: the target, a code that stands for a missing value, and a second target.

The rows are shuffled and cut into five folds; each is predicted by a network that has learned from the others. The
error is the share of wrong classes, or the root of the mean squared error over the deviation of the target. To the
wrong rows of either side one is added, so that none has an error of 0. Errors are means over several seeds.

The default network was chosen by validation rows within the first four fifths, without the first fold. The figures for
the first fold alone are therefore of rows that no choice has seen, but of five times fewer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import fastmlp as fm
from fastmlp import cli
from fastmlp.bench.by_hand import TABLES, ByHand
from fastmlp.cli.defaults import Settings, make_network
from fastmlp.cli.fitting import fit
from fastmlp.cli.sources import Problem
from fastmlp.cli.train import train as train_command
from fastmlp.tables.target import Target

FOLDS = 5


def folds(n: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Training and test rows, each row once in a test part; the same every time."""
    order = np.random.default_rng(0).permutation(n)
    for k in range(FOLDS):
        start, stop = k * n // FOLDS, (k + 1) * n // FOLDS
        yield np.concatenate([order[:start], order[stop:]]), order[start:stop]


def by_hand(path: Path, table: ByHand, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The true targets of a file, and those that scikit-learn predicts."""
    frame = table.frame(path)
    y = frame[str(table.target)].to_numpy()
    predicted = np.empty(len(y), y.dtype if table.is_class else np.float64)
    for train, test in folds(len(y)):
        pipeline = table.pipeline(frame, seed).fit(frame.iloc[train], y[train])
        predicted[test] = pipeline.predict(frame.iloc[test])
    return y, predicted


def by_itself(path: Path, table: ByHand, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """The true targets of a file, and those that fastmlp predicts; classes as numbers from 0."""
    null = [table.null] if table.null else []
    read = fm.read_table(path, null=null)
    target = Target.of(read, table.target.strip() if isinstance(table.target, str) else table.target)
    if (target.classes_ is not None) != table.is_class:
        raise click.ClickException(f"{path}: {target} is not what it should be")
    y = target.read(read)
    rows = np.flatnonzero(y >= 0 if table.is_class else np.isfinite(y))
    y = y[rows]
    predicted = np.empty_like(y)
    for train, test in folds(len(y)):
        encoder = fm.TableEncoder(drop=[target.name, *table.told], null=null).fit(read.take(rows[train]))
        X = encoder.transform(read)[rows]
        problem = Problem(path.name, (X[train], y[train]), None, None, target, encoder)
        settings = Settings.of(problem, {**_options(), "seed": seed})
        network = make_network(problem, settings)
        fit(network, problem, settings, None, 1, False, None, None, False)
        outputs = network.predict(X[test])
        predicted[test] = outputs.argmax(axis=1) if table.is_class else outputs.ravel()
    return y, predicted


@cache
def _options() -> dict[str, Any]:
    """The options of ``fastmlp train`` where none is given."""
    parameters = train_command.make_context("train", [], parent=cli.main.make_context("fastmlp", ["train"])).params
    return {field.name: parameters[field.name] for field in fields(Settings)}


def error(y: NDArray[Any], predicted: NDArray[Any], is_class: bool) -> float:
    """The error as the top of this file defines it."""
    if is_class:
        return float(np.sum(y != predicted) + 1) / (len(y) + 1)
    return float(np.sqrt(np.mean((predicted - y) ** 2)) / np.std(y))


def errors(predict: Callable[..., tuple[NDArray[Any], NDArray[Any]]], path: Path, table: ByHand, seeds: int) -> Any:
    """Rows, the error on all of them, and the error on the first fold."""
    found = []
    for seed in range(seeds):
        y, predicted = predict(path, table, seed)
        first = next(folds(len(y)))[1]
        found.append([error(y, predicted, table.is_class), error(y[first], predicted[first], table.is_class)])
    return len(y), *np.mean(found, axis=0)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, type=click.Choice(list(TABLES)), help="Only these files.")
@click.option("--seeds", default=3, show_default=True, help="Networks for each fold.")
def main(folder: Path, only: tuple[str, ...], seeds: int) -> None:
    """Print the errors of both on every file, their ratio, and the mean of its logarithm."""
    warnings.simplefilter("ignore")
    click.echo("| file | rows | error | scikit-learn, by hand | fastmlp, by itself | ratio |")
    click.echo("| --- | ---: | --- | ---: | ---: | ---: |")
    logs = []
    for name in only or TABLES:
        table = TABLES[name]
        rows, theirs, theirs_first = errors(by_hand, folder / name, table, seeds)
        rows_here, ours, ours_first = errors(by_itself, folder / name, table, seeds)
        if rows != rows_here:
            raise click.ClickException(f"{name}: {rows} rows by hand, {rows_here} rows here")
        logs.append(np.log([ours / theirs, ours_first / theirs_first]))
        kind = "wrong" if table.is_class else "RMSE"
        click.echo(f"| {name} | {rows} | {kind} | {theirs:.4f} | {ours:.4f} | {ours / theirs:.2f} |")
    mean, first = np.mean(logs, axis=0)
    click.echo(f"\nMean of log(ratio) over {len(logs)} files: {mean:+.3f}; first folds alone: {first:+.3f}.")


if __name__ == "__main__":
    main()
