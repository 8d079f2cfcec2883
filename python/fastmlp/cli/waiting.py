"""Show that a table is being read, once that takes more than a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fastmlp.tables.database import watching

_CLEAR = "\r\x1b[K"  # back to the beginning of the line, and nothing behind it


@contextmanager
def shown_reading(name: str, *, quiet: bool = False) -> Iterator[None]:
    """A context in which the terminal shows how much of a query is done."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    seen = False

    def show(share: float) -> None:
        nonlocal seen
        seen = True
        click.echo(f"{_CLEAR}Reading {name}: {100 * share:.0f} %", nl=False, err=True)

    try:
        with watching(show):
            yield
    finally:
        if seen:
            click.echo(_CLEAR, nl=False, err=True)
