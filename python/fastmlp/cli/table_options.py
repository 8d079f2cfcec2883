"""Options that say how to read a table, shared by the commands, and the argument for data of any kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from glob import glob
from pathlib import Path
from typing import Any

import click

from fastmlp.machine.files import MAX_BYTES

_QUERY = re.compile(r"\s*(select|with|from)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """How to read a table; None means that its contents decide."""

    header: bool | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    null: tuple[str, ...] = ()
    sheet: str | int | None = None
    max_bytes: int = MAX_BYTES

    def arguments(self) -> dict[str, Any]:
        """The arguments of `read_table`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def column(ctx: click.Context, param: click.Parameter, value: str | None) -> str | int | None:
    """A column by name, or by position if it is a whole number."""
    text = "" if value is None else value.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 10 else (text or None)


def columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str | int | None, ...]:
    """Several columns."""
    return tuple(column(ctx, param, value) for value in values)


def sources(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> str | None:
    """At most one source of data."""
    if len(values) > 1:
        raise click.BadParameter(f"expected one, got {len(values)}; put a pattern in quotes, such as 'sales/*.csv'")
    return source(ctx, param, values[0]) if values else None


def source(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Data that there are: a path, a pattern of paths, ``-``, or a query."""
    if value is None or value == "-" or _QUERY.match(value) or Path(value).exists() or glob(value, recursive=True):
        return value
    raise click.BadParameter(f"there is no file or folder {value!r}")


def _delimiter(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return {"tab": "\t", "\\t": "\t", "space": " ", "blank": " "}.get(value, value) if value else value


READING = (
    click.option(
        "--header/--no-header", default=None, help="Whether the first row names the columns.  [default: decided by it]"
    ),
    click.option(
        "--delimiter", callback=_delimiter, metavar="CHARACTER",
        help="What is between the fields of a text file, or 'tab'.  [default: decided by the rows]",
    ),
    click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark.  [default: decided by the values]"),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file, such as latin-1.  [default: detected]"),
    click.option(
        "--null", multiple=True, metavar="VALUE",
        help="Value that means 'missing', such as -200, besides blanks, NA, ? and the like; may be repeated.",
    ),
    click.option("--sheet", callback=column, metavar="NAME", help="Sheet of an Excel file.  [default: the first]"),
    click.option(
        "--max-bytes", type=click.IntRange(1), default=MAX_BYTES,
        help="Limit on what a file may hold or unpack to.  [default: 4 GiB]",
    ),
)  # fmt: skip


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options, in this order."""
    for option in reversed(READING):
        command = option(command)
    return command


def taken_reading(values: dict[str, Any]) -> Reading:
    """Take the options of `reading_options` out of the values of a command."""
    return Reading(**{field.name: values.pop(field.name) for field in fields(Reading)})
