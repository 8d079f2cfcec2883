"""Errors that name the argument, what was got and what was expected.

Every check at the boundary raises ``ValueError`` or ``TypeError`` with one
sentence; the helpers here keep those sentences alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class DivergedError(ArithmeticError):
    """The loss stopped being finite during training.

    The network holds the weights of the best epoch after which another one
    was finite (those from before ``fit`` when there was none). The message
    names the place, the likely cause, and what to change.

    Attributes
    ----------
    epoch : int or None
        Index from 0 of the epoch in which it was noticed; None of `train_on_batch`.
    batch : int or None
        Number from 1 of the batch by which it was noticed; None where all samples are one, or at the end of a fit.

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
    """A fit that the literature calls a mistake, and what to change: inputs or targets far from scaled, dead units.

    `Network.fit` tells it once, about what it sees in a sample of 64 rows. To be rid of it:
    ``warnings.filterwarnings("ignore", category=fm.TrainingWarning)``.

    Sources: LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998 (scaled inputs and targets); Lu, Shin, Su and
    Karniadakis, "Dying ReLU and initialization", 2019.
    """


def unknown_name(argument: str, got: object, known: Iterable[str]) -> ValueError:
    """Build the error for a name that is not in a table, with the nearest known one.

    >>> print(unknown_name("activation", "rellu", ["relu", "tanh"]))
    activation='rellu' is unknown; did you mean 'relu'? Known: relu, tanh
    """
    import difflib  # only a mistake needs it

    names = sorted(known)
    near = difflib.get_close_matches(str(got)[:100].lower(), names[:1000], n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r:.60}?" if near else "."
    return ValueError(f"{argument}={got!r:.100} is unknown{hint} Known: {some_names(names, 30)}")


def shown(name: str, longest: int = 24) -> str:
    """A name out of a file as a terminal may have it: nothing but printable characters, and not too many.

    >>> shown("a\\x1b[31m"), shown("abcdefghij", 8)
    ('a\\\\x1b[31m', 'abcde...')
    """
    line = name if name.isprintable() else name.encode("unicode_escape").decode()
    return line if len(line) <= longest else line[: longest - 3] + "..."


def some_names(names: Sequence[str], most: int = 20) -> str:
    """The first of many names out of a file, separated by commas, as a terminal may have them.

    >>> some_names(["a", "b", "c"], 2)
    'a, b, ...'
    """
    return ", ".join([*(shown(name, 60) for name in names[:most]), *(["..."] if len(names) > most else [])])
