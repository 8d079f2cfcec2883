"""Models on disk: one safetensors file, nothing in it that could run.

The arrays stand under the names of `Network.named_arrays` ("0.weight", "0.bias", ...), for any safetensors reader; a
scaled input adds "input.shift" and "input.scale" (float64). The file's metadata have one entry, "fastmlp": JSON with
the format's version, the library's, the network's description (`fastmlp.description`) and what the caller added.

A file is believed only as far as it bears itself out. The header's length is held against the file's size first, then
the arrays' names, shapes and dtypes against the description, and only then is memory taken.

Source: the safetensors format, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data import check_finite
from fastmlp.description import build, describe, read_description
from fastmlp.files import as_path, replacing
from fastmlp.layers import Input
from fastmlp.layout import make_layout, output_activation
from fastmlp.network import Network

FORMAT = 1
"""Version of what the metadata hold; files of every version from 1 to this one can be read."""

_KEY = "fastmlp"
_LONGEST_HEADER = 8 * 2**20  # bytes: far more than any network needs, and it bounds the memory for parsing
_DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64"}


def save(network: Network, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None) -> None:
    """Write a network to a safetensors file, all at once or not at all.

    An existing file is replaced when the new one is complete and on the disk. The same network gives the same bytes.

    Parameters
    ----------
    network : Network
        Everything is kept but the history, the optimizer's state and the seed of initial weights: the network that
        `load` gives predicts and trains on as this one would, to the bit.
    path : str or path
        The file; ``.safetensors`` is the usual ending.
    extra : mapping, optional
        More to keep, of what JSON can hold: names of classes, for one. `load_with_extra` gives it back.

    Raises
    ------
    ValueError
        NaN or infinity in the network, a schedule as label smoothing, an ``extra`` that JSON can't hold or of more
        than 8 MiB.
    OSError
        The file can't be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> network = Network([4, 8, 3], loss="cross_entropy", seed=0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.safetensors"
    >>> save(network, path, extra={"classes": ["a", "b", "c"]})
    >>> bool((load(path).params == network.params).all())
    True
    """
    from safetensors.numpy import save as to_bytes

    from fastmlp import __version__

    path = as_path(path)
    arrays = _arrays(network)
    for name, array in arrays.items():
        check_finite(f"network: {name}", array)
    description = {
        "format": FORMAT,
        "library": __version__,
        "network": describe(network),
        "extra": {} if extra is None else dict(extra),
    }
    try:
        text = json.dumps(description, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"extra must hold only what JSON can: {error}") from None
    content = to_bytes(arrays, {_KEY: text})
    if int.from_bytes(content[:8], "little") > _LONGEST_HEADER:
        raise ValueError(f"extra and names are too long for the file's header of {_LONGEST_HEADER} bytes at most")
    with replacing(path) as file:
        file.write(content)


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network from a file that `save` wrote.

    The file is checked in full; nothing in it is ever executed, and memory is taken only in proportion to its size.

    Raises
    ------
    ValueError
        The file is not such a model, or damaged, or inconsistent, or of a newer format; the path is named.
    OSError
        The file can't be opened.

    Examples
    --------
    >>> load("digits.safetensors").predict(images)  # doctest: +SKIP
    """
    return load_with_extra(path)[0]


def load_with_extra(path: str | os.PathLike[str]) -> tuple[Network, dict[str, Any]]:
    """As `load`, with the dictionary that was saved beside the network (empty if there was none)."""
    from safetensors import SafetensorError, safe_open

    path = as_path(path)
    size = _check_header_length(path)
    try:
        with safe_open(path, framework="numpy") as file:
            description = _read_metadata(file.metadata())
            _check_arrays(file, description["network"], size)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        return _restore(description["network"], arrays), description["extra"]
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error})") from None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} is not a fastmlp model that can be used: {error!s:.400}") from None


def _arrays(network: Network) -> dict[str, NDArray[Any]]:
    """Everything of the network that is an array, by name."""
    arrays = network.named_arrays()
    if network.input.is_scaled:
        arrays |= {f"input.{name}": np.ascontiguousarray(getattr(network.input, name)) for name in ("shift", "scale")}
    return arrays


def _check_header_length(path: Path) -> int:
    """Hold the header's length against the file's size; return the size in bytes."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > size - 8:
        raise ValueError(f"{path} is not a safetensors file: its {size} bytes can't hold the header that they announce")
    if length > _LONGEST_HEADER:
        raise ValueError(f"{path} has a header of {length} bytes; a fastmlp model has {_LONGEST_HEADER} at most")
    return size


def _read_metadata(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """The JSON that `save` wrote, its outermost keys checked."""
    if not metadata or _KEY not in metadata:
        raise ValueError(f"the metadata have no entry {_KEY!r}")
    description: Any = json.loads(metadata[_KEY], parse_constant=_refuse_constant)
    if not isinstance(description, dict):
        raise ValueError(f"the metadata must hold a dictionary, got {type(description).__name__}")
    version = description.get("format")
    if type(version) is not int or version < 1:
        raise ValueError(f"the metadata name no format version, got {version!r:.50}")
    if version > FORMAT:
        written = f"{description.get('library')!r:.50}"
        raise ValueError(f"format {version}, written by fastmlp {written}, is newer than {FORMAT}; update fastmlp")
    if set(description) != {"format", "library", "network", "extra"} or not isinstance(description["extra"], dict):
        raise ValueError("the metadata must have format, library, network and extra")
    return description


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the metadata hold {name}; expected finite numbers")


def _check_arrays(file: Any, description: Any, size: int) -> None:
    """Hold the names, shapes and dtypes of the arrays against the network described, before any is read."""
    n_features, layers, output, loss, _ = read_description(description)
    dtype = np.dtype(description["dtype"])
    if n_features > size:
        raise ValueError(f"n_features={n_features} can't be right in a file of {size} bytes")
    if not layers:
        raise ValueError("the network described has no layers")
    layout = make_layout(Input(n_features), layers, output_activation(layers, output, loss))
    expected = {f"{s.layer}.{s.name}": (_DTYPES[dtype], s.shape) for s in layout.segments}
    expected |= {f"{s.layer}.{s.name}": ("F64", s.shape) for s in layout.statistics}
    names = set(file.keys())
    if "input.shift" in names or "input.scale" in names:
        expected |= {f"input.{name}": ("F64", (n_features,)) for name in ("shift", "scale")}
    if names != set(expected):
        odd = ", ".join(sorted(names ^ set(expected))[:5])
        raise ValueError(f"the arrays in the file are not those of the network described (differing: {odd:.200})")
    for name, (code, shape) in expected.items():
        view = file.get_slice(name)
        got = view.get_dtype(), tuple(view.get_shape())
        if got != (code, shape):
            raise ValueError(f"array {name!r} is {got[0]} of shape {got[1]}, expected {code} of shape {shape}")


def _restore(description: Any, arrays: Mapping[str, NDArray[Any]]) -> Network:
    """The network, with the numbers of the arrays."""
    for name, array in arrays.items():
        check_finite(f"array {name!r}", array)
        if name.endswith("running_variance") and array.min() < 0:
            raise ValueError(f"array {name!r} must not be negative, got {array.min():g}")
    network = build(description, arrays.get("input.shift", 0.0), arrays.get("input.scale", 1.0))
    for name, view in network.named_arrays().items():
        view[:] = arrays[name]
    return network
