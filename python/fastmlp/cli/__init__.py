"""The command ``fastmlp``.

    train.py          read data, train, report, save
    train_options.py  the options of train
    table_options.py  options for reading tables, and the argument for data
    sources.py        recognise the kind of the data; read those that are no table
    table_problem.py  a table to learn from
    streamed_problem.py  the same for a table larger than memory
    table_rows.py     a table to predict
    defaults.py       from the options to a network and an optimizer
    fitting.py        the fit, and the signals that may end it
    summary.py        what train prints about data, network and training
    pictures.py       what train draws
    predict.py        run a saved model on other data
    info.py           show what a saved model contains
    models.py         what a model file says about inputs and outputs
    earlier_tables.py tables in models of version 0.1
    report.py         results as text
    waiting.py        progress of reading
    words.py          messages in the words of the command line
    writing.py        check output files before the work starts

The module of a command is imported when the command is used. Errors of the package for bad input become
``Error: ...`` and exit code 1; a wrong option gives exit code 2. Work interrupted by Ctrl-C is kept and gives exit
code 130 (SIGTERM: 143).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from fastmlp.cli.words import as_options

_COMMANDS = {
    "train": "fastmlp.cli.train:train",
    "predict": "fastmlp.cli.predict:predict",
    "info": "fastmlp.cli.info:info",
    "bench": "fastmlp.bench.table:bench",
}


class Commands(click.Group):
    """Commands that are imported when they are used, and errors that take one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which people use them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; its exceptions become error messages for people."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the pipe is gone: click ends quietly
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(130)
        except (ValueError, TypeError, OSError, ArithmeticError, MemoryError, ImportError) as error:
            raise click.ClickException(as_options(_sentence(error))) from error


def _sentence(error: Exception) -> str:
    """The message of an exception, on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fastmlp", message="%(prog)s %(version)s")
def main() -> None:
    """Train multilayer perceptrons on the CPU, fast.

    \b
    A first look: train on the bundled handwritten digits.
        fastmlp train

    \b
    From a table to predictions:
        fastmlp train houses.csv --target price --save houses.safetensors
        fastmlp info houses.safetensors
        fastmlp predict houses.safetensors new.csv --output prices.csv

    'fastmlp COMMAND --help' explains a command, with examples.
    """
