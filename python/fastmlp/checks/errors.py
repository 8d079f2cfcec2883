"""Errors and warnings, and helpers that keep their messages alike.

A check of an argument raises ``ValueError`` or ``TypeError`` with one sentence:
the argument, what was expected, what was got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType


class DivergedError(ArithmeticError):
    """The loss stopped being finite during training.

    The network then holds the weights of the best epoch that was followed by
    another finite one, or the weights from before ``fit`` if there is none. The
    message says where it happened, the likely cause, and what to change.

    Attributes
    ----------
    epoch : int or None
        Index from 0 of the epoch in which it was noticed; None from `train_on_batch`.
    batch : int or None
        Number from 1 of the batch after which it was noticed; None if one batch holds all samples, or at the end of a
        fit.

    Examples
    --------
    >>> error = DivergedError("the loss stopped being finite", epoch=2, batch=7)
    >>> error.epoch, error.batch
    (2, 7)
    """

    def __init__(self, message: str = "", epoch: int | None = None, batch: int | None = None) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.batch = batch

    def __reduce__(self) -> tuple[type[DivergedError], tuple[str, int | None, int | None]]:
        return type(self), (str(self), self.epoch, self.batch)


class TrainingWarning(UserWarning):
    """A likely mistake in a fit: unscaled inputs or targets, or dead units. The message says what to change.

    Notes
    -----
    `Network.fit` warns once per fit, from a sample of 64 rows. Sources: LeCun, Bottou, Orr and Mueller, "Efficient
    BackProp", 1998 (scaled inputs and targets); Lu, Shin, Su and Karniadakis, "Dying ReLU and initialization", 2019.

    Examples
    --------
    Turn these warnings off:

    >>> import warnings
    >>> import fastmlp as fm
    >>> with warnings.catch_warnings():
    ...     warnings.filterwarnings("ignore", category=fm.TrainingWarning)
    ...     history = fm.Network([1, 1], seed=0).fit([[1e6], [2e6]], [0.0, 1.0], epochs=1, optimizer=fm.SGD(0.0))
    """


def unknown_name(
    argument: str,
    got: object,
    known: Iterable[str],
    hint: str | None = None,
    synonyms: Mapping[str, str] = MappingProxyType({}),
) -> ValueError:
    """Build the error for an unknown name, with the closest known one.

    ``hint`` replaces that guess; "" leaves it out. ``synonyms`` are further names to guess from, by what they mean.

    >>> print(unknown_name("activation", "rellu", ["relu", "tanh"]))
    activation='rellu' is unknown; did you mean 'relu'? Known: relu, tanh
    """
    import difflib  # rarely needed

    names = sorted(known)
    if hint is None:
        spelled = {name: name for name in names[:1000]} | dict(synonyms)
        near = difflib.get_close_matches(str(got)[:100].lower(), spelled, n=1, cutoff=0.5)
        end = f"; did you mean {spelled[near[0]]!r:.60}?" if near else "."
    else:
        end = f"; {hint}." if hint else "."
    return ValueError(f"{argument}={got!r:.100} is unknown{end} Known: {some_names(names, 30)}")


def printable(name: str, longest: int = 24) -> str:
    """Make a name from a file safe to print: only printable characters, and not too many.

    >>> printable("a\\x1b[31m"), printable("abcdefghij", 8)
    ('a\\\\x1b[31m', 'abcde...')
    """
    line = name if name.isprintable() else name.encode("unicode_escape").decode()
    return line if len(line) <= longest else line[: longest - 3] + "..."


def some_names(names: Sequence[str], most: int = 20) -> str:
    """List the first of many names from a file, separated by commas and safe to print.

    >>> some_names(["a", "b", "c"], 2)
    'a, b, ...'
    """
    return ", ".join([*(printable(name, 60) for name in names[:most]), *(["..."] if len(names) > most else [])])


def shown(value: object, longest: int = 100) -> str:
    """Quote a value in an error: its repr in one line, not too long, whatever the value.

    >>> shown("relu"), shown([1] * 50, 12), shown(10**5000)
    ("'relu'", '[1, 1, 1,...', '<int>')
    """
    try:
        return printable(repr(value), longest)
    except Exception:  # a number of more digits than Python writes, or a repr that fails
        return f"<{type(value).__name__}>"
