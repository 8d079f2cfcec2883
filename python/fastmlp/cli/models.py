"""Models as ``fastmlp train`` saves them: the network, and what its outputs and inputs mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp.cli.earlier_tables import EarlierEncoder, earlier_target
from fastmlp.cli.sources import Problem, plain
from fastmlp.network import Network, load_with_extra
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.target import Target

_OTHERS = {
    ".onnx": "ONNX", ".pt": "PyTorch", ".pth": "PyTorch", ".h5": "Keras", ".keras": "Keras", ".pkl": "pickle",
    ".pickle": "pickle", ".joblib": "joblib", ".tflite": "TensorFlow Lite", ".pb": "TensorFlow", ".npz": "NPZ",
    ".json": "JSON", ".csv": "CSV", ".txt": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A network from a file. Without a target, it predicts numbers; without an encoder, it takes no tables by name."""

    path: Path
    network: Network
    target: Target
    encoder: TableEncoder | EarlierEncoder | None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes; None if it predicts numbers."""
        return None if self.target.classes_ is None else tuple(map(plain, self.target.classes_))


def check_format(path: Path | None) -> None:
    """Refuse a name that promises another format than the one that is written."""
    format = _OTHERS.get("" if path is None else path.suffix.lower())
    if format is not None:
        raise ValueError(f"--save {path}: models are written as .safetensors, not as {format}")


def save_model(network: Network, problem: Problem, path: Path) -> None:
    """Write the network with what its inputs and outputs mean."""
    from fastmlp.persistence.models import save

    extra: dict[str, Any] = {}
    if problem.encoder is not None:
        extra = {"target": problem.target.to_dict(), "encoder": problem.encoder.to_dict()}
    elif problem.classes is not None:
        extra = {"classes": list(problem.classes)}
    save(network, path, extra=extra)


def load_model(path: Path) -> Model:
    """Read a model; ``ValueError`` if what it says about itself does not fit the network."""
    network, extra = load_with_extra(path)
    try:
        target, encoder = _read_extra(network, extra)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if encoder is not None and len(encoder.source_columns()) != network.n_features:
        n = len(encoder.source_columns())
        raise ValueError(f"{path} describes {n} inputs, but its network has {network.n_features}")
    if target.classes_ is not None:
        n = len(target.classes_)
        if network.n_outputs != (1 if n == 2 and network.n_outputs == 1 else n):
            raise ValueError(f"{path} names {n} classes, but its network has {network.n_outputs} outputs")
    return Model(path, network, target, encoder)


def _read_extra(network: Network, extra: dict[str, Any]) -> tuple[Target, TableEncoder | EarlierEncoder | None]:
    if "encoder" in extra or "target" in extra:
        return Target.from_dict(extra.get("target")), TableEncoder.from_dict(extra.get("encoder"))
    classes = extra.get("classes")
    if classes is not None and (not isinstance(classes, list) or not all(isinstance(name, str) for name in classes)):
        raise ValueError("its class names are damaged")
    if extra.get("encoding") is not None:
        return earlier_target(extra["encoding"], classes), EarlierEncoder.from_dict(extra["encoding"], network)
    return Target("", None if classes is None else np.array(classes, dtype=object)), None
