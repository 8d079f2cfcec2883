"""fastmlp: multilayer perceptrons on the CPU, trained at the speed of the BLAS.

    data -> batches -> forward -> loss -> backward -> update -> history

The numbers are done by the compiled core `cnn_core`; this package gives them meaning: names, checks, memory, policy.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from fastmlp.callbacks import Callback, EarlyStopping, Run, Tolerance
from fastmlp.derivatives import check_gradients
from fastmlp.errors import DivergedError
from fastmlp.history import History
from fastmlp.initializers import Normal, Uniform
from fastmlp.layers import Activation, BatchNorm, Dense, Dropout, Input, LayerNorm
from fastmlp.losses import Loss
from fastmlp.network import Network
from fastmlp.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, NAdam, RMSprop, Rprop
from fastmlp.schedules import Cosine, Exponential, OneCycle, StepDecay

if TYPE_CHECKING:
    from fastmlp import plots
    from fastmlp.datasets import Dataset, load_digits, load_mnist
    from fastmlp.idx import read_idx, write_idx
    from fastmlp.learning_curve import LearningCurve, learning_curve
    from fastmlp.metrics import accuracy, confusion_matrix
    from fastmlp.npz import read_npz
    from fastmlp.persistence import load
    from fastmlp.splits import train_validation_test_split
    from fastmlp.tables import Table, read_csv

__version__ = metadata.version("fastmlp")

_LAZY = {
    "Dataset": "datasets",
    "LearningCurve": "learning_curve",
    "Table": "tables",
    "accuracy": "metrics",
    "confusion_matrix": "metrics",
    "learning_curve": "learning_curve",
    "load": "persistence",
    "load_digits": "datasets",
    "load_mnist": "datasets",
    "plots": "plots",
    "read_csv": "tables",
    "read_idx": "idx",
    "read_npz": "npz",
    "train_validation_test_split": "splits",
    "write_idx": "idx",
}
"""Names that most programs don't need, by the module that has them; imported at first use."""

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Callback",
    "Cosine",
    "Dataset",
    "Dense",
    "DivergedError",
    "Dropout",
    "EarlyStopping",
    "Exponential",
    "History",
    "Input",
    "LayerNorm",
    "LearningCurve",
    "Loss",
    "NAdam",
    "Network",
    "Normal",
    "OneCycle",
    "RMSprop",
    "Rprop",
    "Run",
    "StepDecay",
    "Table",
    "Tolerance",
    "Uniform",
    "accuracy",
    "check_gradients",
    "confusion_matrix",
    "learning_curve",
    "load",
    "load_digits",
    "load_mnist",
    "plots",
    "read_csv",
    "read_idx",
    "read_npz",
    "train_validation_test_split",
    "write_idx",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")
    module = import_module(f"fastmlp.{_LAZY[name]}")
    value = module if name == _LAZY[name] and name == "plots" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
