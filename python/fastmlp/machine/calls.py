"""Calls from the compiled core back into Python. The core cannot raise, so errors are stored and raised afterwards."""

from __future__ import annotations

from collections.abc import Iterable


class Door:
    """An object that the core calls by its address; a subclass defines ``__call__``.

    Attributes
    ----------
    error : exception or None
        The first one raised since the last `check`.
    """

    error: BaseException | None = None

    def check(self) -> None:
        """Raise the stored error, if there is one."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def address(door: Door | None) -> int:
    """The address of a door, for the core; 0 without one."""
    return 0 if door is None else id(door)


def check_all(doors: Iterable[Door]) -> None:
    """Raise the first stored error of several doors, and forget the others."""
    errors = [door.error for door in doors if door.error is not None]
    for door in doors:
        door.error = None
    if errors:
        raise errors[0]
