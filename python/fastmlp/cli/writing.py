"""Files that a command will write, checked before the work begins, so that nothing is lost at its end."""

from __future__ import annotations

import os
from pathlib import Path

from fastmlp.machine.files import replacing


def check_writable(option: str, path: Path | None) -> None:
    """Raise ``ValueError`` when ``path`` can't be written to later."""
    if path is None:
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{option} {path}: the folder {folder} can't be written to")


def write_text(path: Path, text: str) -> None:
    """Write a text file, all at once or not at all."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))
