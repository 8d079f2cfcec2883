"""Compare the estimators of fastmlp and scikit-learn, both with default settings: errors and times of whole fits.

    python bench/estimators.py sets DATA      every data set, three seeds: test errors, times, ratios
    python bench/estimators.py grid DATA      GridSearchCV of 24 fits on optdigits with two workers

DATA is the folder of data sets. Inputs and regression targets are scaled to mean 0 and standard deviation 1; images
are divided by their largest value. Both estimators get the same arrays, and only a random_state besides their defaults.
scikit-learn may use all cores through its BLAS. Fits alternate, so that a busy moment hits both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray

import fastmlp as fm


@dataclass(frozen=True)
class Data:
    """Training and test rows of a data set, scaled, in float64."""

    X: NDArray[Any]
    y: NDArray[Any]
    X_test: NDArray[Any]
    y_test: NDArray[Any]
    is_class: bool = True


def standardized(train: NDArray[Any], test: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Scale both by the mean and standard deviation of the first; constant columns become 0."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (train - mean) / deviation, (test - mean) / deviation


def as_numbers(frame: pd.DataFrame, target: str, is_class: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Inputs, a column of zeros and ones for each text, and the labels or numbers to predict."""
    y = frame.pop(target)
    X = pd.get_dummies(frame, dtype=float).to_numpy(np.float64)
    return X, np.unique(y, return_inverse=True)[1] if is_class else y.to_numpy(np.float64)


def mnist(folder: Path) -> Data:
    """MNIST: the usual 60 000 and 10 000 images."""
    X, y, X_test, y_test = fm.load_mnist(folder / "mnist")
    return Data(X / 255, y, X_test / 255, y_test)


def optdigits(folder: Path) -> Data:
    """The bundled digits: 3 823 and 1 797 images, the test images written by other people."""
    X, y, X_test, y_test = fm.load_digits()
    return Data(X / 16, y, X_test / 16, y_test)


def adult(folder: Path) -> Data:
    """The original training and test files; texts become one-hot columns."""
    parts = [pd.read_csv(folder / "tabular" / f"adult_{part}.csv.gz", na_filter=False) for part in ("train", "test")]
    X, y = as_numbers(pd.concat(parts), "income", is_class=True)
    n = len(parts[0])
    X, X_test = standardized(X[:n], X[n:])
    return Data(X, y[:n], X_test, y[n:])


def table(folder: Path, name: str, target: str, drop: tuple[str, ...] = (), is_class: bool = True) -> Data:
    """A single file; a random fifth, always the same, is the test set."""
    frame = pd.read_csv(folder / "tabular" / f"{name}.csv.gz", na_filter=False).drop(columns=list(drop))
    X, y = as_numbers(frame, target, is_class)
    order = np.random.default_rng(0).permutation(len(X))
    test, train = order[: len(order) // 5], order[len(order) // 5 :]
    X, X_test = standardized(X[train], X[test])
    y, y_test = y[train], y[test]
    return Data(X, y, X_test, y_test) if is_class else Data(X, *_between(y, y_test, X_test), is_class=False)


def _between(y: NDArray[Any], y_test: NDArray[Any], X_test: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    y, y_test = standardized(y, y_test)
    return y, X_test, y_test


SETS: dict[str, Callable[[Path], Data]] = {
    "optdigits": optdigits,
    "wine_red": partial(table, name="wine_quality_red", target="quality", is_class=False),
    "wine_white": partial(table, name="wine_quality_white", target="quality", is_class=False),
    "concrete": partial(table, name="concrete_strength", target="compressive_strength_mpa", is_class=False),
    "housing": partial(
        table, name="california_housing", target="median_house_value", drop=("total_bedrooms",), is_class=False
    ),
    "letters": partial(table, name="letter_recognition", target="letter"),
    "magic": partial(table, name="magic_gamma", target="class"),
    "credit": partial(table, name="credit_default", target="default_payment_next_month", drop=("ID",)),
    "bank": partial(table, name="bank_marketing", target="y", drop=("duration",)),
    "bank_additional": partial(table, name="bank_marketing_additional", target="y", drop=("duration",)),
    "adult": adult,
    "mnist": mnist,
}


def contenders(is_class: bool) -> dict[str, Any]:
    """The two estimator classes by library."""
    from sklearn import neural_network

    name = "MLPClassifier" if is_class else "MLPRegressor"
    return {"fastmlp": getattr(fm, name), "scikit-learn": getattr(neural_network, name)}


def measure(kind: Any, data: Data, seed: int) -> tuple[float, float]:
    """Seconds of a fit with defaults, and the test error: share of wrong classes, or 1 - R^2."""
    start = perf_counter()
    estimator = kind(random_state=seed).fit(data.X, data.y)
    seconds = perf_counter() - start
    return seconds, 1 - estimator.score(data.X_test, data.y_test)


@click.group()
def main() -> None:
    """Compare the estimators of fastmlp and scikit-learn."""
    warnings.simplefilter("ignore")  # neither converges in 200 epochs on every set


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), help="Only these data sets.")
@click.option("--seeds", default=3, show_default=True, help="Fits of each estimator on each set.")
@click.option("--rows", default=None, type=int, help="Train on at most this many rows.")
def sets(folder: Path, only: tuple[str, ...], seeds: int, rows: int | None) -> None:
    """Print test errors (mean and standard deviation over the seeds), seconds of all fits, and the speed ratio."""
    click.echo(
        f"{'set':16}{'rows':>7}{'columns':>8}   {'error fastmlp':>18}{'error sklearn':>18}{'seconds':>17}{'ratio':>7}"
    )
    totals = np.zeros(2)
    for name in only or SETS:
        data = SETS[name](folder)
        data = Data(data.X[:rows], data.y[:rows], data.X_test, data.y_test, data.is_class)
        pair = contenders(data.is_class).values()
        results = np.array([[measure(kind, data, seed) for kind in pair] for seed in range(seeds)])
        seconds, errors = results[:, :, 0].sum(axis=0), results[:, :, 1]
        totals += seconds
        cells = [
            f"{mean:.4f} +- {deviation:.4f}" for mean, deviation in zip(errors.mean(0), errors.std(0), strict=True)
        ]
        times = f"{seconds[0]:.2f} {seconds[1]:8.2f}"
        n, columns = data.X.shape
        click.echo(f"{name:16}{n:7}{columns:8}   {cells[0]:>18}{cells[1]:>18}{times:>17}{seconds[1] / seconds[0]:7.1f}")
    click.echo(f"{'total':67}{totals[0]:.2f} {totals[1]:8.2f}{totals[1] / totals[0]:7.1f}")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repeats", default=3, show_default=True, help="Searches of each kind; the fastest counts.")
def grid(folder: Path, repeats: int) -> None:
    """Time GridSearchCV with 24 fits (8 settings, 3 folds); for scikit-learn, with each way to share two cores."""
    from joblib import parallel_config
    from sklearn.model_selection import GridSearchCV
    from threadpoolctl import threadpool_limits

    data = optdigits(folder)
    settings = {"alpha": [1e-4, 1e-2], "learning_rate_init": [1e-3, 3e-3], "hidden_layer_sizes": [(100,), (50,)]}
    ways = [("fastmlp", "threading", 2, None)]
    ways += [("scikit-learn", "loky", 2, 1), ("scikit-learn", "threading", 2, 1), ("scikit-learn", "sequential", 1, 2)]
    best: dict[str, float] = {}
    for library, backend, n_jobs, blas_threads in ways:
        kind = contenders(True)[library]
        times = []
        for _ in range(repeats):
            search = GridSearchCV(kind(random_state=0), settings, cv=3, n_jobs=n_jobs, refit=False)
            start = perf_counter()
            with parallel_config(backend), threadpool_limits(blas_threads, user_api="blas"):
                search.fit(data.X, data.y)
            times.append(perf_counter() - start)
        best[library] = min(best.get(library, np.inf), min(times))
        click.echo(
            f"{library:13} {backend:10} n_jobs={n_jobs}: {min(times):7.2f} s, best score {search.best_score_:.4f}"
        )
    click.echo(f"ratio {best['scikit-learn'] / best['fastmlp']:.1f}")


if __name__ == "__main__":
    main()
