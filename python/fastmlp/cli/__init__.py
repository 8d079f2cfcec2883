"""The command ``fastmlp``.

    train.py          read data, train, report, save
    train_options.py  its options
    fitting.py        the fit, and the signals that may end it
    summary.py        what it says of network and training
    predict.py        a saved model on other data
    info.py           what is in a saved model
    sources.py        which file or folder is what kind of data
    model.py          from the options to a network and an optimizer
    report.py         results as text
    writing.py        files that are written, checked before the work begins

A command's module is imported when the command is called for. What the package raises for bad input becomes
``Error: ...`` and exit code 1; a wrong option is exit code 2; work ended by Ctrl-C is kept and gives 130
(by SIGTERM 143).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

_COMMANDS = {
    "train": "fastmlp.cli.train:train",
    "predict": "fastmlp.cli.predict:predict",
    "info": "fastmlp.cli.info:info",
    "bench": "fastmlp.bench.table:bench",
}


class Commands(click.Group):
    """Commands that are imported when they are needed, and errors that are one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it refuses is an error for people."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of a pipe has gone: click ends quietly
            raise
        except (ValueError, TypeError, OSError, ArithmeticError, MemoryError) as error:
            raise click.ClickException(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    """What an exception has to say, on one line."""
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
