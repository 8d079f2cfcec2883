"""Arguments as JSON and back: numbers, text, and the package's own descriptions of losses, schedules and optimizers.

    to_plain(fm.Cosine(0.1, n_steps=100))  <->  {"kind": "Cosine", "initial": 0.1, "n_steps": 100, "final": 0.0}

Reading creates only objects of the classes in a fixed table, and these check their fields. Functions have no such form.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from fastmlp import schedules
from fastmlp.checks.values import Schedule
from fastmlp.model.initializers import Normal, Uniform
from fastmlp.model.losses import Loss
from fastmlp.optimizers import OPTIMIZERS

SCHEDULES: dict[str, type[Schedule]] = {
    name: kind
    for name, kind in vars(schedules).items()
    if isinstance(kind, type) and issubclass(kind, Schedule) and kind is not Schedule
}
DESCRIPTIONS: dict[str, Any] = {
    **SCHEDULES,
    **{kind.__name__: kind for kind in (Loss, Normal, Uniform, *OPTIMIZERS.values())},
}
"""The classes whose objects can be saved, by name."""
_MAKERS: dict[str, Any] = {name: (lambda given, kind=kind: kind(**given)) for name, kind in DESCRIPTIONS.items()}
_MAKERS["Loss"] = Loss.from_saved


def to_plain(value: Any) -> Any:
    """Turn a value into JSON values; ``ValueError`` for functions and other objects.

    NumPy numbers and arrays become Python numbers and lists, and dtypes become their names.

    >>> to_plain((3, {"a": math.inf}))
    {'kind': 'tuple', 'items': [3, {'kind': 'dict', 'items': [['a', {'kind': 'float', 'value': 'inf'}]]}]}
    """
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if value is None or isinstance(value, (bool, str)) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"kind": "float", "value": str(value)}
    if type(value) is list:
        return [to_plain(item) for item in value]
    if type(value) is tuple:
        return {"kind": "tuple", "items": [to_plain(item) for item in value]}
    if type(value) is dict:
        return {"kind": "dict", "items": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    name = type(value).__name__
    if DESCRIPTIONS.get(name) is type(value):
        return {"kind": name, **{key: to_plain(getattr(value, key)) for key in _fields(type(value))}}
    raise ValueError(
        f"{value!r:.100} can't be saved; numbers, text, and fastmlp's losses, schedules and optimizers can"
    )


def from_plain(plain: Any) -> Any:
    """Turn JSON values from `to_plain` back into the value; ``ValueError`` or ``TypeError`` for any others.

    >>> from_plain({"kind": "Normal", "std": 0.5})
    Normal(std=0.5)
    """
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get("kind")
    fields = {key: value for key, value in plain.items() if key != "kind"}
    if kind == "float" and fields.get("value") in ("inf", "-inf", "nan"):
        return float(fields["value"])
    if kind in ("tuple", "dict") and isinstance(fields.get("items"), list):
        items = from_plain(fields["items"])
        return tuple(items) if kind == "tuple" else dict(items)
    if isinstance(kind, str) and kind in DESCRIPTIONS and set(fields) <= set(_fields(DESCRIPTIONS[kind])):
        return _MAKERS[kind]({key: from_plain(value) for key, value in fields.items()})
    raise ValueError(f"{plain!r:.100} is not a value that fastmlp writes")


def _fields(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]
