"""What a network learns to predict from a table: classes or numbers, decided by the values of a column.

Texts and truth values are classes. Numbers, also texts such as ``$1,234``, are numbers, unless they are the codes of
classes:

- two different values;
- up to ten whole numbers that fill at least half of their range, like codes that somebody has counted up. Marks and
  counts look the same, but are rare at the ends: if a value has less than a hundredth of the rows and the frequencies
  rise to one peak and fall again, they are numbers;
- up to a hundred such whole numbers, if all are about equally frequent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, shown, unknown_name
from fastmlp.tables.database import column
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.texts import NUMBER_STYLES
from fastmlp.tables.table import Table

TASKS = ("classification", "regression")
MISSING, UNKNOWN = -1, -2
"""What `Target.read` returns for a row without a class, and for a class that was not there in training."""

_MOST_CLASSES = 1000
_FEW, _MANY = 10, 100  # codes that may be uneven, and codes that must be about equally frequent
_RARE = 0.01
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_LABEL_DTYPES = ("object", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                 "float32", "float64")  # fmt: skip


class Target:
    """The column to predict: its classes, or that it holds numbers.

    Made by `Target.of` from a table, or by `Target.from_dict` from what a model file holds.

    Parameters
    ----------
    name : str
        Name of the column.
    classes : ndarray or None
        The labels in order, in the type of the column; None if the targets are numbers.
    log : bool, default False
        Whether ``log(1 + y)`` is learned instead of ``y``.
    style : str, default ""
        How the column writes numbers as texts, such as ``"1,234.5"``; empty if it holds numbers.

    Attributes
    ----------
    name, classes_, log, style
        The same.
    notice : str
        What a person may want to know about the choice, in one sentence; empty if there is nothing to say.

    Examples
    --------
    >>> from fastmlp.tables.reading import read_table
    >>> table = read_table({"age": np.array([3, 40, 61]), "smoker": np.array(["no", "yes", None])})
    >>> target = Target.of(table, "smoker")
    >>> target.classes_, target.read(table)
    (array(['no', 'yes'], dtype=object), array([ 0,  1, -1]))
    """

    def __init__(self, name: str, classes: NDArray[Any] | None, log: bool = False, style: str = "") -> None:
        self.name, self.classes_, self.log, self.style = name, classes, log, style
        self.notice = ""

    @classmethod
    def of(cls, table: Table, key: str | int, *, task: str | None = None, log: bool = False) -> Target:
        """Decide what a column of a table is.

        Parameters
        ----------
        table : Table
        key : str or int
            Name or position of the column.
        task : {"classification", "regression"}, optional
            What the column is. Default: decided by its values.
        log : bool, default False
            Whether ``log(1 + y)`` is learned instead of ``y``.

        Returns
        -------
        Target

        Raises
        ------
        ValueError
            For a column without two different values, of more than 1000 classes, of texts or dates where numbers are
            needed, and of numbers below 0 with ``log``.

        Examples
        --------
        >>> from fastmlp.tables.reading import read_table
        >>> table = read_table({"price": np.array([31.5, 20.0, 8.25])})
        >>> Target.of(table, "price")
        Target('price', numbers)
        """
        if task is not None and task not in TASKS:
            raise unknown_name("task", task, TASKS)
        position = table.position(key, "target")
        name, where = table.names[position], f"{table.origin}: target {shown(table.names[position])}"
        kind = table.types[position].partition("(")[0]
        style = "" if task == "classification" else Column(table, position).style or ""
        numeric = kind in _NUMBERS or style != ""
        if not numeric and kind not in ("VARCHAR", "BOOLEAN", '"NULL"') and not kind.startswith("ENUM"):
            raise ValueError(f"{where} holds values of type {kind}; expected numbers, texts or truth values")
        if not numeric and (task == "regression" or log):
            wanted = "log=True" if log else "task='regression'"
            raise ValueError(
                f"{where} holds {'texts' if kind != 'BOOLEAN' else 'truth values'}; {wanted} needs numbers"
            )
        facts = _Facts(table, position, where, numeric, style)
        facts.check(log, task)
        labels = None
        if not numeric or task == "classification" or (task is None and not log and facts.may_be_codes):
            labels, values, counts = facts.labels()
            if numeric and task is None and not are_codes(values, counts):
                labels = None
        target = cls(name, labels, log, style if labels is None else "")
        if labels is None:
            target.notice = facts.notice(log)
        elif numeric and task is None:
            target.notice = (
                f"{len(labels)} different numbers, taken as classes; task='regression' takes them as numbers"
            )
        return target

    def expression(self, table: Table) -> str:
        """The SQL of the raw values in a table: numbers without NULL, which `encode` takes."""
        position = table.position(self.name, "target")
        x = column(position)
        if self.classes_ is None or self.classes_.dtype != object:
            as_text = self.style and table.types[position] not in _NUMBERS
            number = NUMBER_STYLES[self.style].sql(f"trim({x}::VARCHAR)") if as_text else f"try_cast({x} AS DOUBLE)"
            return f"coalesce({number}, CASE WHEN {x} IS NULL THEN 'nan' ELSE 'inf' END::DOUBLE)"
        code = f"enum_code(try_cast({x}::VARCHAR AS {table.enum(self.classes_.tolist())}))::INTEGER"
        return f"coalesce({code}, CASE WHEN {x} IS NULL THEN {MISSING} ELSE {UNKNOWN} END)"

    def encode(self, raw: NDArray[Any]) -> NDArray[Any]:
        """What the network learns for raw values: indices into ``classes_`` (or `MISSING`, `UNKNOWN`), or numbers.

        Numbers that are missing or not finite become NaN; with ``log``, the logarithms are returned.
        """
        if self.classes_ is None:
            numbers = np.where(np.isfinite(raw), raw, np.nan)
            if self.log:
                with np.errstate(invalid="ignore", divide="ignore"):  # a number below -1 becomes NaN
                    numbers = np.log1p(numbers)
                numbers[~np.isfinite(numbers)] = np.nan
            return numbers
        if self.classes_.dtype == object:
            return raw.astype(np.int64)
        known = self.classes_.astype(np.float64)
        codes = np.minimum(np.searchsorted(known, raw), len(known) - 1)
        return np.where(np.isnan(raw), MISSING, np.where(known[codes] == raw, codes, UNKNOWN))

    def read(self, table: Table) -> NDArray[Any]:
        """The targets of all rows of a table, as `encode` returns them."""
        return self.encode(np.asarray(table.select({"y": self.expression(table)})["y"]))

    def decode(self, learned: NDArray[Any]) -> NDArray[Any]:
        """Labels for indices into ``classes_``, or numbers in the units of the column.

        >>> Target("price", None, log=True).decode(np.log([101.0])).round()
        array([100.])
        """
        if self.classes_ is not None:
            labels: NDArray[Any] = self.classes_[learned]
            return labels
        return np.expm1(np.asarray(learned, dtype=np.float64)) if self.log else learned

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON.

        >>> target = Target("sold", np.array([False, True]))
        >>> Target.from_dict(target.to_dict())
        Target('sold', 2 classes)
        """
        if self.classes_ is None:
            labels, dtype = None, "float64"
        else:
            labels, dtype = self.classes_.tolist(), self.classes_.dtype.name
        return {"name": self.name, "classes": labels, "dtype": dtype, "log": self.log, "style": self.style}

    @classmethod
    def from_dict(cls, description: Any) -> Target:
        """The target from the result of `to_dict`; ``ValueError`` for anything else."""
        if not isinstance(description, Mapping) or set(description) != {"name", "classes", "dtype", "log", "style"}:
            raise ValueError("the description of the target is damaged")
        name, labels, dtype, log, style = (description[key] for key in ("name", "classes", "dtype", "log", "style"))
        if not isinstance(name, str) or type(log) is not bool or dtype not in _LABEL_DTYPES:
            raise ValueError("the description of the target needs a name, a known dtype, and log as true or false")
        if not isinstance(style, str) or style not in ("", *NUMBER_STYLES) or (labels is not None and (log or style)):
            raise ValueError("the description of the target has a style that is unknown or means nothing")
        return cls(name, None if labels is None else _checked_labels(labels, dtype), log, style)

    def __repr__(self) -> str:
        what = "numbers" if self.classes_ is None else f"{len(self.classes_)} classes"
        return f"Target({shown(self.name)}, {'log of ' if self.log else ''}{what})"


def _checked_labels(labels: Any, dtype: str) -> NDArray[Any]:
    """Labels from a file as an array; ``ValueError`` unless there are two or more different ones of this dtype."""
    kinds: dict[str, tuple[type, ...]] = {"O": (str,), "b": (bool,), "f": (float, int)}
    allowed = kinds.get(np.dtype(dtype).kind, (int,))
    if not isinstance(labels, list) or not 2 <= len(labels) <= _MOST_CLASSES:
        raise ValueError(f"the target needs a list of 2 to {_MOST_CLASSES} classes")
    if not all(type(label) in allowed for label in labels):
        raise ValueError(f"the classes of the target must be {allowed[0].__name__}")
    try:
        array = np.array(labels, dtype=dtype)
    except OverflowError:
        raise ValueError(f"the classes of the target do not fit in {dtype}") from None
    if array.tolist() != sorted(set(labels)) or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise ValueError("the classes of the target must differ and be sorted")
    return array


def are_codes(labels: Sequence[Any] | NDArray[Any], counts: Sequence[int] | NDArray[Any]) -> bool:
    """Whether numbers that occur ``counts`` times stand for classes; see the top of this file.

    >>> are_codes([1, 2, 3, 5, 6, 7], [70, 76, 17, 13, 9, 29])  # kinds of glass
    True
    >>> are_codes([3, 4, 5, 6, 7, 8, 9], [20, 163, 1457, 2198, 880, 175, 5])  # marks for wine
    False
    """
    values, rows = np.asarray(labels, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if len(values) == 2:
        return True
    if (values != np.floor(values)).any() or values[-1] - values[0] + 1 > 2 * len(values):
        return False
    if len(values) > _FEW:
        return len(values) <= _MANY and bool(rows.min() >= max(rows.mean() / 2, 5))
    return bool(rows.min() >= max(_RARE * rows.sum(), 3)) or not _has_one_peak(rows)


def _has_one_peak(rows: NDArray[np.float64]) -> bool:
    """Whether frequencies rise and then fall, but for steps within the chance of counting."""
    top = int(np.argmax(rows))
    for side in (rows[: top + 1][::-1], rows[top:]):
        lowest = np.minimum.accumulate(side)
        if (side - lowest > 2 * np.sqrt(side + lowest)).any():
            return False
    return True


class _Facts:
    """What is asked about the column of the target: a pass over it, and one more for its labels."""

    def __init__(self, table: Table, position: int, where: str, numeric: bool, style: str) -> None:
        self.table, self.where, self.numeric = table, where, numeric
        x = self.label = column(position)
        if numeric:
            number = NUMBER_STYLES[style].sql(f"trim({x})") if style else f"{x}::DOUBLE"
            x = f"CASE WHEN isfinite({number}) THEN {number} END"
        self.value = x
        asked = {"rows": "count(*)", "present": f"count({x})", "distinct": f"approx_count_distinct({x})"}
        asked |= {"low": f"min({x})", "high": f"max({x})"}
        if numeric:
            asked |= {"whole": f"bool_and({x} = floor({x}))", "quantiles": f"approx_quantile({x}, [0.05, 0.5, 0.95])"}
        self.facts = {key: values[0] for key, values in table.select(asked).items()}

    def check(self, log: bool, task: str | None) -> None:
        """Refuse a target from which nothing can be learned."""
        rows, present, low, high = (self.facts[key] for key in ("rows", "present", "low", "high"))
        if not rows:
            raise ValueError(f"{self.table.origin} has no rows")
        if not present:
            raise ValueError(f"{self.where} is missing in all {rows} rows")
        if low == high:
            value = printable(f"{low:g}" if self.numeric else str(low), 60)
            raise ValueError(f"{self.where} is {value} in every row; there is nothing to learn")
        if log and low < 0:
            raise ValueError(f"{self.where} goes down to {low:g}; log=True needs numbers of at least 0")

    @property
    def may_be_codes(self) -> bool:
        """Whether it is worth asking for the labels of a column of numbers."""
        return bool(self.facts["distinct"] <= 4 or (self.facts["whole"] and self.facts["distinct"] <= 1.2 * _MANY))

    def labels(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The different labels, sorted; and their values, sorted too, and numbers of rows."""
        rest = f"WHERE {self.value} IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT {_MOST_CLASSES + 1}"
        found = self.table.select({"label": self.label, "n": "count(*)", "value": f"any_value({self.value})"}, rest)
        if len(found["n"]) > _MOST_CLASSES:
            hint = "task='regression' fits numbers" if self.numeric else "group them, or name another target"
            raise ValueError(f"{self.where} has more than {_MOST_CLASSES} different values as classes; {hint}")
        labels, order = np.asarray(found["label"]), np.argsort(found["value"], kind="stable")
        labels = labels.astype(str).astype(object) if labels.dtype.kind not in "biuf" else labels
        return labels, found["value"][order], found["n"][order]

    def notice(self, log: bool) -> str:
        """What may be unexpected about numbers."""
        low, high = self.facts["low"], self.facts["high"]
        if self.facts["whole"] and self.facts["distinct"] <= 2 * _FEW and high - low < 4 * _FEW:
            return f"whole numbers from {low:g} to {high:g}; task='classification' takes them as classes"
        below, middle, above = self.facts["quantiles"]
        if below - low < above - middle < (middle - below) / 10:
            return f"{low:g} is frequent and far from the other values; null={low:g} if it stands for missing"
        if log or low < 0 or not below < middle < above:
            return ""
        skew = math.log((above - middle) / (middle - below))
        logs = math.log((math.log1p(above) - math.log1p(middle)) / (math.log1p(middle) - math.log1p(below)))
        if skew > math.log(2) and abs(logs) < skew / 2:
            return f"skewed, up to {high / middle:.1f} times the median; log=True learns logarithms"
        return ""
