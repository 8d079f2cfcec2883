"""``fastmlp train``: data -> network -> fit -> what it can do and what it cost.

The model is saved before anything is reported: nothing that happens afterwards can lose it.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from fastmlp.activations import ACTIVATIONS
from fastmlp.callbacks.stopping import EarlyStopping
from fastmlp.cli import report
from fastmlp.cli.model import LEARNING_RATES, Settings, TargetScale, make_network, make_optimizer
from fastmlp.cli.sources import Columns, Problem, read_problem
from fastmlp.cli.writing import check_writable
from fastmlp.history import History
from fastmlp.losses import LOSSES
from fastmlp.metrics import as_labels, confusion_matrix, regression_errors
from fastmlp.network import Network
from fastmlp.optimizers import OPTIMIZERS

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C has ended."""

_PICTURES = (".png", ".pdf", ".svg")
_HIDDEN_ACTIVATIONS = [name for name, spec in ACTIVATIONS.items() if not spec.output_only]
_RATES = ", ".join(f"{name} {rate:g}" for name, rate in LEARNING_RATES.items())


def _widths(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, ...]:
    """Whole numbers separated by commas; ``none`` for no hidden layer."""
    if value == "none":
        return ()
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise click.BadParameter(f"{value!r} is not a list of widths such as 256,128, or none")
    return tuple(map(int, parts))


def _column(ctx: click.Context, param: click.Parameter, value: str | None) -> str | int | None:
    """A column by name, or by position when it is a whole number."""
    digits = "" if value is None else value.removeprefix("-")
    return int(str(value)) if digits.isascii() and digits.isdigit() and len(digits) < 10 else value


def _columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str | int | None, ...]:
    return tuple(_column(ctx, param, value) for value in values)


_FILE: Any = click.Path(dir_okay=False, path_type=Path)


@click.command("train")
@click.argument("data", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--target",
    callback=_column,
    metavar="COLUMN",
    help="Column of a CSV file to predict: its name, or its position from 0 (-1: the last).  [default: the last]",
)
@click.option(
    "--drop",
    multiple=True,
    callback=_columns,
    metavar="COLUMN",
    help="Column of a CSV file to leave out, such as a row number; may be given several times.",
)
@click.option(
    "--categorical",
    multiple=True,
    callback=_columns,
    metavar="COLUMN",
    help="Column of numbers that are codes, to be read as text; may be given several times.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="Whether targets are classes or "
    "numbers.  [default: texts and the whole numbers of image data are classes, other numbers are numbers]",
)
@click.option(
    "--test-fraction",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of the rows set aside for the test, where DATA has no test part; the same rows every time.",
)
@click.option(
    "--validation-fraction",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1, max_open=True),
    help="Share set aside to watch the training by: a second curve in --plot, and what --patience looks at.",
)
@click.option(
    "--hidden",
    default="256",
    show_default=True,
    callback=_widths,
    metavar="WIDTHS",
    help="Units of the hidden layers, such as 128 or 256,128; none for a linear model.",
)
@click.option(
    "--activation",
    default="relu",
    show_default=True,
    type=click.Choice(_HIDDEN_ACTIVATIONS),
    metavar="NAME",
    help=f"Of the hidden layers: {', '.join(_HIDDEN_ACTIVATIONS)}.",
)
@click.option(
    "--output",
    type=click.Choice(list(ACTIVATIONS)),
    metavar="NAME",
    help="Activation of the last layer.  [default: what the loss asks for]",
)
@click.option(
    "--loss",
    type=click.Choice(list(LOSSES)),
    metavar="NAME",
    help=f"One of {', '.join(LOSSES)}.  [default: cross_entropy for classes, squared_error for numbers]",
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of hidden units left out of each training step.  [default: 0.2 for classes, 0 for numbers]",
)
@click.option(
    "--label-smoothing",
    type=click.FloatRange(0, 1, max_open=True),
    help="Share of each target spread over "
    "all classes in training: more right answers, less certain ones.  [default: 0.1 for cross-entropies]",
)
@click.option(
    "--dtype",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "float64"]),
    help="Of weights and arithmetic.",
)
@click.option("--epochs", default=40, show_default=True, type=click.IntRange(1), help="Passes over the training rows.")
@click.option("--batch-size", default=32, show_default=True, type=click.IntRange(1), help="Rows per update.")
@click.option(
    "--optimizer",
    default="adam",
    show_default=True,
    type=click.Choice(list(OPTIMIZERS)),
    metavar="NAME",
    help=f"One of {', '.join(OPTIMIZERS)}.",
)
@click.option("--learning-rate", type=float, help=f"The largest of the schedule.  [default: {_RATES}]")
@click.option(
    "--schedule",
    default="one-cycle",
    show_default=True,
    type=click.Choice(["one-cycle", "cosine", "constant"]),
    help="How the learning rate moves: up and down, only down, or not at all.",
)
@click.option("--momentum", type=float, help="Of sgd and rmsprop.  [default: 0]")
@click.option("--weight-decay", type=float, help="Pull of the weights towards 0.  [default: 0; 0.01 for adamw]")
@click.option(
    "--patience",
    type=click.IntRange(1),
    help="Stop after so many epochs without improvement, and go back to the best.  [default: train all epochs]",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of weights, order and dropout.")
@click.option("--threads", type=click.IntRange(1, 1024), help="[default: as many as the work is worth]")
@click.option("--save", type=_FILE, help="Write the model to this file (.safetensors).")
@click.option("--plot", type=_FILE, help="Write the learning curves to this picture (.png, .pdf or .svg).")
@click.option("--quiet", is_flag=True, help="No progress bar and no report; errors only.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    data: Path | None,
    target: str | int | None,
    drop: tuple[str | int, ...],
    categorical: tuple[str | int, ...],
    task: str | None,
    test_fraction: float,
    validation_fraction: float,
    patience: int | None,
    threads: int | None,
    save: Path | None,
    plot: Path | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Train a network on DATA and report how good it is.

    DATA is a folder of IDX files as MNIST is published, a CSV file (plain or gzip), or an NPZ file with X and y, or
    X_train, y_train, X_test and y_test. Without DATA, the bundled handwritten digits are used.

    Bytes are scaled to lie between 0 and 1, other columns to mean 0 and deviation 1; text columns become a column for
    each text. All that is saved with the model, so that 'fastmlp predict' takes the data as they are.

    \b
    The bundled digits:
        fastmlp train
    A network after your own mind, saved, with its learning curves:
        fastmlp train --hidden 128,64 --epochs 60 --save digits.safetensors --plot digits.png
    The classic of the textbooks, on MNIST in the folder 'mnist':
        fastmlp train mnist --hidden 30 --activation sigmoid --output sigmoid --loss squared_error
            --optimizer sgd --learning-rate 3 --schedule constant --batch-size 10 --epochs 30 --dropout 0
    A table, to predict the column 'price':
        fastmlp train houses.csv --target price --save houses.safetensors
    Stop when a tenth of the rows, set aside, shows no more improvement:
        fastmlp train letters.csv --target letter --validation-fraction 0.1 --patience 10 --epochs 200

    Ctrl-C ends the training early and keeps its work: the model is saved and reported as it is then.
    """
    check_writable("--save", save)
    check_writable("--plot", plot)
    if plot is not None:
        _check_picture(plot)
    chosen = Settings(**settings)
    problem = read_problem(data, Columns(target, drop, categorical), task, test_fraction, validation_fraction)
    network = make_network(problem, chosen)
    say = (lambda text="": None) if quiet else click.echo
    say(_headline(problem, network, chosen))
    history = _fit(network, problem, chosen, patience, threads, progress=not quiet and sys.stderr.isatty())
    if save is not None:
        _save(network, problem, save)
    if plot is not None and history.n_epochs:
        _plot(history, plot)
    interrupted = history.stop_reason == "interrupted"
    if not quiet:
        say()
        say(_results(network, problem))
        say()
        say(_cost(history, problem))
        if not interrupted:
            with contextlib.suppress(ValueError):  # what pure Python does not cover here has no such line
                say(_against_pure_python(network, problem, chosen, history))
    for path in (save, plot if history.n_epochs else None):
        if path is not None:
            say(f"Written: {path}")
    if interrupted:
        ctx.exit(INTERRUPTED)


def _check_picture(path: Path) -> None:
    """Raise an error now where no picture could be written at the end."""
    from importlib.util import find_spec

    if path.suffix.lower() not in _PICTURES:
        raise ValueError(f"--plot {path}: expected a name that ends in {', '.join(_PICTURES)}")
    if find_spec("matplotlib") is None:
        raise click.ClickException("--plot needs matplotlib: pip install 'fastmlp[plot]'")


def _headline(problem: Problem, network: Network, settings: Settings) -> str:
    """What is about to be done."""
    X, _ = problem.train
    rows = [f"{report.count(len(X))} rows to train on"]
    for part, use in ((problem.validation, "to watch it by"), (problem.test, "to test")):
        if part is not None:
            rows.append(f"{report.count(len(part[0]))} {use}")
    goal = "numbers" if problem.classes is None else report.plural(len(problem.classes), "class", "classes")
    goal = f"{problem.target_name!r} ({goal})" if problem.target_name else goal
    return "\n".join(
        [
            f"Data      {problem.name}: {', '.join(rows)}; {report.plural(X.shape[1], 'column')} -> {goal}",
            f"Network   {report.network_line(network)}; {report.plural(network.n_params, 'parameter')}",
            f"Training  {report.plural(settings.epochs, 'epoch')} in batches of {settings.batch_size}, "
            f"{settings.optimizer}, loss {network.loss.name}, seed {settings.seed}",
        ]
    )


def _fit(
    network: Network, problem: Problem, settings: Settings, patience: int | None, threads: int | None, progress: bool
) -> History:
    """Train; numeric targets are scaled for it, and the network gives them in their own unit afterwards."""
    X, y = problem.train
    validation = problem.validation
    scaled = problem.classes is None and network.output == "identity"
    scale = TargetScale.of(y) if scaled else None
    if scale is not None:
        y = scale(y)
        validation = None if validation is None else (validation[0], scale(validation[1]))
    history = network.fit(
        X, y, epochs=settings.epochs, batch_size=settings.batch_size, optimizer=make_optimizer(settings, len(X)),
        validation_data=validation, callbacks=[EarlyStopping(patience)] if patience else (), n_threads=threads,
        progress=progress,
    )  # fmt: skip
    if scale is not None:
        scale.undo_in(network)
    return history


def _save(network: Network, problem: Problem, path: Path) -> None:
    from fastmlp.persistence import save

    extra: dict[str, Any] = {}
    if problem.classes is not None:
        extra["classes"] = list(problem.classes)
    if problem.encoding is not None:
        extra["encoding"] = problem.encoding.to_dict()
    save(network, path, extra=extra)


def _plot(history: History, path: Path) -> None:
    from fastmlp import plots
    from fastmlp.files import replacing

    figure: Any = plots.history(history)
    with replacing(path) as file:
        figure.savefig(file, format=path.suffix.lower().lstrip("."))


def _results(network: Network, problem: Problem) -> str:
    """How good the network is on rows that it has not seen, or on its own where there are no others."""
    name, part = ("Training", problem.train) if problem.test is None else ("Test", problem.test)
    X, y = part
    predicted = network.predict(X)
    if problem.classes is None:
        return report.error_lines(name, regression_errors(y, predicted), problem.target_name)
    counts = confusion_matrix(y, as_labels("predictions", predicted), len(problem.classes))
    return f"{report.class_line(name, counts)}\n\n{report.confusion_text(counts, problem.classes)}"


def _cost(history: History, problem: Problem) -> str:
    """What the training took, and why it ended if not as planned."""
    if not history.n_epochs:
        return "Interrupted within the first epoch."
    seconds = float(history["seconds"][-1])
    speed = history.n_epochs * len(problem.train[0]) / max(seconds, 1e-9)
    line = f"Trained {report.plural(history.n_epochs, 'epoch')} in {report.duration(seconds)}: "
    line += f"{report.count(speed)} samples per second"
    if history.stop_reason != "epochs":
        line += f"\nEnded early: {history.stop_reason}"
        line += "" if history.best_epoch is None else f"; the weights are those of epoch {history.best_epoch + 1}"
    return line


def _against_pure_python(network: Network, problem: Problem, settings: Settings, history: History) -> str:
    """How many times as long the same training takes in pure Python; ``ValueError`` where it can't be said."""
    from fastmlp.bench.pure_python import pure_python_seconds

    n_samples = len(problem.train[0])
    if settings.momentum:
        raise ValueError("pure Python knows no momentum here")
    widths = [network.n_features, *settings.hidden, network.n_outputs]
    seconds = pure_python_seconds(
        widths, settings.activation, network.output, network.loss.name, min(settings.batch_size, n_samples),
        n_samples, history.n_epochs, settings.optimizer,
    )  # fmt: skip
    factor = seconds / max(float(history["seconds"][-1]), 1e-9)
    without = ", dropout left out" if settings.hidden and settings.dropout_for(problem) else ""
    return (
        f"{report.rounded(factor)} times as fast as pure Python, which would take {report.duration(seconds)}\n"
        f"  (reckoned from a sample of the same work, really timed in pure Python just now{without})"
    )
