"""A state on disk: nested dictionaries and lists of numbers, text and arrays, in one file with a checksum.

The file is safetensors. Arrays are named by their place in the tree; the rest is JSON in the metadata, next to a
SHA-256 of both. A new file does not destroy the last one, which becomes ``<name>.previous``. So whatever happens during
a write, one of the two is intact.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.machine.files import open_regular, replacing
from fastmlp.machine.memory import COPIES, check_room

STATE, _DIGEST = "fastmlp state", "sha256"
_ARRAY = "array at"
"""An array is stored in the JSON as a dictionary with this single key, whose value is the array's name."""


def previous_of(path: Path) -> Path:
    """Path of the version before the newest."""
    return path.with_name(f"{path.name}.previous")


class StateFile:
    """The newest state at a path, and the previous one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._newest_is_good = False

    def exists(self) -> bool:
        """Whether there is a file, newest or previous, intact or not."""
        return self.path.exists() or previous_of(self.path).exists()

    def write(self, state: Mapping[str, Any]) -> None:
        """Write the state to disk; the newest file becomes the previous one, if it is known to be good.

        Raises ``TypeError`` for a value that cannot be stored, ``OSError`` if the disk fails; both files then stay.
        """
        content = to_bytes(state)
        keep = previous_of(self.path) if self._newest_is_good else None
        with replacing(self.path, keep=keep) as file:
            file.write(content)
        self._newest_is_good = True

    def read(self, check: Callable[[dict[str, Any]], None]) -> dict[str, Any] | None:
        """The newest state that is intact and passes ``check`` (which raises ``ValueError``); None without a file.

        Warns if that is the previous one. Raises ``ValueError`` if neither is good, ``OSError`` if a file cannot be
        read.
        """
        if not self.exists():
            return None
        previous = previous_of(self.path)
        try:
            state = _read(self.path, check)
        except (FileNotFoundError, ValueError) as error:
            reason = f"{self.path} is missing" if isinstance(error, FileNotFoundError) else str(error)
            if not previous.exists():
                raise ValueError(f"{reason}, and there is no {previous.name} to fall back on") from None
            try:
                state = _read(previous, check)
            except ValueError as older:
                raise ValueError(f"{reason}, and so is the previous file: {older}") from None
            warnings.warn(f"{reason}; resuming from the previous file, {previous}", RuntimeWarning, stacklevel=2)
            return state
        self._newest_is_good = True
        return state


def _read(path: Path, check: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    try:
        with open_regular(path) as file:
            state = from_bytes(file.read())
        check(state)
    except ValueError as error:
        raise ValueError(f"{path} is damaged or not a checkpoint ({printable(str(error), 300)})") from None
    return state


def to_bytes(state: Mapping[str, Any]) -> bytes:
    """The contents of the file; ``TypeError`` names the place of a value that cannot be stored."""
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {}
    text = json.dumps(_lift(state, "state", arrays))
    check_room(COPIES * (sum(array.nbytes for array in arrays.values()) + len(text)), "the file")
    content: bytes = save(arrays, {STATE: text, _DIGEST: _digest(text, arrays)})
    return content


def from_bytes(content: bytes) -> dict[str, Any]:
    """The state from the contents of a file; ``ValueError`` unless they are intact."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(f"its {len(content)} bytes are too few for the header that it declares")
    try:
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        text, digest = metadata[STATE], metadata[_DIGEST]
        check_room(COPIES * len(content), "the file's contents")
        arrays = load(content)
        if _digest(text, arrays) != digest:
            raise ValueError("its checksum is wrong")
        state = _put_back(json.loads(text), arrays)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it does not contain a state: {error!r:.100}") from None
    if not isinstance(state, dict):
        raise ValueError(f"it contains a {type(state).__name__}, not a state")
    return state


def _lift(value: Any, place: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Replace the arrays in a value by their names, and collect them in ``arrays``."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[place] = np.ascontiguousarray(value).reshape(value.shape)
        return {_ARRAY: place}
    if isinstance(value, Mapping) and all(isinstance(key, str) and key != _ARRAY for key in value):
        return {key: _lift(each, f"{place}.{key}", arrays) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_lift(each, f"{place}.{i}", arrays) for i, each in enumerate(value)]
    raise TypeError(f"{place} must hold only numbers, text, arrays, dictionaries and lists, got {type(value).__name__}")


def _put_back(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        return {key: _put_back(each, arrays) for key, each in value.items()}
    if isinstance(value, list):
        return [_put_back(each, arrays) for each in value]
    return value


def _digest(text: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    total = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return total.hexdigest()
