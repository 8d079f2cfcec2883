"""Calls from the compiled core back into Python. The core can't raise: an error is kept, and raised after the call."""

from __future__ import annotations

from collections.abc import Iterable


class Door:
    """What the core calls by its address; a subclass has the ``__call__``.

    Attributes
    ----------
    error : exception or None
        The first that was raised since the last `check`.
    """

    error: BaseException | None = None

    def check(self) -> None:
        """Raise the error that was kept."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def address(door: Door | None) -> int:
    """For the core; 0 without a door."""
    return 0 if door is None else id(door)


def check_all(doors: Iterable[Door]) -> None:
    """Raise the first error that any of them kept; forget the others."""
    errors = [door.error for door in doors if door.error is not None]
    for door in doors:
        door.error = None
    if errors:
        raise errors[0]
