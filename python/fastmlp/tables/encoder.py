"""From the columns of a table to a matrix of numbers that suit a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown, some_names, unknown_name
from fastmlp.checks.values import check_size
from fastmlp.tables import kinds
from fastmlp.tables.explanation import ColumnFacts, Explanation
from fastmlp.tables.features import Encoding, Notes, null_texts
from fastmlp.tables.few_rows import few_rows
from fastmlp.tables.kinds.aside import Aside
from fastmlp.tables.kinds.base import Kind
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.reading import read_table
from fastmlp.tables.table import Table, unique_names
from fastmlp.tables.transformer import Transformer

_CHOICES = {"categories": ("one_hot", "codes"), "dtype": ("float32", "float64")}
_SAVED = ("categories", "max_categories", "dtype")
_MOST_COLUMNS = 100_000
"""Limit on the columns of a file: those without features take so little space that it could have millions."""


class TableEncoder(Transformer):
    """Turn a table of numbers, categories, dates and missing values into a matrix that suits a network.

    A transformer with scikit-learn's interface, which needs no scikit-learn. Columns are found by name.

    Parameters
    ----------
    categorical : sequence of str or int, default ()
        Columns that are categories though they hold numbers, such as postal codes.
    drop : sequence of str or int, default ()
        Columns to leave out.
    keep : sequence of str or int, default ()
        Columns that would be set aside, such as identifiers and row numbers, but are to have features.
    null : sequence of str or number, default ()
        Values that mean "missing", such as ``-200`` or ``"unknown"``, in all columns.
    categories : {"one_hot", "codes"}, default "one_hot"
        Whether a column of three or more categories has a feature for each, or one feature with the number of the
        category from 1, and 0 for an unseen one.
    max_categories : int, default 100
        The most features of one column; categories beyond the commonest ones share a feature.
    dtype : {"float32", "float64"}, default "float32"
        Of the matrix.

    Attributes
    ----------
    kinds_ : dict
        The kind of each column of the table, by name, with what it has learned.
    set_aside_ : dict
        Columns without features: name and reason.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : array of str
        Their names; only if ``X`` had names.

    Notes
    -----
    What becomes of a column:

    - Numbers, also as text (``$1,234``, ``12 %``, ``1.234,5``): less the median, divided by the distance of the
      quartiles (of the other values, if most are the same one), then ``z / sqrt(1 + (z / 3)**2)``. Where some are more
      than 10 such distances out, a second feature is without this soft clip. Missing ones are at the median; if there
      are any in the fit, another feature is 1 for them.
    - Categories: a feature for each, 0.5 where it is there, else 0. Those with fewer than 5 rows, or fewer than 0.1 %,
      share one, in which categories fall that the fit has not seen; missing ones have their own. Two categories are
      one feature, -0.5 and 0.5.
    - Whole numbers up to 60 without gaps that are about equally frequent, with 300 rows each or more, such as hours and
      months: the number, and a feature for each value.
    - Dates and times, also as text: the time as a number; month, day, weekday, hour as sine and cosine, if they vary.
    - Set aside: constant and empty columns; whole numbers that are all different, if they fill at least half of the
      range from 0, or if the column has the name of an identifier; texts with more than 20 different values, more than
      half as many as rows, unless some are missing: then the feature is whether there is one.

    Front of numbers and categories after Holzmueller, Grinsztajn and Steinwart, "Better by default", NeurIPS 2024. The
    rest was chosen on validation parts of public tables.

    Examples
    --------
    >>> import pandas as pd
    >>> import fastmlp as fm
    >>> table = pd.DataFrame({"size": [1.0, 2.5, None, 4.0], "sold": ["yes", "no", "yes", "yes"]})
    >>> encoder = fm.TableEncoder().fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['size', 'size=(missing)', 'sold=yes']
    >>> encoder.transform(table.loc[[1, 2]])[:, 2]
    array([-0.5,  0.5], dtype=float32)
    >>> print(encoder.explain())
    column  kind      features  details
    size    number    2         centre 2.5, scale 1.5, 1 missing
    sold    category  1         2 values: no, yes
    """

    def __init__(
        self,
        *,
        categorical: Sequence[str | int] = (),
        drop: Sequence[str | int] = (),
        keep: Sequence[str | int] = (),
        null: Sequence[str | float] = (),
        categories: str = "one_hot",
        max_categories: int = 100,
        dtype: str = "float32",
    ) -> None:
        self.categorical = categorical
        self.drop = drop
        self.keep = keep
        self.null = null
        self.categories = categories
        self.max_categories = max_categories
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> TableEncoder:
        """Learn the kinds of the columns, their scales and their categories.

        Parameters
        ----------
        X : frame, Table or array
            A frame of pandas, polars or pyarrow, a dict of arrays, an array (n, n_columns), a table of `read_table`, or
            what that reads.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            A setting is wrong, ``X`` is no table, or has no column to learn from.
        """
        self._check_settings()
        table = _as_table(X)
        rows = len(table)
        if rows == 0:
            raise ValueError(f"{table.origin} has no rows; an encoder needs at least one")
        categorical, drop, keep = (
            {table.position(key, name) for key in getattr(self, name)} for name in ("categorical", "drop", "keep")
        )
        found: dict[str, Kind] = {}
        for j, name in enumerate(table.names):
            column = Column(table, j, null_texts(self.null))
            found[name] = (
                Aside("dropped")
                if j in drop
                else kinds.fit(
                    column, rows, j in categorical, j in keep, self.categories == "codes", self.max_categories
                )
            )
        if all(isinstance(kind, Aside) for kind in found.values()):
            reasons = some_names([f"{name} ({kind.details})" for name, kind in found.items()], 5)
            raise ValueError(f"{table.origin} has no column to learn from: {reasons}; keep=[...] keeps a column")
        self._set(found, not isinstance(X, np.ndarray))
        return self

    def _check_settings(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known)
        check_size("max_categories", self.max_categories)
        for name in ("categorical", "drop", "keep", "null"):
            value = getattr(self, name)
            if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
                raise TypeError(f"{name} must be a list, got {shown(value, 60)}")

    def _set(self, found: dict[str, Kind], named: bool) -> None:
        """Set the fitted attributes."""
        self.kinds_ = found
        self.set_aside_ = {name: kind.details for name, kind in found.items() if isinstance(kind, Aside)}
        self.n_features_in_ = len(found)
        vars(self).pop("feature_names_in_", None)
        if named:
            self.feature_names_in_ = np.array(list(found), dtype=object)

    def transform(self, X: Any) -> NDArray[Any]:
        """The features of rows.

        Parameters
        ----------
        X : frame, Table or array
            With the columns of the fit; others are ignored.

        Returns
        -------
        array (n_rows, n_features)

        Raises
        ------
        ValueError
            A column is missing.
        """
        transformed: NDArray[Any] = self._contained(self.encode(X)[0], X)
        return transformed

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[Any]:
        """Fit, and return the features of the same rows.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        array (n_rows, n_features)
        """
        return self.fit(X, y).transform(X)

    def encode(self, X: Any) -> tuple[NDArray[Any], Notes]:
        """The features of rows, and what was missing or unseen in them.

        Parameters
        ----------
        X : frame, Table or array

        Returns
        -------
        matrix : array (n_rows, n_features)
        notes : Notes
            ``rows``, their number; ``missing`` and ``unseen``, how many values by column.
        """
        check_is_fitted(self)
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] != self.n_features_in_ and not X.dtype.names:
            known = f"{type(self).__name__} is expecting {self.n_features_in_} features as input"
            raise ValueError(f"X has {X.shape[1]} features, but {known}")
        few = few_rows(X)
        if few is not None:
            encoding = Encoding(self.kinds_, self.null, few)
            block = encoding.block_of(few)
            if block is not None:
                matrix = np.empty((few.rows, encoding.n_features), self.dtype)
                encoding.write(block, matrix)
                return matrix, encoding.notes
        table = _as_table(X)
        encoding = Encoding(self.kinds_, self.null, table)
        matrix = np.empty((len(table), encoding.n_features), self.dtype)
        done = 0
        for block in table.stream(encoding.expressions):
            n = len(next(iter(block.values())))
            encoding.write(block, matrix[done : done + n])
            done += n
        return matrix, encoding.notes

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the features.

        Parameters
        ----------
        input_features : None
            Not used; the columns of the fit have names.

        Returns
        -------
        array of str
            In the order of the columns of the matrix.
        """
        check_is_fitted(self)
        return np.array(unique_names([name for _, _, _, names in self.explain() for name in names]), dtype=object)

    def explain(self) -> Explanation:
        """Tell what became of each column.

        Returns
        -------
        tuple of ColumnFacts
            ``name``, ``kind``, ``details`` and ``features`` of each column; printed, it is a table.
        """
        check_is_fitted(self)
        return Explanation(
            ColumnFacts(name, kind.word, kind.details, tuple(kind.features(name))) for name, kind in self.kinds_.items()
        )

    def source_columns(self) -> list[str]:
        """Return the names of the columns that the features come from.

        Returns
        -------
        list of str
            One for each feature.
        """
        return [name for name, kind in self.kinds_.items() for _ in kind.features(name)]

    def to_dict(self) -> dict[str, Any]:
        """Describe the fitted encoder by JSON values.

        Returns
        -------
        dict
        """
        check_is_fitted(self)
        settings = {name: getattr(self, name) for name in _SAVED} | {"null": null_texts(self.null)}
        columns = [{"name": name, **kinds.to_dict(kind)} for name, kind in self.kinds_.items()]
        return settings | {"columns": columns, "named": hasattr(self, "feature_names_in_")}

    @classmethod
    def from_dict(cls, saved: Any) -> TableEncoder:
        """Make a fitted encoder from the result of `to_dict`, which may come from a file that nobody vouches for.

        Parameters
        ----------
        saved : dict

        Returns
        -------
        TableEncoder
            Encodes to the same bits; settings that matter in a fit alone have their defaults.

        Raises
        ------
        ValueError, TypeError
            For anything else.
        """
        if not isinstance(saved, Mapping) or set(saved) != {*_SAVED, "null", "columns", "named"}:
            raise ValueError(f"the description of an encoder must have {', '.join(_SAVED)}, null, columns and named")
        encoder = cls(null=saved["null"], **{name: saved[name] for name in _SAVED})
        encoder._check_settings()
        columns, found = saved["columns"], {}
        if not isinstance(columns, list) or not 0 < len(columns) <= _MOST_COLUMNS or type(saved["named"]) is not bool:
            raise TypeError("columns must be a list of columns, named true or false")
        if not all(isinstance(text, str) for text in encoder.null):
            raise TypeError("null must be a list of texts")
        "".join(map(str, encoder.null)).encode()  # raises UnicodeEncodeError, a ValueError, for half a surrogate pair
        for column in columns:
            name = column.get("name") if isinstance(column, Mapping) else None
            if not isinstance(name, str) or name in found:
                raise ValueError(f"each column must have a name of its own, got {shown(name, 60)}")
            found[name] = kinds.from_dict({key: value for key, value in column.items() if key != "name"})
        encoder._set(found, saved["named"])
        return encoder


def check_is_fitted(encoder: TableEncoder) -> None:
    """Raise scikit-learn's error if the encoder is not fitted, or one like it where scikit-learn is not installed."""
    if not hasattr(encoder, "kinds_"):
        try:
            from sklearn.exceptions import NotFittedError
        except ImportError:
            NotFittedError = ValueError
        raise NotFittedError("this TableEncoder is not fitted; call fit first")


def _as_table(X: Any) -> Table:
    if hasattr(X, "tocsr"):
        raise TypeError("sparse input is not supported, as each column has one kind of value; pass X.toarray()")
    return X if isinstance(X, Table) else read_table(X)
