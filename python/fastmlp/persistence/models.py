"""Models on disk: one safetensors file, nothing in it that could run.

The arrays stand under the names of `Network.named_arrays` ("0.weight", "0.bias", ...), for any safetensors reader; a
scaled input adds "input.shift" and "input.scale" (float64), momenta add "optimizer.vectors" (`optimizer_states`). The
file's metadata have one entry, "fastmlp": JSON with the format's version, the library's, the network's `description`,
what the caller added, and what an estimator is beside its network. The guide on saving has the whole layout.

A file is believed only as far as it bears itself out. The header's length is held against the file's size first, then
the arrays' names, shapes, dtypes and places against the description, and only then is memory taken.

Source: the safetensors format, https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.arrays import check_finite
from fastmlp.checks.errors import shown
from fastmlp.machine.files import as_path, replacing
from fastmlp.machine.memory import COPIES, check_room
from fastmlp.machine.state_files import STATE
from fastmlp.model.layers import Input
from fastmlp.model.layout import Layout, make_layout, output_activation
from fastmlp.model.model import M, Model
from fastmlp.passes.workspace import MIN_TILE_ROWS
from fastmlp.persistence.description import build, describe, read_description
from fastmlp.persistence.model_file import CODES, LONGEST_HEADER, ModelFile, open_model
from fastmlp.persistence.optimizer_states import build_state, describe_state, state_shapes
from fastmlp.version import __version__

FORMAT = 1
"""Version of what the metadata hold; files of every version from 1 to this one can be read."""

_KEY = "fastmlp"
_ALWAYS = {"format", "library", "network", "extra"}
_SOMETIMES = {"optimizer", "estimator"}
_MOST_CURVES = 16
_WORK = 2**28, 1024
"""Bytes that a few rows on their way through a network may take, and as many more for each byte of its file."""


@dataclass(frozen=True)
class Saved(Generic[M]):
    """What a file holds; ``estimator`` and ``curves`` are those of `fastmlp.estimators.storing`, or None and empty."""

    network: M
    extra: dict[str, Any]
    estimator: dict[str, Any] | None = None
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def save(
    network: Model, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None, allow_nan: bool = False
) -> None:
    """Write a network to a safetensors file, all at once or not at all.

    An existing file is replaced when the new one is complete and on the disk. The same network gives the same bytes.

    Parameters
    ----------
    network : Model
        Everything is kept but the history and the seed of initial weights: the network that `fastmlp.load` gives
        predicts and trains on as this one would, to the bit. ``network.optimizer_state``, which
        ``fit(warm_start=True)`` and `train_on_batch` leave, is kept too, and with Adam takes twice the room of the
        weights: set it to None first for a small file.
    path : str or path
        The file; ``.safetensors`` is the usual ending.
    extra : mapping, optional
        More to keep, of what JSON can hold: names of classes, for one. `read_model` gives it back.
    allow_nan : bool, default False
        Whether a network with NaN or infinity may be written, to look into it later.

    Raises
    ------
    ValueError
        NaN or infinity in the network, a function in the place of a number, an ``extra`` that JSON can't hold or of
        more than 4 MiB.
    OSError
        The file can't be written.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import fastmlp as fm
    >>> network = fm.Network([4, 8, 3], loss="cross_entropy", seed=0)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.safetensors"
    >>> save(network, path, extra={"classes": ["a", "b", "c"]})
    >>> bool((fm.load(path).params == network.params).all())
    True
    """
    write_model(Saved(network, {} if extra is None else dict(extra)), path, allow_nan)


def write_model(saved: Saved[Any], path: str | os.PathLike[str], allow_nan: bool) -> None:
    """Write a network and what belongs to it, all at once or not at all; raises as `save` does."""
    path = as_path(path)
    with saved.network._access.reading:
        content = _as_bytes(saved, allow_nan)
    with replacing(path) as file:
        file.write(content)


def _as_bytes(saved: Saved[Any], allow_nan: bool) -> bytes:
    """The file's content."""
    from safetensors.numpy import save as to_bytes

    network: Model = saved.network
    arrays = _arrays(network)
    description = {
        "format": FORMAT,
        "library": __version__,
        "network": describe(network),
        "extra": saved.extra,
    }
    if network.optimizer_state is not None:
        description["optimizer"], more = describe_state(network, network.optimizer_state)
        arrays |= more
    if not allow_nan:
        for name, array in arrays.items():
            check_finite(f"network: {name}", array)
    if saved.estimator is not None:
        lengths = {name: len(curve) for name, curve in saved.curves.items()}
        description["estimator"] = {**saved.estimator, "curves": lengths}
        arrays |= {f"curve.{name}": curve for name, curve in saved.curves.items()}
    try:
        text = json.dumps(description, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"extra must hold only what JSON can: {error}") from None
    check_room(COPIES * (sum(array.nbytes for array in arrays.values()) + len(text)), "the file")
    content: bytes = to_bytes(arrays, {_KEY: text})
    if int.from_bytes(content[:8], "little") > LONGEST_HEADER:
        raise ValueError(f"extra and names are too long for the file's header of {LONGEST_HEADER} bytes at most")
    check_work(network.layout, network.dtype, len(content))
    return content


def read_model(path: str | os.PathLike[str], kind: type[M], allow_nan: bool = False) -> Saved[M]:
    """Read and check everything that a file holds; raises as `fastmlp.load` does.

    ``kind`` is the class that the network is made of: `Model`, or one that adds to it.
    """
    path = as_path(path)
    with open_model(path) as file:
        try:
            description = _read_metadata(file.metadata)
            curves = _check_curves(description.get("estimator"))
            file.check_places(_expected_arrays(description, file) | curves)
            arrays = file.read()
            network = _restore(description, arrays, kind, allow_nan)
            check_work(network.layout, network.dtype, file.size)
            return Saved(
                network,
                description["extra"],
                description.get("estimator"),
                {name.removeprefix("curve."): arrays[name] for name in curves},
            )
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{path} is not a fastmlp model that can be used: {shown(str(error), 400)}") from None


def _arrays(network: Model) -> dict[str, NDArray[Any]]:
    """Everything of the network that is an array, by name."""
    arrays = network.named_arrays()
    if network.input.is_scaled:
        arrays |= {f"input.{name}": np.ascontiguousarray(getattr(network.input, name)) for name in ("shift", "scale")}
    return arrays


def _read_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The JSON that `save` wrote, its outermost keys checked."""
    if STATE in metadata:
        raise ValueError("it is the checkpoint of a fit, which fit(checkpoint=..., resume=True) goes on from")
    if _KEY not in metadata:
        raise ValueError(f"the metadata have no entry {_KEY!r}")
    try:
        description: Any = json.loads(metadata[_KEY], parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"the metadata are not JSON: {error}") from None
    if not isinstance(description, dict):
        raise ValueError(f"the metadata must hold a dictionary, got {type(description).__name__}")
    version = description.get("format")
    if type(version) is not int or version < 1:
        raise ValueError(f"the metadata name no format version, got {version!r:.50}")
    if version > FORMAT:
        written = f"{description.get('library')!r:.50}"
        raise ValueError(f"format {version}, written by fastmlp {written}, is newer than {FORMAT}; update fastmlp")
    if not _ALWAYS <= set(description) <= _ALWAYS | _SOMETIMES or not isinstance(description["extra"], dict):
        raise ValueError("the metadata must have format, library, network and extra")
    return description


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the metadata hold {name}; expected finite numbers")


def _check_curves(estimator: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtypes and shapes of the curves of an estimator by their names in the file."""
    if estimator is None:
        return {}
    curves = estimator.get("curves") if isinstance(estimator, dict) else None
    if not isinstance(curves, dict) or len(curves) > _MOST_CURVES:
        raise ValueError("the description of an estimator must have curves by name")
    if not all(type(length) is int and 0 <= length < 2**53 for length in curves.values()):
        raise ValueError("the curves of an estimator must have lengths")
    return {f"curve.{name}": ("F64", (length,)) for name, length in curves.items()}


def _expected_arrays(description: Mapping[str, Any], file: ModelFile) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtypes and shapes of the arrays of the network described by their names, before any memory is taken."""
    network = description["network"]
    n_features, layers, output, loss, _ = read_description(network)
    code = CODES[np.dtype(network["dtype"])]
    if n_features > file.size:
        raise ValueError(f"n_features={n_features} can't be right in a file of {file.size} bytes")
    if not layers:
        raise ValueError("the network described has no layers")
    layout = make_layout(Input(n_features), layers, output_activation(layers, output, loss))
    expected: dict[str, tuple[str, tuple[int, ...]]] = {f"{s.layer}.{s.name}": (code, s.shape) for s in layout.segments}
    expected |= {f"{s.layer}.{s.name}": ("F64", s.shape) for s in layout.statistics}
    if "input.shift" in file.places or "input.scale" in file.places:
        expected |= {f"input.{name}": ("F64", (n_features,)) for name in ("shift", "scale")}
    if "optimizer" in description:
        shapes = state_shapes(description["optimizer"], layout.n_params, layout.n_statistics)
        expected |= {name: ("F64" if name.endswith("_statistics") else code, shape) for name, shape in shapes.items()}
    return expected


def check_work(layout: Layout, dtype: np.dtype[Any], n_bytes: int) -> None:
    """Raise ``ValueError`` for a network that asks for far more memory in use than its file is large.

    Layers without weights cost a file next to nothing, but their outputs have to be somewhere.
    """
    work, most = layout.n_columns * MIN_TILE_ROWS * dtype.itemsize, _WORK[0] + _WORK[1] * n_bytes
    if work > most:
        raise ValueError(
            f"the {len(layout.table)} layers of the network would take {work} bytes for a few rows, more than the "
            f"{most} that a file of {n_bytes} bytes may ask for"
        )


def _restore(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], kind: type[M], allow_nan: bool) -> M:
    """The network, with the numbers of the arrays."""
    for name, array in arrays.items():
        if not (allow_nan or name.startswith("curve.")):
            check_finite(f"array {name!r}", array)
        if name.endswith("running_variance") and array.min() < 0:
            raise ValueError(f"array {name!r} must not be negative, got {array.min():g}")
    network = build(description["network"], kind, arrays.get("input.shift", 0.0), arrays.get("input.scale", 1.0))
    for name, view in network.named_arrays().items():
        view[:] = arrays[name]
    if "optimizer" in description:
        network.optimizer_state = build_state(description["optimizer"], arrays, network)
    return network
