"""Models on disk: one safetensors file, without any code in it.

The arrays have the names of `Network.named_arrays` ("0.weight", "0.bias", ...), for any safetensors reader. A scaled
input adds "input.shift" and "input.scale" (float64), scaled targets likewise "target.shift" and "target.scale", momenta
"optimizer.vectors" (`optimizer_states`). The file's metadata have one entry, "fastmlp": JSON with the versions of the
format and the library, the network's `description`, the caller's ``extra``, and the rest of an estimator. The guide on
saving has the whole layout.

Nothing that a file claims is trusted until it is checked: first the header's length against the file's size, then the
arrays' names, shapes, dtypes and places against the description. Only then is memory allocated.

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
from fastmlp.checks.errors import printable
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
"""Version of the metadata; all versions from 1 to this one can be read."""

_KEY = "fastmlp"
_ALWAYS = {"format", "library", "network", "extra"}
_SOMETIMES = {"optimizer", "estimator"}
_MOST_CURVES = 16
_WORK = 2**28, 1024
"""Limit in bytes on the workspace of a few rows: a fixed part, and a part for each byte of the file."""


@dataclass(frozen=True)
class Saved(Generic[M]):
    """The content of a file; ``estimator`` and ``curves`` are from `fastmlp.estimators.storing`, or None and empty."""

    network: M
    extra: dict[str, Any]
    estimator: dict[str, Any] | None = None
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def save(
    network: Model, path: str | os.PathLike[str], *, extra: Mapping[str, Any] | None = None, allow_nan: bool = False
) -> None:
    """Write a network to a safetensors file. The write is atomic.

    A file that exists is replaced once the new one is complete and on disk. The same network gives the same bytes.

    Parameters
    ----------
    network : Model
        Everything is saved except the history and the seed of the initial weights. The network that `fastmlp.load`
        returns predicts and trains exactly like this one, to the bit. The file includes ``network.optimizer_state``,
        which ``fit(warm_start=True)`` and `train_on_batch` leave; Adam's is twice as large as the weights. Set it to
        None first for a small file.
    path : str or path
        The file; usually with the ending ``.safetensors``.
    extra : mapping, optional
        More to save, such as the names of classes: anything that JSON can hold. `read_model` returns it.
    allow_nan : bool, default False
        Whether to save NaN and infinity, to inspect the network later.

    Raises
    ------
    ValueError
        If the network has NaN or infinity, or a function instead of a number, or if ``extra`` is not JSON or larger
        than 4 MiB.
    OSError
        If the file cannot be written.
    RuntimeError
        If another thread is training the network.

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
    """Write a network and what belongs to it; atomic, with the errors of `save`."""
    path = as_path(path)
    with saved.network._access.reading:
        content = _as_bytes(saved, allow_nan)
    with replacing(path) as file:
        file.write(content)


def _as_bytes(saved: Saved[Any], allow_nan: bool) -> bytes:
    """The content of the file."""
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
        raise ValueError(f"extra must hold only what JSON can hold: {error}") from None
    check_room(COPIES * (sum(array.nbytes for array in arrays.values()) + len(text)), "the file")
    content: bytes = to_bytes(arrays, {_KEY: text})
    if int.from_bytes(content[:8], "little") > LONGEST_HEADER:
        raise ValueError(
            f"extra and the names must fit in the file's header, which may have at most {LONGEST_HEADER} bytes"
        )
    check_work(network.layout, network.dtype, len(content))
    return content


def read_model(path: str | os.PathLike[str], kind: type[M], allow_nan: bool = False) -> Saved[M]:
    """Read and check a whole file, with the errors of `fastmlp.load`.

    ``kind`` is the class of the network to make: `Model` or a subclass.
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
            raise ValueError(f"{path} is not a valid fastmlp model: {printable(str(error), 400)}") from None


def _arrays(network: Model) -> dict[str, NDArray[Any]]:
    """All arrays of the network, by name."""
    arrays = network.named_arrays()
    if network.input.is_scaled:
        arrays |= {f"input.{name}": np.ascontiguousarray(getattr(network.input, name)) for name in ("shift", "scale")}
    if network.target_scale is not None:
        arrays |= {f"target.{name}": array for name, array in network.target_scale._asdict().items()}
    return arrays


def _read_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The JSON that `save` wrote, with its outermost keys checked."""
    if STATE in metadata:
        raise ValueError("it is the checkpoint of a fit; fit(checkpoint=..., resume=True) resumes from it")
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
        raise ValueError(f"the metadata must have a format version from 1, got {version!r:.50}")
    if version > FORMAT:
        written = f"{description.get('library')!r:.50}"
        raise ValueError(f"format {version}, written by fastmlp {written}, is newer than {FORMAT}; update fastmlp")
    if not _ALWAYS <= set(description) <= _ALWAYS | _SOMETIMES or not isinstance(description["extra"], dict):
        raise ValueError("the metadata must have format, library, network and extra")
    return description


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"the metadata hold {name}; expected finite numbers")


def _check_curves(estimator: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtypes and shapes of an estimator's curves, by their names in the file."""
    if estimator is None:
        return {}
    curves = estimator.get("curves") if isinstance(estimator, dict) else None
    if not isinstance(curves, dict) or len(curves) > _MOST_CURVES:
        raise ValueError(f"the description of an estimator must have at most {_MOST_CURVES} curves by name")
    if not all(type(length) is int and 0 <= length < 2**53 for length in curves.values()):
        raise ValueError("the curves of an estimator must have whole numbers as lengths")
    return {f"curve.{name}": ("F64", (length,)) for name, length in curves.items()}


def _expected_arrays(description: Mapping[str, Any], file: ModelFile) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtypes and shapes of the described network's arrays, by name, before any memory is allocated."""
    network = description["network"]
    n_features, layers, output, loss, _ = read_description(network)
    code = CODES[np.dtype(network["dtype"])]
    if n_features > file.size:
        raise ValueError(f"n_features={n_features} is impossible in a file of {file.size} bytes")
    if not layers:
        raise ValueError("the network must have layers, got none")
    layout = make_layout(Input(n_features), layers, output_activation(layers, output, loss), loss)
    expected: dict[str, tuple[str, tuple[int, ...]]] = {f"{s.layer}.{s.name}": (code, s.shape) for s in layout.segments}
    expected |= {f"{s.layer}.{s.name}": ("F64", s.shape) for s in layout.statistics}
    if "input.shift" in file.places or "input.scale" in file.places:
        expected |= {f"input.{name}": ("F64", (n_features,)) for name in ("shift", "scale")}
    if "target.shift" in file.places or "target.scale" in file.places:
        expected |= {f"target.{name}": ("F64", (layout.n_targets,)) for name in ("shift", "scale")}
    if "optimizer" in description:
        shapes = state_shapes(description["optimizer"], layout.n_params, layout.n_statistics)
        expected |= {name: ("F64" if name.endswith("_statistics") else code, shape) for name, shape in shapes.items()}
    return expected


def check_work(layout: Layout, dtype: np.dtype[Any], n_bytes: int) -> None:
    """Raise ``ValueError`` if a network would need far more memory in use than the size of its file.

    Layers without weights take almost no space in a file, but their outputs take memory.
    """
    work, most = layout.n_columns * MIN_TILE_ROWS * dtype.itemsize, _WORK[0] + _WORK[1] * n_bytes
    if work > most:
        raise ValueError(
            f"the {len(layout.table)} layers of the network would take {work} bytes for a few rows; "
            f"a file of {n_bytes} bytes may take at most {most}"
        )


def _restore(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], kind: type[M], allow_nan: bool) -> M:
    """Make the network, and fill in its arrays."""
    for name, array in arrays.items():
        if not (allow_nan or name.startswith("curve.")):
            check_finite(f"array {name!r}", array)
        if name.endswith("running_variance") and array.min() < 0:
            raise ValueError(f"array {name!r} must not be negative, got {array.min():g}")
    target_scale = (arrays["target.shift"], arrays["target.scale"]) if "target.shift" in arrays else None
    shift, scale = arrays.get("input.shift", 0.0), arrays.get("input.scale", 1.0)
    network = build(description["network"], kind, shift, scale, target_scale)
    for name, view in network.named_arrays().items():
        view[:] = arrays[name]
    if "optimizer" in description:
        network.optimizer_state = build_state(description["optimizer"], arrays, network)
    return network
