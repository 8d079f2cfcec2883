"""The identity of a fit: everything that its steps depend on, as text by name. Equal fingerprints mean equal steps.

User functions are compared by name only, and of the samples only some rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastmlp.callbacks.base import Callback
from fastmlp.checks.errors import printable
from fastmlp.data.few_rows import spread
from fastmlp.data.rows import Rows
from fastmlp.model.fields import fields_to_save
from fastmlp.model.model import Model
from fastmlp.training.gradient_door import changes_gradients

if TYPE_CHECKING:
    from fastmlp.data.samples import TrainingData, Validation
    from fastmlp.training.settings import FitSettings

_SETTINGS = (
    "optimizer", "batch_size", "shuffle", "metrics", "alpha", "warm_start", "clip_norm", "clip_value", "max_norm",
    "accumulate", "average",
)  # fmt: skip
_HINTS = {
    "n_threads": "; pass the same n_threads to get the same bits",
    "samples": ", in X, y, weights or validation_data",
}


def fingerprint(
    network: Model, settings: FitSettings, data: TrainingData, n_threads: int | None, **more: object
) -> dict[str, str]:
    """Text by name for the network, the settings, and the kinds of samples."""
    make_up = {name: getattr(network, name) for name in ("n_features", "layers", "output", "loss", "dtype", "n_params")}
    make_up |= {"input scaling": (network.input.shift, network.input.scale)}
    if network.target_scale is not None:
        make_up |= {"target_scale": tuple(network.target_scale)}
    make_up |= {name: getattr(settings, name) for name in _SETTINGS}
    make_up |= {"n_threads": n_threads, "callbacks": _with_state(settings.callbacks), **more}
    changing = [type(callback).__name__ for callback in settings.callbacks if changes_gradients(callback)]
    if changing:
        make_up["callbacks that see gradients"] = changing
    return {name: as_text(value) for name, value in make_up.items()} | kinds(data)


def data_fingerprint(data: TrainingData) -> dict[str, str]:
    """Numbers of samples, and a digest of some of them."""
    weights = b"" if data.weights is None else data.weights[spread(len(data.weights))].tobytes()
    parts = {"X": data.X, "y": data.targets.rows, **parts_of(data.validation)}
    return {"sample weights": "no" if data.weights is None else "yes"} | rows_fingerprint(parts, weights)


def parts_of(validation: Validation | None) -> dict[str, Rows]:
    """The parts of the validation set by name; empty without one."""
    return {} if validation is None else validation.parts()


def rows_fingerprint(parts: Mapping[str, Rows], more: bytes = b"") -> dict[str, str]:
    """Numbers of rows of each part, and a digest of some of the rows and of ``more``."""
    total = hashlib.sha256(more)
    for rows in parts.values():
        total.update(_sampled(rows))
    return {f"rows of {name}": str(len(rows)) for name, rows in parts.items()} | {"samples": total.hexdigest()[:16]}


def kinds(data: TrainingData) -> dict[str, str]:
    """Dtypes of the samples, and whether they are sparse."""
    described = {}
    for name, rows in (("X", data.X), ("y", data.targets.rows)):
        described[f"dtype of {name}"] = f"{rows.dtype}" + ("" if rows.starts is None else ", sparse")
    return described


def check_same(made_with: Mapping[str, Any], now: Mapping[str, str]) -> None:
    """Raise ``ValueError`` if this fit is not the one of the checkpoint, naming what differs."""
    names = dict.fromkeys([*now, *made_with])
    differing = [name for name in names if made_with.get(name) != now.get(name)]
    if differing:
        parts = [
            f"{name}: {printable(str(made_with.get(name)), 200)} in the checkpoint, {now.get(name)!s:.200} now"
            for name in differing[:3]
        ]
        more = f" (and {len(differing) - 3} more)" if len(differing) > 3 else ""
        hint = _HINTS.get(differing[0], "")
        raise ValueError(f"the checkpoint is from another fit: {'; '.join(parts)}{more}{hint}")


def as_text(value: Any) -> str:
    """The value as text that depends only on the value."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return f"array {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]} {value.shape}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (f"{name}={as_text(each)}" for name, each in fields_to_save(value).items())
        return f"{type(value).__name__}({', '.join(fields)})"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(as_text, value))})"
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    return str(value)


def has_state(callback: Callback) -> bool:
    """Whether the callback has a state for a checkpoint to keep."""
    return type(callback).state_dict is not Callback.state_dict


def _with_state(callbacks: Iterable[Callback]) -> list[str]:
    """Classes and settings of the callbacks whose state a checkpoint keeps."""
    described = []
    for callback in callbacks:
        if has_state(callback):
            settings = (f"{name}={as_text(value)}" for name, value in vars(callback).items() if name[0] != "_")
            described.append(f"{type(callback).__name__}({', '.join(settings)})")
    return described


def _sampled(rows: Rows) -> bytes:
    """The bytes of some rows."""
    chosen = spread(len(rows))
    if rows.starts is None:
        return rows.data[chosen].tobytes()
    assert rows.columns is not None
    pieces = []
    for i in range(*chosen.indices(len(rows))):
        stretch = slice(rows.starts[i], rows.starts[i + 1])
        pieces += [rows.columns[stretch].tobytes(), rows.data[stretch].tobytes()]
    return b"".join(pieces)
