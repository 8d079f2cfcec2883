"""``fastmlp train``: data -> network -> fit -> report.

The model is saved before the report, so that no later error can lose it.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from fastmlp.cli.defaults import Settings, make_network
from fastmlp.cli.fitting import fit, sigterm_as_interrupt
from fastmlp.cli.sources import Columns, Problem, read_problem
from fastmlp.cli.summary import against_pure_python, cost, headline, results
from fastmlp.cli.train_options import train_options
from fastmlp.cli.writing import check_writable
from fastmlp.history import History
from fastmlp.network import Network

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes that a shell expects of a program ended by Ctrl-C or SIGTERM."""

_PICTURES = (".png", ".pdf", ".svg")


@click.command("train")
@train_options
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
    checkpoint: Path | None,
    checkpoint_every: float | None,
    resume: bool,
    save: Path | None,
    plot: Path | None,
    quiet: bool,
    **settings: Any,
) -> None:
    """Train a network on DATA and report how good it is.

    DATA is a folder of IDX files (as MNIST is published), a CSV file (plain or gzip), or an NPZ file with X and y, or
    with X_train, y_train, X_test and y_test. Without DATA, the bundled handwritten digits are used.

    Bytes are scaled to the range from 0 to 1, other columns to mean 0 and standard deviation 1. A text column becomes
    one column per text. The scaling is saved with the model, so 'fastmlp predict' takes raw data.

    \b
    Train on the bundled digits:
        fastmlp train
    Choose the network, save it, and plot the training:
        fastmlp train --hidden 128,64 --epochs 60 --save digits.safetensors --plot digits.png
    Train the textbook classic on MNIST in the folder 'mnist':
        fastmlp train mnist --hidden 30 --activation sigmoid --output sigmoid --loss squared_error
            --optimizer sgd --learning-rate 3 --schedule constant --batch-size 10 --epochs 30 --dropout 0
    Predict the column 'price' of a table:
        fastmlp train houses.csv --target price --save houses.safetensors
    Stop early, with a tenth of the rows set aside for validation:
        fastmlp train letters.csv --target letter --validation-fraction 0.1 --patience 10 --epochs 200
    Run a long training that may be killed; repeat the same command until it is done:
        fastmlp train mnist --epochs 500 --checkpoint run.ckpt --resume --save mnist.safetensors

    Ctrl-C ends the training early and keeps its work: the model is saved and reported as it is. SIGTERM does the same
    without the report. Both write the checkpoint, if there is one.
    """
    for option, value in (("--resume", resume), ("--checkpoint-every", checkpoint_every)):
        if value and checkpoint is None:
            raise click.UsageError(f"{option} needs --checkpoint FILE")
    check_writable("--checkpoint", checkpoint)
    check_writable("--save", save)
    check_writable("--plot", plot)
    if plot is not None:
        _check_picture(plot)
    chosen = Settings(**settings)
    problem = read_problem(data, Columns(target, drop, categorical), task, test_fraction, validation_fraction)
    network = make_network(problem, chosen)
    say = (lambda text="": None) if quiet else click.echo
    say(headline(problem, network, chosen))
    progress = not quiet and sys.stderr.isatty()
    with sigterm_as_interrupt() as terminated:
        history = fit(network, problem, chosen, patience, threads, progress, checkpoint, checkpoint_every, resume)
    if save is not None:
        _save(network, problem, save)
    if terminated.came:
        ctx.exit(TERMINATED)
    if plot is not None and history.n_epochs:
        _plot(history, plot)
    interrupted = history.stop_reason == "interrupted"
    if not quiet:
        say()
        say(results(network, problem))
        say()
        say(cost(history, problem))
        if not interrupted:
            with contextlib.suppress(ValueError):  # pure Python may not cover this network
                say(against_pure_python(network, problem, chosen, history))
    for path in (save, plot if history.n_epochs else None):
        if path is not None:
            say(f"Written: {path}")
    if interrupted:
        ctx.exit(INTERRUPTED)


def _check_picture(path: Path) -> None:
    """Raise an error now if the plot could not be written at the end."""
    from importlib.util import find_spec

    if path.suffix.lower() not in _PICTURES:
        raise ValueError(f"--plot {path}: expected a name that ends in {', '.join(_PICTURES)}")
    if find_spec("matplotlib") is None:
        raise click.ClickException("--plot needs matplotlib: pip install 'fastmlp[plot]'")


def _save(network: Network, problem: Problem, path: Path) -> None:
    from fastmlp.persistence.models import save

    extra: dict[str, Any] = {}
    if problem.classes is not None:
        extra["classes"] = list(problem.classes)
    if problem.encoding is not None:
        extra["encoding"] = problem.encoding.to_dict()
    save(network, path, extra=extra)


def _plot(history: History, path: Path) -> None:
    from fastmlp import plots
    from fastmlp.machine.files import replacing

    figure: Any = plots.history(history)
    with replacing(path) as file:
        figure.savefig(file, format=path.suffix.lower().lstrip("."))
