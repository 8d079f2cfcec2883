"""A state on disk: nested dictionaries and lists of numbers, text and arrays, in one file that tells if it is whole.

The file is safetensors: the arrays under the names of their places in the tree, the rest as JSON in the metadata, and a
SHA-256 of both. There are two of each: before a new file takes the place of the last one, that becomes
``<name>.previous``. So whatever happens to a write, one of them is whole.
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

from fastmlp.checks.errors import shown
from fastmlp.machine.files import open_regular, replacing
from fastmlp.machine.memory import COPIES, check_room

STATE, _DIGEST = "fastmlp state", "sha256"
_ARRAY = "array at"
"""The one key of the dictionary that stands for an array; its value is the array's name."""


def previous_of(path: Path) -> Path:
    """Where the file before the newest is."""
    return path.with_name(f"{path.name}.previous")


class StateFile:
    """The newest state at a path, and the one before it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._newest_is_good = False

    def exists(self) -> bool:
        """Whether there is a file, newest or previous, whole or not."""
        return self.path.exists() or previous_of(self.path).exists()

    def write(self, state: Mapping[str, Any]) -> None:
        """Write the state to the disk; what was the newest becomes the previous one, if it is known to be good.

        Raises ``TypeError`` for what can't be written, ``OSError`` where the disk fails; then both files stay.
        """
        content = to_bytes(state)
        keep = previous_of(self.path) if self._newest_is_good else None
        with replacing(self.path, keep=keep) as file:
            file.write(content)
        self._newest_is_good = True

    def read(self, check: Callable[[dict[str, Any]], None]) -> dict[str, Any] | None:
        """The newest state that is whole and passes the check (which raises ``ValueError``); None if there is no file.

        Warns where that is the previous one. Raises ``ValueError`` where neither will do, ``OSError`` where a file
        can't be read.
        """
        if not self.exists():
            return None
        previous = previous_of(self.path)
        try:
            state = _read(self.path, check)
        except (FileNotFoundError, ValueError) as error:
            reason = f"{self.path} is missing" if isinstance(error, FileNotFoundError) else str(error)
            if not previous.exists():
                raise ValueError(f"{reason}, and there is no {previous.name} beside it") from None
            try:
                state = _read(previous, check)
            except ValueError as older:
                raise ValueError(f"{reason}, and so is the one before it: {older}") from None
            warnings.warn(f"{reason}; going on from the one before it, {previous}", RuntimeWarning, stacklevel=2)
            return state
        self._newest_is_good = True
        return state


def _read(path: Path, check: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    try:
        with open_regular(path) as file:
            state = from_bytes(file.read())
        check(state)
    except ValueError as error:
        raise ValueError(f"{path} is damaged or no checkpoint ({shown(str(error), 300)})") from None
    return state


def to_bytes(state: Mapping[str, Any]) -> bytes:
    """The file's contents; ``TypeError`` naming the place of what can't be written."""
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {}
    text = json.dumps(_lift(state, "state", arrays))
    check_room(COPIES * (sum(array.nbytes for array in arrays.values()) + len(text)), "the file")
    content: bytes = save(arrays, {STATE: text, _DIGEST: _digest(text, arrays)})
    return content


def from_bytes(content: bytes) -> dict[str, Any]:
    """The state again; ``ValueError`` unless the contents are whole."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(f"its {len(content)} bytes can't hold the header that they announce")
    try:
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        text, digest = metadata[STATE], metadata[_DIGEST]
        check_room(COPIES * len(content), "the file's contents")
        arrays = load(content)
        if _digest(text, arrays) != digest:
            raise ValueError("its checksum is wrong")
        state = _put_back(json.loads(text), arrays)
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it doesn't hold a state: {error!r:.100}") from None
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, no state")
    return state


def _lift(value: Any, place: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """The value with its arrays replaced by their names, under which they are gathered."""
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
    raise TypeError(f"{place} must hold numbers, text, arrays, dictionaries and lists only, got {type(value).__name__}")


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
