"""Save and load estimators: the network's file with a description of the estimator added, without pickle.

The metadata's "estimator" has the name of the class, the arguments (`fastmlp.persistence.plain_values`), the classes,
and the record that the next warm start continues from. Loss curve and validation scores are arrays. An argument that is
code (a function, a callback, a RandomState) cannot be stored: the file has only its name, and `load` uses the default.
"""

from __future__ import annotations

import inspect
import os
import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from fastmlp.checks.errors import printable
from fastmlp.estimators.labels import Labels, Numbers
from fastmlp.estimators.settings import ACTIVATION_NAMES
from fastmlp.estimators.watching import Record
from fastmlp.machine.files import as_path
from fastmlp.model.model import Model
from fastmlp.network import Network
from fastmlp.persistence.models import Saved, read_model, write_model
from fastmlp.persistence.plain_values import from_plain, to_plain

CURVES = {"loss": "loss_curve", "validation_score": "validation_scores", "validation_loss": "validation_losses"}
"""Lists of the record, by their names in the file."""
NUMBERS: dict[str, type] = {
    "best_loss": float, "best_score": float, "still": int, "t": int, "rate": float, "rate_of_last_step": float,
}  # fmt: skip
"""Numbers of the record."""
KEYS = {"kind", "arguments", "left_out", "labels", "feature_names", "n_iter", "loss", "record", "curves"}
_CLASS_DTYPES = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)|str|object")


def save_estimator(estimator: Any, path: str | os.PathLike[str], allow_nan: bool) -> None:
    """Write a fitted estimator; see `BaseMLP.save`."""
    check_is_fitted(estimator)
    estimator._take_over_weights()
    arguments, left_out = _written_arguments(estimator)
    record: Record = estimator._record
    names = getattr(estimator, "feature_names_in_", None)
    description = {
        "kind": type(estimator).__name__,
        "arguments": arguments,
        "left_out": left_out,
        "labels": _describe_labels(estimator._coding) if is_classifier(estimator) else None,
        "feature_names": None if names is None else names.tolist(),
        "n_iter": int(estimator.n_iter_),
        "loss": to_plain(float(estimator.loss_)),
        "record": {name: to_plain(kind(getattr(record, name))) for name, kind in NUMBERS.items()}
        | {"is_shown": hasattr(estimator, "loss_curve_")},
    }
    curves = {name: np.array(getattr(record, field), dtype=np.float64) for name, field in CURVES.items()}
    extra = _class_names(estimator._coding) if is_classifier(estimator) else {}
    write_model(Saved(estimator.network_, extra, description, curves), path, allow_nan)


def load_estimator(kind: type[Any], path: str | os.PathLike[str], allow_nan: bool) -> Any:
    """Read an estimator of a class; see `BaseMLP.load`."""
    path = as_path(path)
    saved = read_model(path, Network, allow_nan)
    if saved.estimator is None:
        raise ValueError(f"{path} holds a network, not an estimator; fastmlp.load reads it")
    if saved.estimator.get("kind") != kind.__name__:
        got = printable(str(saved.estimator.get("kind")), 50)
        raise ValueError(f"{path} holds an {got}, not an {kind.__name__}")
    try:
        estimator = _restored(kind, saved)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} is not a usable estimator: {printable(str(error), 400)}") from None
    left_out = ", ".join(saved.estimator["left_out"])
    if left_out:
        warnings.warn(
            f"{path} does not contain {left_out}; they have their defaults, set them with set_params", stacklevel=3
        )
    return estimator


def _written_arguments(estimator: Any) -> tuple[dict[str, Any], list[str]]:
    """The constructor's arguments as JSON values, and the names of those that cannot be stored."""
    arguments, left_out = {}, []
    for name, value in estimator.get_params(deep=False).items():
        try:
            arguments[name] = to_plain(value)
        except ValueError:
            left_out.append(name)
    return arguments, left_out


def _describe_labels(labels: Labels) -> dict[str, Any]:
    """Classes and their dtype: numbers, booleans or strings; "str" means strings of any length."""
    classes = labels.classes
    dtype = "str" if classes.dtype.kind == "U" else classes.dtype.name
    values = classes.tolist()
    if not _CLASS_DTYPES.fullmatch(dtype) or (dtype == "object" and not all(type(value) is str for value in values)):
        raise ValueError(f"classes of dtype {classes.dtype} cannot be saved; use numbers, booleans or strings")
    return {
        "dtype": dtype,
        "classes": [to_plain(value) for value in values],
        "kind": labels.kind,
        "is_sparse": bool(labels.is_sparse),
    }


def _class_names(labels: Labels) -> dict[str, Any]:
    """The names of the classes for the command line; none with several labels for a row."""
    if labels.kind == "multilabel-indicator" or len(labels.classes) < 2:
        return {}
    return {"classes": [str(value) for value in labels.classes.tolist()]}


def _restored(kind: type[Any], saved: Saved[Network]) -> Any:
    """Build the fitted estimator from the file's description."""
    description: dict[str, Any] = saved.estimator or {}
    if set(description) != KEYS:
        raise ValueError(f"the description of an estimator must have {', '.join(sorted(KEYS))}")
    network = saved.network
    estimator: Any = kind(**_read_arguments(kind, description))
    coding = _read_coding(estimator, description["labels"], network)
    record, is_shown = _read_record(description["record"], saved.curves)
    names = _read_feature_names(description["feature_names"], network.n_features)
    loss = from_plain(description["loss"])
    if type(loss) is not float or type(description["n_iter"]) is not int:
        raise ValueError("the description of an estimator must have a float as loss and an integer as n_iter")
    estimator._finish(network, coding, record, is_shown, loss_=loss, n_iter_=description["n_iter"])
    estimator.n_features_in_ = network.n_features
    if names is not None:
        estimator.feature_names_in_ = names
    return estimator


def _read_arguments(kind: type[Any], description: dict[str, Any]) -> dict[str, Any]:
    given, left_out = description["arguments"], description["left_out"]
    known = set(inspect.signature(kind).parameters)
    if not isinstance(given, dict) or not isinstance(left_out, list) or not known.issuperset([*given, *left_out]):
        raise ValueError(f"the arguments of an estimator must be arguments of {kind.__name__}, by name")
    return {name: from_plain(value) for name, value in given.items()}


def _read_coding(estimator: Any, labels: Any, network: Model) -> Any:
    """Read the coding of the targets, and check it against the network's outputs."""
    if not is_classifier(estimator):
        if labels is not None:
            raise ValueError("a regressor has no classes")
        return Numbers(network.n_targets, network.output, network.loss.outputs_per_target)
    if not isinstance(labels, dict) or set(labels) != {"dtype", "classes", "kind", "is_sparse"}:
        raise ValueError("the description of a classifier must have its labels")
    if labels["kind"] not in ("binary", "multiclass", "multilabel-indicator") or type(labels["is_sparse"]) is not bool:
        raise ValueError(f"unknown kind of labels: {labels['kind']!r:.50}")
    coding = Labels(_read_classes(labels), labels["kind"], labels["is_sparse"])
    n_classes = len(coding.classes)
    fits_kind = n_classes <= 2 if coding.kind == "binary" else n_classes > 2 or coding.kind != "multiclass"
    output = ACTIVATION_NAMES.get(coding.output, coding.output)
    if not n_classes or not fits_kind or (coding.n_outputs, output) != (network.n_outputs, network.output):
        raise ValueError(
            f"{n_classes} {coding.kind} classes do not fit a network with {network.n_outputs} {network.output} outputs"
        )
    return coding


def _read_classes(labels: dict[str, Any]) -> NDArray[Any]:
    """Sorted classes, in their original dtype."""
    name, values = labels["dtype"], labels["classes"]
    if not isinstance(name, str) or not _CLASS_DTYPES.fullmatch(name) or not isinstance(values, list):
        raise ValueError(f"classes must be a list with a dtype of numbers, booleans or strings, got {name!r:.50}")
    values = [from_plain(value) for value in values]
    dtype = np.dtype(name)
    expected = {"b": bool, "i": int, "u": int, "f": float}.get(dtype.kind, str)
    if not all(type(value) is expected for value in values):
        raise ValueError(f"classes of dtype {name} must all be of type {expected.__name__}")
    classes: NDArray[Any] = np.array(values, dtype=dtype)
    if classes.tolist() != values or not (classes[1:] > classes[:-1]).all():
        raise ValueError(f"classes must be sorted, unique and exact in dtype {name}")
    return classes


def _read_record(plain: Any, curves: dict[str, NDArray[np.float64]]) -> tuple[Record, bool]:
    """The record of the fits, and whether the estimator has the attribute ``loss_curve_``."""
    if not isinstance(plain, dict) or set(plain) != {*NUMBERS, "is_shown"} or set(curves) != set(CURVES):
        raise ValueError(f"the record of an estimator must have {', '.join([*NUMBERS, *CURVES])}")
    numbers = {name: from_plain(plain[name]) for name in NUMBERS}
    for name, value in numbers.items():
        if type(value) is not NUMBERS[name] or (isinstance(value, int) and value < 0):
            raise ValueError(f"{name} of an estimator's record must be a number, got {value!r:.50}")
    if type(plain["is_shown"]) is not bool:
        raise ValueError("is_shown of an estimator's record must be true or false")
    lists = {field: curves[name].tolist() for name, field in CURVES.items()}
    return Record(**numbers, **lists), plain["is_shown"]


def _read_feature_names(names: Any, n_features: int) -> NDArray[Any] | None:
    if names is None:
        return None
    if not isinstance(names, list) or len(names) != n_features or not all(isinstance(name, str) for name in names):
        raise ValueError(f"feature_names must be {n_features} strings, one for each column")
    return np.array(names, dtype=object)
