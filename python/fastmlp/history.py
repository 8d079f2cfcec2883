"""The record of a fit: one number per epoch under each name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class History(Mapping[str, NDArray[np.float64]]):
    """What a fit recorded: a read-only mapping from names to arrays with one number per epoch.

    The names are ``loss``, ``seconds`` and ``learning_rate``; with validation data also ``val_loss`` and, for
    classification, ``val_accuracy``; and those of the metrics asked for. With `LBFGS` and `LevenbergMarquardt` also
    ``evaluations``, how often the epoch computed the loss of all samples; for the latter also ``damping``.

    Attributes
    ----------
    stop_reason : str
        Why the fit ended: ``"epochs"`` (all done), ``"interrupted"``, or the reason given by a callback.
    best_epoch : int or None
        Index from 0 of the epoch whose weights a callback restored.

    Raises
    ------
    KeyError
        From ``history[name]``, for a name that was not recorded.

    Notes
    -----
    ``history["loss"]`` is the mean over the samples of the epoch, each measured just before the update that used it.
    ``history["seconds"]`` is the time since the start of the fit; very short epochs that ran in one call share their
    time evenly. ``history["learning_rate"]`` is that of the first update of the epoch.

    Examples
    --------
    >>> history = History()
    >>> history.add(loss=0.5, seconds=0.1)
    >>> history.add(loss=0.25, seconds=0.2)
    >>> history["loss"]
    array([0.5 , 0.25])
    >>> history
    History(2 epochs: loss 0.5 -> 0.25; 0.20 s)
    """

    def __init__(self) -> None:
        self._records: dict[str, list[float]] = {}
        self.stop_reason = "epochs"
        self.best_epoch: int | None = None

    def add(self, **values: float) -> None:
        """Append one epoch: a number for each name."""
        self.extend(**{name: [float(value)] for name, value in values.items()})

    def extend(self, **columns: list[float]) -> None:
        """Append several epochs: for each name a list with one number per epoch, all equally long."""
        for name, values in columns.items():
            self._records.setdefault(name, []).extend(values)

    def last(self, name: str) -> float:
        """The newest number under ``name``; cheaper than ``history[name][-1]``, which builds an array."""
        return self._records[name][-1]

    @property
    def n_epochs(self) -> int:
        """Number of epochs recorded."""
        return max(map(len, self._records.values()), default=0)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self._records:
            raise KeyError(f"no {name!r} in this history; it has {', '.join(self._records) or 'no epochs'}")
        return np.array(self._records[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        if not self._records:
            return "History(0 epochs)"
        parts = []
        for name in ("loss", "val_loss", "val_accuracy"):
            if name in self._records:
                first, last = self._records[name][0], self._records[name][-1]
                parts.append(f"{name} {first:.4g} -> {last:.4g}")
        if "seconds" in self._records:
            parts.append(f"{self._records['seconds'][-1]:.2f} s")
        plural = "" if self.n_epochs == 1 else "s"
        return f"History({self.n_epochs} epoch{plural}: {'; '.join(parts)})"

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain lists, ready for JSON."""
        return {name: list(values) for name, values in self._records.items()}
