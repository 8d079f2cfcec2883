"""Errors that name the argument, what was got and what was expected.

Every check at the boundary raises ``ValueError`` or ``TypeError`` with one
sentence; the helpers here keep those sentences alike.
"""

from __future__ import annotations

from collections.abc import Iterable


class DivergedError(ArithmeticError):
    """The loss stopped being finite during training.

    The network holds the weights of the best epoch after which another one
    was finite (those from before ``fit`` when there was none).
    """


def unknown_name(argument: str, got: object, known: Iterable[str]) -> ValueError:
    """Build the error for a name that is not in a table, with the nearest known one.

    >>> print(unknown_name("activation", "rellu", ["relu", "tanh"]))
    activation='rellu' is unknown; did you mean 'relu'? Known: relu, tanh
    """
    import difflib  # only a mistake needs it

    names = sorted(known)
    near = difflib.get_close_matches(str(got).lower(), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return ValueError(f"{argument}={got!r} is unknown{hint} Known: {', '.join(names)}")
