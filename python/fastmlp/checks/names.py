"""Names that users pass: the ones in a table, their synonyms elsewhere, and hints for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastmlp.checks.errors import unknown_name


def known_name(
    argument: str,
    name: str,
    known: Iterable[str],
    synonyms: Mapping[str, str],
    others: Mapping[str, str],
) -> str:
    """The name as the table has it; ``ValueError`` with the best hint if it is unknown.

    Parameters
    ----------
    argument : str
        Named in the error.
    name : str
        What the user passed.
    known : iterable of str
        The names of the table.
    synonyms : mapping
        From other libraries' names to those of the table, where both mean the same.
    others : mapping
        From names with several meanings, or with none here, to what the error says about them; "" for nothing.

    Examples
    --------
    >>> known_name("loss", "mae", ["absolute_error", "mse"], {"mae": "absolute_error"}, {})
    'absolute_error'
    >>> known_name("loss", "l2", ["mse"], {}, {"l2": "'mse' is the mean of squares"})
    Traceback (most recent call last):
        ...
    ValueError: loss='l2' is unknown; 'mse' is the mean of squares. Known: mse
    """
    names = list(known)
    if name in names:
        return name
    if name in synonyms:
        return synonyms[name]
    plain = name[:100].lower().replace("-", "_").replace(" ", "_")
    if plain in others:
        raise unknown_name(argument, name, names, others[plain])
    raise unknown_name(argument, name, names, synonyms=synonyms)
