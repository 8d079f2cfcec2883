"""``fastmlp predict``: run a saved model on other data and write the predictions as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.cli import report
from fastmlp.cli.sources import read_rows
from fastmlp.cli.writing import check_writable, write_text
from fastmlp.data.readers.table_encoding import TableEncoding
from fastmlp.metrics import as_labels, regression_errors
from fastmlp.network import load_with_extra


@click.command("predict")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("data", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--probabilities", is_flag=True, help="Add a column with the probability of each class.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file.  [default: standard output]",
)
@click.option("--threads", type=click.IntRange(1, 1024), help="Number of threads.  [default: as many as pay off]")
def predict(model: Path, data: Path | None, probabilities: bool, output: Path | None, threads: int | None) -> None:
    """Predict the rows of DATA with a model written by 'fastmlp train --save'.

    DATA is anything that 'train' accepts, or a single IDX file of images. If the data have a test part, that part is
    predicted. A CSV file must have the columns that the model was trained on; other columns are ignored. Without DATA,
    the bundled test digits are predicted.

    The result is CSV with a header and a line for each row: the class or the number. If the data include the targets,
    the accuracy or the error is printed to standard error.

    \b
    Predict prices for new houses:
        fastmlp predict houses.safetensors new.csv --output prices.csv
    Show the probabilities of a few digits:
        fastmlp predict digits.safetensors --probabilities | head
    """
    check_writable("--output", output)
    network, extra = load_with_extra(model)
    classes, encoding = read_extra(model, extra, network.n_outputs)
    if probabilities and classes is None:
        raise ValueError(f"--probabilities: {model} predicts numbers, not classes")
    rows = read_rows(data, encoding)
    if rows.X.ndim == 2 and rows.X.shape[1] != network.n_features:
        given = "the bundled digits have" if data is None else f"{data} has"
        raise ValueError(f"{given} {rows.X.shape[1]} columns, {model} needs {network.n_features}")
    outputs = network.predict(rows.X, n_threads=threads)
    if classes is None:
        header = ["predicted"] if outputs.shape[1] == 1 else [f"predicted_{j}" for j in range(outputs.shape[1])]
        table = [[str(value) for value in row] for row in outputs]
    else:
        names = [classes[label] for label in as_labels("predictions", outputs)]
        header, table = ["predicted"], [[name] for name in names]
        if probabilities:
            header += [f"p({name})" for name in classes]
            full = np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
            table = [[*row, *map(str, p)] for row, p in zip(table, full, strict=True)]
    if rows.y is not None:
        click.echo(_judged(rows.y, outputs, classes, encoding), err=True)
    text = _as_csv([header, *table])
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        click.echo(f"Written: {output} ({report.plural(len(table), 'row')})", err=True)


def read_extra(
    path: Path, extra: dict[str, Any], n_outputs: int
) -> tuple[tuple[str, ...] | None, TableEncoding | None]:
    """Class names and table encoding of a model; ``ValueError`` if they do not fit it."""
    classes = extra.get("classes")
    if classes is not None:
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError(f"{path}: its class names are damaged")
        if n_outputs != (1 if len(classes) == 2 and n_outputs == 1 else len(classes)):
            raise ValueError(f"{path} names {len(classes)} classes, but its network has {n_outputs} outputs")
    try:
        encoding = None if extra.get("encoding") is None else TableEncoding.from_dict(extra["encoding"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return (None if classes is None else tuple(classes)), encoding


def _judged(
    y: NDArray[Any], outputs: NDArray[Any], classes: tuple[str, ...] | None, encoding: TableEncoding | None
) -> str:
    """The accuracy on one line, or the errors."""
    if classes is None:
        if y.dtype.kind not in "biuf" or y.size != outputs.size:
            return "No error: the targets in the data do not match what the model predicts"
        errors = regression_errors(y, outputs)
        name = encoding.target.name if encoding and encoding.target else None
        return report.error_lines("Prediction", errors, name)
    position = {name: i for i, name in enumerate(classes)}
    names = y.tolist() if y.dtype.kind == "U" else [f"{label:.0f}" for label in y.reshape(len(y), -1)[:, 0]]
    unknown = next((name for name in names if name not in position), None)
    if unknown is not None:
        return f"No accuracy: the data have the class {printable(unknown)!r}, which is unknown to the model"
    right = int((np.array([position[name] for name in names]) == as_labels("predictions", outputs)).sum())
    return f"Accuracy {100 * right / len(y):.2f} % ({report.count(len(y) - right)} of {report.count(len(y))} wrong)"


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
