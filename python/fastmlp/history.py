"""The record of a fit: one number per epoch under each name."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

_list_in: Callable[..., Any] = dict.__getitem__
_list_under: Callable[..., Any] = dict.setdefault


class History(dict[str, NDArray[np.float64]]):
    """What a fit recorded: a read-only mapping from names to arrays with one number per epoch.

    The names are ``loss``, ``seconds`` and ``learning_rate``; with validation data also ``val_loss`` and, for
    classification, ``val_accuracy``; and those of the metrics asked for. With `LBFGS` and `LevenbergMarquardt` also
    ``evaluations``, how often the epoch computed the loss of all samples; for the latter also ``damping``.

    For a table with a row for each epoch, ``pandas.DataFrame(history)``.

    Attributes
    ----------
    stop_reason : str
        Why the fit ended: ``"epochs"`` (all done), ``"interrupted"``, or the reason given by a callback.
    best_epoch : int or None
        Index from 0 of the epoch whose weights a callback restored.
    n_resumed : int
        Epochs that a checkpoint brought; 0 if the fit began anew.

    Raises
    ------
    KeyError
        From ``history[name]``, for a name that was not recorded.
    TypeError
        From methods of dict that would change it.

    Notes
    -----
    ``history["loss"]`` is the mean over the samples of the epoch, each measured just before the update that used it.
    ``history["seconds"]`` is the time since the start of the fit; very short epochs that ran in one call share their
    time evenly. ``history["learning_rate"]`` is that of the first update of the epoch.

    Callbacks record numbers of their own by ``run.history.add(name=number)``, for the newest epoch. Epochs without a
    number under a name have NaN there. With more than one number per epoch, from `Callback.on_gradient` for instance,
    the array has all of them and is longer than the others; leave it out of a table.

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
        super().__init__()  # the lists of numbers; reading makes arrays of them
        self.stop_reason = "epochs"
        self.best_epoch: int | None = None
        self.n_resumed = 0
        self._fitted = 0  # epochs that `extend` has added

    def add(self, **values: float) -> None:
        """Append one epoch: a number for each name. During a fit, the numbers belong to its newest epoch."""
        lists = [_list_under(self, name, []) for name in values]
        begin = self._fitted - 1 if self._fitted else max([self.n_epochs - 1, *map(len, lists)])
        for numbers, value in zip(lists, values.values(), strict=True):
            _fill(numbers, begin)
            numbers.append(float(value))

    def extend(self, **columns: list[float]) -> None:
        """Append several epochs: for each name a list with one number per epoch, all equally long."""
        begin = self._fitted
        if self and not begin:
            begin = max((len(self._list(name)) for name in columns if name in self), default=0)
        count = 0
        for name, values in columns.items():
            numbers = _list_under(self, name, [])
            if len(numbers) < begin:
                _fill(numbers, begin)
            numbers.extend(values)
            count = len(values)
        self._fitted = begin + count

    def last(self, name: str) -> float:
        """The newest number under ``name``; cheaper than ``history[name][-1]``, which builds an array."""
        return self._list(name)[-1]

    @property
    def n_epochs(self) -> int:
        """Number of epochs recorded."""
        return self._fitted or max(map(len, super().values()), default=0)

    def _list(self, name: str) -> list[float]:
        numbers: list[float] = _list_in(self, name)
        return numbers

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self:
            raise KeyError(f"no {name!r} in this history; it has {', '.join(self) or 'no epochs'}")
        numbers = self._list(name)
        return np.array(numbers + [np.nan] * (self.n_epochs - len(numbers)))

    # A dict, since pandas makes a table of nothing else that has names. dict's own methods would give out the lists.

    def __iter__(self) -> Iterator[str]:  # so that dict(history) reads through __getitem__
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """Return ``history[name]``, or ``default`` if nothing was recorded under the name."""
        if name not in self:
            return default
        return self[name]

    def items(self) -> ItemsView[str, NDArray[np.float64]]:  # type: ignore[override]
        """The names and their arrays."""
        return ItemsView(self)

    def values(self) -> ValuesView[NDArray[np.float64]]:  # type: ignore[override]
        """The arrays."""
        return ValuesView(self)

    def copy(self) -> dict[str, NDArray[np.float64]]:
        """Return a dict of the arrays."""
        return dict(self)

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    def _read_only(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise ``TypeError``: a history is read-only."""
        raise TypeError("a History is read-only; change a copy, dict(history), or record a number with history.add")

    __setitem__ = __delitem__ = __ior__ = _read_only
    clear = pop = popitem = setdefault = update = _read_only

    def state_dict(self) -> dict[str, NDArray[np.float64]]:
        """The numbers as they were recorded, without NaN for the newest epochs; for a checkpoint."""
        return {name: np.array(self._list(name), np.float64) for name in self}

    def load_state_dict(self, state: Mapping[str, NDArray[np.float64]], n_epochs: int) -> None:
        """Go on after the ``n_epochs`` epochs of such a state; for a history that is still empty."""
        for name, values in state.items():
            _list_under(self, name, []).extend(values.tolist())
        self._fitted = self.n_resumed = n_epochs

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), (self.state_dict(), vars(self))

    def __setstate__(self, state: tuple[dict[str, NDArray[np.float64]], dict[str, Any]]) -> None:
        records, attributes = state
        self.load_state_dict(records, 0)
        vars(self).update(attributes)

    def __repr__(self) -> str:
        if not self:
            return "History(0 epochs)"
        parts = []
        for name in ("loss", "val_loss", "val_accuracy"):
            if name in self:
                first, last = self._list(name)[0], self.last(name)
                parts.append(f"{name} {first:.4g} -> {last:.4g}")
        if "seconds" in self:
            parts.append(f"{self.last('seconds'):.2f} s")
        plural = "" if self.n_epochs == 1 else "s"
        return f"History({self.n_epochs} epoch{plural}: {'; '.join(parts)})"

    def to_dict(self) -> dict[str, Any]:
        """Return a dict of plain lists, ready for JSON."""
        return {name: values.tolist() for name, values in self.items()}


def _fill(numbers: list[float], n_epochs: int) -> None:
    """Add NaN for epochs that have no number."""
    numbers.extend([np.nan] * (n_epochs - len(numbers)))
