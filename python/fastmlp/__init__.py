"""fastmlp: multilayer perceptrons on the CPU, trained at the speed of the BLAS.

    data -> passes -> training -> history

`Network` trains and predicts. `MLPClassifier` and `MLPRegressor` are its form for scikit-learn (extra ``sklearn``).

The compiled core `cnn_core` computes; this package has the names, the checks, the memory and the policy. What imports
what, from the ground up:

    checks                                   what an argument may be
    machine                                  files, memory, threads
    model                                    what a network is: layers, losses, sizes and offsets
    data                                     samples, and readers of files
    passes                                   predictions, gradients, surfaces
    history schedules optimizers metrics callbacks
    training                                 a fit
    persistence plots                        models on disk, pictures
    network                                  Network: the face of all this
    learning_curves estimators cli           what is built on it
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastmlp.checks.errors import DivergedError, TrainingWarning
from fastmlp.model.initializers import Normal, Uniform
from fastmlp.model.layers import Activation, BatchNorm, Dense, Dropout, Input, LayerNorm, PiecewiseLinear, Scaling
from fastmlp.model.losses import Loss
from fastmlp.network import Network, load
from fastmlp.version import __version__ as __version__

if TYPE_CHECKING:
    from fastmlp import plots
    from fastmlp.callbacks.base import Callback, Run
    from fastmlp.callbacks.plateau import Plateau
    from fastmlp.callbacks.stopping import EarlyStopping, TimeLimit, Tolerance
    from fastmlp.data.chunks import Chunks
    from fastmlp.data.datasets import load_digits, load_mnist
    from fastmlp.data.readers.dataset import Dataset
    from fastmlp.data.readers.idx import read_idx, write_idx
    from fastmlp.data.readers.npz import read_npz
    from fastmlp.data.splits import train_validation_test_split
    from fastmlp.estimators import MLPClassifier as MLPClassifier
    from fastmlp.estimators import MLPRegressor as MLPRegressor
    from fastmlp.history import History
    from fastmlp.learning_curves import LearningCurve, learning_curve
    from fastmlp.metrics import accuracy, confusion_matrix
    from fastmlp.model.custom_loss import CustomLoss
    from fastmlp.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, LevenbergMarquardt, NAdam, RMSprop, Rprop
    from fastmlp.passes.derivatives import check_gradients
    from fastmlp.schedules import (
        Constant,
        Cosine,
        CosineRestarts,
        CosLog4,
        Exponential,
        InverseScaling,
        OneCycle,
        StepDecay,
        Warmup,
    )
    from fastmlp.tables.encoder import TableEncoder
    from fastmlp.tables.reading import read_csv, read_table
    from fastmlp.tables.scan import scan_table
    from fastmlp.tables.table import Table

_LAZY = {
    "callbacks.base": ("Callback", "Run"),
    "data.chunks": ("Chunks",),
    "model.custom_loss": ("CustomLoss",),
    "data.datasets": ("load_digits", "load_mnist"),
    "data.readers.dataset": ("Dataset",),
    "passes.derivatives": ("check_gradients",),
    "estimators": ("MLPClassifier", "MLPRegressor"),
    "history": ("History",),
    "data.readers.idx": ("read_idx", "write_idx"),
    "learning_curves": ("LearningCurve", "learning_curve"),
    "metrics": ("accuracy", "confusion_matrix"),
    "data.readers.npz": ("read_npz",),
    "optimizers": ("LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "LevenbergMarquardt", "NAdam", "RMSprop", "Rprop"),
    "callbacks.plateau": ("Plateau",),
    "schedules": (
        "Constant",
        "CosLog4",
        "Cosine",
        "CosineRestarts",
        "Exponential",
        "InverseScaling",
        "OneCycle",
        "StepDecay",
        "Warmup",
    ),
    "callbacks.stopping": ("EarlyStopping", "TimeLimit", "Tolerance"),
    "data.splits": ("train_validation_test_split",),
    "tables.encoder": ("TableEncoder",),
    "tables.reading": ("read_csv", "read_table"),
    "tables.scan": ("scan_table",),
    "tables.table": ("Table",),
}
"""What a program may need or not, by the module that has it; imported at first use, so that importing is quick."""

_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Callback",
    "Chunks",
    "Constant",
    "CosLog4",
    "Cosine",
    "CosineRestarts",
    "CustomLoss",
    "Dataset",
    "Dense",
    "DivergedError",
    "Dropout",
    "EarlyStopping",
    "Exponential",
    "History",
    "Input",
    "InverseScaling",
    "LayerNorm",
    "LearningCurve",
    "LevenbergMarquardt",
    "Loss",
    "NAdam",
    "Network",
    "Normal",
    "OneCycle",
    "PiecewiseLinear",
    "Plateau",
    "RMSprop",
    "Rprop",
    "Run",
    "Scaling",
    "StepDecay",
    "Table",
    "TableEncoder",
    "TimeLimit",
    "Tolerance",
    "TrainingWarning",
    "Uniform",
    "Warmup",
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
    "read_table",
    "scan_table",
    "train_validation_test_split",
    "write_idx",
]
if find_spec("sklearn"):  # only found, not imported; without it, a star import and help() work, with the other names
    __all__ += ["MLPClassifier", "MLPRegressor"]


def __getattr__(name: str) -> Any:
    if name == "plots":
        return import_module("fastmlp.plots")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")
    value = getattr(import_module(f"fastmlp.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
