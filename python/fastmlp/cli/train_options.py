"""The options of ``fastmlp train``: names, allowed values and help texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fastmlp.cli import table_options
from fastmlp.cli.defaults import LEARNING_RATES
from fastmlp.cli.pictures import pictures_of
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.loss_kinds import LOSSES
from fastmlp.model.losses import Loss
from fastmlp.optimizers import OPTIMIZERS

_LOSSES = [name for name in LOSSES if Loss(name).outputs_per_target == 1]
_HIDDEN_ACTIVATIONS = [name for name, spec in ACTIVATIONS.items() if not spec.output_only]
_RATES = ", ".join(f"{name} {rate:g}" for name, rate in LEARNING_RATES.items())


def _widths(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Widths separated by commas; ``none`` for no hidden layer."""
    if value is None:
        return None
    if value == "none":
        return ()
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise click.BadParameter(f"{value!r} is not a list of widths such as 256,128, or none")
    return tuple(map(int, parts))


_FILE: Any = click.Path(dir_okay=False, path_type=Path)


OPTIONS = (
    click.argument("data", nargs=-1, metavar="[DATA]", callback=table_options.sources),
    click.option(
        "--target",
        callback=table_options.column,
        metavar="COLUMN",
        help="Column of a table to predict, by name or position from 0; -1 is the last.  [default: the last]",
    ),
    click.option(
        "--drop",
        multiple=True,
        callback=table_options.columns,
        metavar="COLUMN",
        help="Column of a table to leave out; may be repeated.",
    ),
    click.option(
        "--use",
        multiple=True,
        callback=table_options.columns,
        metavar="COLUMN",
        help="Column of a table to learn from though it looks like an identifier or free text; may be repeated.",
    ),
    click.option(
        "--categorical",
        multiple=True,
        callback=table_options.columns,
        metavar="COLUMN",
        help="Column of numbers that are codes without an order; may be repeated.",
    ),
    click.option(
        "--task",
        type=click.Choice(["classification", "regression"]),
        help="Whether targets are classes or numbers.  [default: decided by their values, and said]",
    ),
    click.option(
        "--log-target",
        is_flag=True,
        help="Learn log(1 + target), for numbers from 0 with a few very large ones, such as prices.",
    ),
    *table_options.READING,
    click.option(
        "--stream/--no-stream",
        default=None,
        help="Whether to read a table anew for every epoch instead of into memory.  [default: if its files are large]",
    ),
    click.option(
        "--test",
        callback=table_options.source,
        metavar="FILE",
        help="Table with rows for testing.  [default: a part of DATA]",
    ),
    click.option(
        "--test-fraction",
        default=0.2,
        show_default=True,
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of the rows set aside for testing, if DATA has no test part; the same rows every time.",
    ),
    click.option(
        "--validation-fraction",
        default=0.0,
        show_default=True,
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of the rows set aside for validation: a second curve in --plot, and monitored by --patience.",
    ),
    click.option(
        "--hidden",
        callback=_widths,
        metavar="WIDTHS",
        help="Widths of the hidden layers, such as 128 or 256,128; none for a linear model.  [default: 128,128,128 for "
        "tables, else 256]",
    ),
    click.option(
        "--activation",
        default="relu",
        show_default=True,
        type=click.Choice(_HIDDEN_ACTIVATIONS),
        metavar="NAME",
        help=f"Activation of the hidden layers: {', '.join(_HIDDEN_ACTIVATIONS)}.",
    ),
    click.option(
        "--output",
        type=click.Choice(list(ACTIVATIONS)),
        metavar="NAME",
        help="Activation of the last layer.  [default: the one that suits the loss]",
    ),
    click.option(
        "--loss",
        type=click.Choice(_LOSSES),
        metavar="NAME",
        help=f"One of {', '.join(_LOSSES)}.  [default: cross_entropy for classes, squared_error for numbers]",
    ),
    click.option(
        "--dropout",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of hidden units dropped in each training step.  [default: 0.2 for classes, 0 for numbers]",
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 1, max_open=True),
        help="Share of each target spread over all classes in training: often more accurate, but less confident.  "
        "[default: 0.1 for cross-entropies]",
    ),
    click.option(
        "--dtype",
        default="float32",
        show_default=True,
        type=click.Choice(["float32", "float64"]),
        help="Data type of weights and arithmetic.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1),
        help="Passes over the training rows.  [default: 40; more for small tables, fewer for those above 50 000 rows]",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(1),
        help="Rows per update.  [default: 32; 256 for tables above 50 000 rows]",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(list(OPTIMIZERS)),
        metavar="NAME",
        help=f"One of {', '.join(OPTIMIZERS)}.  [default: adamw for tables, else adam]",
    ),
    click.option("--learning-rate", type=float, help=f"Highest value of the schedule.  [default: {_RATES}]"),
    click.option(
        "--schedule",
        default="one-cycle",
        show_default=True,
        type=click.Choice(["one-cycle", "cosine", "constant"]),
        help="How the learning rate changes: up and down, only down, or not at all.",
    ),
    click.option("--momentum", type=float, help="Momentum of sgd and rmsprop.  [default: 0]"),
    click.option(
        "--weight-decay",
        type=float,
        help="Weight decay: pulls weights towards 0.  [default: 0; 0.01 for adamw; for tables as suits their rows]",
    ),
    click.option(
        "--patience",
        type=click.IntRange(1),
        help="Epochs without improvement before stopping; restores the best weights.  [default: train all epochs]",
    ),
    click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Seed of initial weights, row order and dropout.",
    ),
    click.option("--threads", type=click.IntRange(1, 1024), help="Number of threads.  [default: as many as pay off]"),
    click.option(
        "--checkpoint",
        type=_FILE,
        help="Save the state of the training in this file while it runs, so that it can be resumed.",
    ),
    click.option(
        "--checkpoint-every",
        type=click.FloatRange(0),
        metavar="SECONDS",
        help="Time between checkpoints.  [default: 10, or more if writing would take more than 1 % of the time]",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on from the checkpoint of the same command, if there is one, as if never interrupted.",
    ),
    click.option("--save", type=_FILE, help="Write the model to this file (.safetensors)."),
    click.option(
        "--plot",
        multiple=True,
        callback=pictures_of,
        metavar="[KIND=]FILE",
        help="Draw a picture (.png, .pdf or .svg); may be repeated. KIND is losses (the default), confusion or "
        "calibration for classes, predicted or residuals for numbers, importance for the columns of a table.",
    ),
    click.option("--quiet", is_flag=True, help="No progress bar and no report; errors only."),
)


def train_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add all options to the command, in this order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
