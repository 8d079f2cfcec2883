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
from fastmlp.cli.models import check_format, save_model
from fastmlp.cli.pictures import Drawn, Picture
from fastmlp.cli.sources import Problem, kind_of, problem_of
from fastmlp.cli.streamed_problem import is_large, streamed_problem
from fastmlp.cli.summary import against_pure_python, cost, headline, results
from fastmlp.cli.table_options import Reading, taken_reading
from fastmlp.cli.table_problem import Columns, name_of, problem_of_table
from fastmlp.cli.train_options import train_options
from fastmlp.cli.waiting import shown_reading
from fastmlp.cli.writing import check_writable

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes that a shell expects of a program ended by Ctrl-C or SIGTERM."""


@click.command("train")
@train_options
@click.pass_context
def train(
    ctx: click.Context,
    /,
    data: str | None,
    target: str | int | None,
    drop: tuple[str | int, ...],
    use: tuple[str | int, ...],
    categorical: tuple[str | int, ...],
    task: str | None,
    log_target: bool,
    stream: bool | None,
    test: str | None,
    test_fraction: float,
    validation_fraction: float,
    patience: int | None,
    threads: int | None,
    checkpoint: Path | None,
    checkpoint_every: float | None,
    resume: bool,
    save: Path | None,
    plot: tuple[Picture, ...],
    quiet: bool,
    **settings: Any,
) -> None:
    """Train a network on DATA and report how good it is.

    DATA is a table, with or without a header: delimited text in any usual form, Parquet, Arrow, Excel, JSON, ARFF,
    several files as in 'sales/*.csv', '-' for standard input, or a query such as "SELECT * FROM 'sales/*.parquet' WHERE
    year > 2020". It may also be a folder of IDX files (as MNIST is published), or an NPZ file with X and y. Without
    DATA, the bundled handwritten digits are used.

    Whether the target is a class or a number is decided by its values. Columns become inputs by what they are: numbers,
    categories, dates; identifiers and the like are set aside; missing values are filled. All of this is said, and saved
    with the model, so 'fastmlp predict' takes raw data.

    \b
    Train on the bundled digits:
        fastmlp train
    Choose the network, save it, and plot the training and which digits were mistaken:
        fastmlp train --hidden 128,64 --epochs 60 --save digits.safetensors
            --plot digits.png --plot confusion=mistaken.png
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
    check_format(save)
    reading = taken_reading(settings)
    columns = Columns(target, drop, use, categorical, task, log_target)
    with shown_reading(name_of(data or ""), quiet=quiet):
        problem = _problem(data, columns, reading, stream, test, test_fraction, validation_fraction, settings["dtype"])
    for picture in plot:
        picture.check(problem)
    chosen = Settings.of(problem, settings)
    network = make_network(problem, chosen)
    say = (lambda text="": None) if quiet else click.echo
    say(headline(problem, network, chosen))
    progress = not quiet and sys.stderr.isatty()
    with sigterm_as_interrupt() as terminated:
        history = fit(network, problem, chosen, patience, threads, progress, checkpoint, checkpoint_every, resume)
    if save is not None:
        save_model(network, problem, save)
    if terminated.came:
        ctx.exit(TERMINATED)
    if history.n_epochs:
        for picture in plot:
            picture.write(Drawn(network, problem, history))
    interrupted = history.stop_reason == "interrupted"
    if not quiet:
        say()
        say(results(network, problem))
        say()
        say(cost(history, problem))
        if data is None and not interrupted:
            with contextlib.suppress(ValueError):  # pure Python may not cover this network
                say(against_pure_python(network, problem, chosen, history))
    for path in (save, *(picture.path for picture in plot if history.n_epochs)):
        if path is not None:
            say(f"Written: {path}")
    if interrupted:
        ctx.exit(INTERRUPTED)


def _problem(
    data: str | None,
    columns: Columns,
    reading: Reading,
    stream: bool | None,
    test_path: str | None,
    test: float,
    validation: float,
    dtype: str,
) -> Problem:
    """Read the data; options for tables are refused with other data."""
    kind = kind_of(data)
    if data is not None and kind == "table":
        stream = is_large(data) if stream is None else stream
        read = streamed_problem if stream else problem_of_table
        return read(data, columns, reading, test_path, test, validation, dtype)
    if columns != Columns(task=columns.task) or reading != Reading() or stream is not None or test_path is not None:
        name = "the bundled digits are" if data is None else f"{data} is"
        raise ValueError(
            "--target, --drop, --use, --categorical, --log-target, --test and the options for reading are for a table, "
            f"which {name} not"
        )
    return problem_of(data, kind, columns.task, test, validation)
