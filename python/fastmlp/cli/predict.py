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

from fastmlp.cli import report, table_options
from fastmlp.cli.models import Model, load_model
from fastmlp.cli.sources import kind_of, plain, read_inputs
from fastmlp.cli.table_problem import name_of
from fastmlp.cli.table_rows import TableRows
from fastmlp.cli.waiting import shown_reading
from fastmlp.cli.writing import check_writable, write_text
from fastmlp.metrics import as_labels, confusion_matrix, regression_errors


@click.command("predict")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("data", nargs=-1, metavar="[DATA]", callback=table_options.sources)
@click.option("--probabilities", is_flag=True, help="Add a column with the probability of each class.")
@click.option(
    "--keep",
    multiple=True,
    callback=table_options.columns,
    metavar="COLUMN",
    help="Column of the table to copy into the result, such as an identifier; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Refuse tables with missing values or unknown categories.")
@table_options.reading_options
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file.  [default: standard output]",
)
@click.option("--threads", type=click.IntRange(1, 1024), help="Number of threads.  [default: as many as pay off]")
def predict(
    model: Path,
    data: str | None,
    probabilities: bool,
    keep: tuple[str | int, ...],
    strict: bool,
    output: Path | None,
    threads: int | None,
    **options: Any,
) -> None:
    """Predict the rows of DATA with a model written by 'fastmlp train --save'.

    DATA is anything that 'train' accepts, or a single IDX file of images. If the data have a test part, that part is
    predicted. A table must have the columns that the model was trained on; other columns are ignored. Missing values
    and unknown categories are dealt with as in training, and counted. Without DATA, the bundled test digits are
    predicted.

    The result is CSV with a header and a line for each row: the class or the number. If the data include the targets,
    the accuracy or the error is printed to standard error.

    \b
    Predict prices for new houses, beside their numbers:
        fastmlp predict houses.safetensors new.csv --keep Id --output prices.csv
    Show the probabilities of a few digits:
        fastmlp predict digits.safetensors --probabilities | head
    """
    check_writable("--output", output)
    saved = load_model(model)
    if probabilities and saved.classes is None:
        raise ValueError(f"--probabilities: {model} predicts numbers, not classes")
    reading = table_options.taken_reading(options)
    kind = kind_of(data)
    kept: dict[str, Sequence[str]] = {}
    if data is not None and kind == "table":
        with shown_reading(name_of(data)):
            rows = TableRows(saved, data, reading)
            outputs = np.concatenate([_outputs(saved, X, f"{data} has", threads) for X in rows.blocks()])
        if strict:
            rows.refuse_gaps()
        if rows.warning:
            click.echo(rows.warning, err=True)
        y = rows.targets()
        kept = {name: rows.texts(name) for name in rows.names(keep)}
    else:
        if keep or strict or reading != table_options.Reading():
            what = "the bundled digits are" if data is None else f"{data} is"
            raise ValueError(f"--keep, --strict and the options for reading are for a table, which {what} not")
        X, y = read_inputs(data, kind)
        outputs = _outputs(saved, X, "the bundled digits have" if data is None else f"{data} has", threads)
        y = None if y is None else _encoded(saved, y)
    columns = kept | _predictions(saved, outputs, probabilities, kept)
    if y is not None:
        click.echo(_judged(saved, y, outputs), err=True)
    text = _as_csv(columns)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
        click.echo(f"Written: {output} ({report.plural(len(outputs), 'row')})", err=True)


def _outputs(model: Model, X: NDArray[Any], given: str, threads: int | None) -> NDArray[Any]:
    """What the network says of rows that have as many columns as it takes."""
    if X.ndim == 2 and X.shape[1] != model.network.n_features:
        raise ValueError(f"{given} {X.shape[1]} columns, {model.path} needs {model.network.n_features}")
    return model.network.predict(X, n_threads=threads)


def _encoded(model: Model, y: NDArray[Any]) -> NDArray[Any]:
    """Targets of data that are no table as indices into the classes, -2 for an unknown one; numbers stay."""
    if model.classes is None:
        return y
    position = {name: i for i, name in enumerate(model.classes)}
    return np.array([position.get(f"{label:.0f}", -2) for label in y.reshape(len(y), -1)[:, 0]])


def _predictions(
    model: Model, outputs: NDArray[Any], probabilities: bool, kept: dict[str, Any]
) -> dict[str, Sequence[str]]:
    """The columns of the result, by name."""
    name = model.target.name or "predicted"
    name = f"predicted {name}" if name in kept else name
    if model.classes is None:
        numbers = np.asarray(model.target.decode(outputs)).astype(outputs.dtype, copy=False)
        if numbers.shape[1] == 1:
            return {name: [plain(value) for value in numbers[:, 0]]}
        return {f"{name}_{j}": [plain(value) for value in numbers[:, j]] for j in range(numbers.shape[1])}
    columns: dict[str, Sequence[str]] = {name: [model.classes[i] for i in as_labels("predictions", outputs)]}
    if probabilities:
        full = np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs
        columns |= {f"p({label})": [plain(p) for p in full[:, i]] for i, label in enumerate(model.classes)}
    return columns


def _judged(model: Model, y: NDArray[Any], outputs: NDArray[Any]) -> str:
    """The accuracy on one line, or the errors; over the rows whose target is known."""
    if model.classes is None:
        if y.dtype.kind not in "biuf" or y.size != outputs.size:
            return "No error: the targets in the data do not match what the model predicts"
        y = y.reshape(outputs.shape)
        known = np.isfinite(y).all(axis=1)
        text, what = "No error", "a number as its target"
        if known.any():
            decode = model.target.decode
            errors = regression_errors(decode(y[known]), decode(outputs[known]))
            text = report.error_lines("Prediction", errors, model.target.name or None)
    else:
        known = y >= 0
        text, what = "No accuracy", "a class that the model knows"
        if known.any():
            counts = confusion_matrix(y[known], as_labels("predictions", outputs[known]), len(model.classes))
            text = report.class_line("", counts).strip().capitalize()
    lost = int(np.count_nonzero(~known))
    return f"{text}; {report.plural(lost, 'row')} without {what} left out" if lost else text


def _as_csv(columns: dict[str, Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
