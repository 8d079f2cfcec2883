"""Check output files before the work starts, so that its result is not lost at the end."""

from __future__ import annotations

import os
from pathlib import Path

from fastmlp.machine.files import replacing


def check_writable(option: str, path: Path | None) -> None:
    """Raise ``ValueError`` if ``path`` cannot be written later."""
    if path is None:
        return
    folder = path.resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"{option} {path}: the folder {folder} is not writable")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))
