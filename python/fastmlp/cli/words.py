"""Messages in the words of the command line: options instead of arguments of Python functions."""

from __future__ import annotations

import re

_OPTIONS = {
    "target": "--target", "drop": "--drop", "keep": "--use", "categorical": "--categorical", "task": "--task",
    "log": "--log-target", "delimiter": "--delimiter", "decimal": "--decimal", "encoding": "--encoding",
    "null": "--null", "sheet": "--sheet", "resume": "--resume", "checkpoint": "--checkpoint", "epochs": "--epochs",
    "batch_size": "--batch-size", "seed": "--seed", "n_threads": "--threads",
    "header": "--header", "max_bytes": "--max-bytes",
}  # fmt: skip
_ARGUMENT = re.compile(
    rf"\b({'|'.join(_OPTIONS)})=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\[[^\]]*\]|\([^)]*\)|[-+.\w]+)"
)

_MAX_BYTES = re.compile(r"(?<!-)\bmax_bytes\b")


def as_options(message: str) -> str:
    """Replace ``name=value`` by the option that sets it.

    >>> as_options("task='regression' fits numbers; header=False if row 1 is data; log=True learns logarithms")
    '--task regression fits numbers; --no-header if row 1 is data; --log-target learns logarithms'
    """
    return _MAX_BYTES.sub("--max-bytes", _ARGUMENT.sub(_option, message)).replace("fm.scan_table", "--stream")


def _option(found: re.Match[str]) -> str:
    name, value = found.groups()
    if value in ("True", "False"):
        return f"--no-{name}" if value == "False" else _OPTIONS[name]
    if value[0] in "[(":
        return f"{_OPTIONS[name]} {value[1:-1].rstrip(',') if value[1:-1] != '...' else 'COLUMN'}"
    bare = value[1:-1] if value[0] in "'\"" and re.fullmatch(r"[-+.\w]+", value[1:-1]) else value
    return f"{_OPTIONS[name]} {bare}"
