"""Numbers and dates written as text: how to tell them, and the SQL that reads them."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHARE = 0.95
"""Texts are numbers or dates if at least this share of the values can be read; the others are then missing."""
_SIGN = "(?:[-+]? ?[$€£¥]? ?|[$€£¥] ?[-+] ?)"
_AROUND = (f"{_SIGN}(?:", ")(?:[eE][-+]?[0-9]+)? ?[%$€£¥]?")


class Style(NamedTuple):
    """A way to write numbers: the pattern of a whole text, what is taken out, and the mark before decimals."""

    pattern: str
    rest: str
    mark: str

    def sql(self, text: str) -> str:
        """SQL that reads this text, NULL if it does not fit."""
        digits = f"replace(regexp_replace({text}, '{self.rest}', '', 'g'), '{self.mark}', '.')"
        return f"CASE WHEN regexp_full_match({text}, '{self.pattern}') THEN try_cast({digits} AS DOUBLE) END"

    def number(self, text: str) -> float:
        """The number, NaN if the text does not fit."""
        if not re.fullmatch(self.pattern, text):
            return math.nan
        return float(re.sub(self.rest, "", text).replace(self.mark, "."))


NUMBER_STYLES = {
    "1,234.5": Style(
        r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+".join(_AROUND), "[^-+0-9.eE]", "."
    ),
    "1.234,5": Style(
        r"[0-9]{1,3}(?:[. ][0-9]{3})+(?:,[0-9]*)?|[0-9]+(?:,[0-9]*)?|,[0-9]+".join(_AROUND), "[^-+0-9,eE]", ","
    ),
}
"""Ways to write numbers, by example; the first is preferred."""
_CODE = re.compile("0[0-9]+")
"""A code such as 00501, which is not a number."""

_DAYS = ["%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%m/%d/%y", "%d/%m/%y",
         "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"]  # fmt: skip
_TIMES = ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"]
_FEWEST_DIGITS = 3
DATE_FORMATS = [
    *_DAYS, *_TIMES, *(f"{day}{between}{time}" for day in _DAYS for between in " T" for time in _TIMES),
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ",
]  # fmt: skip
"""Ways to write dates and times; of several that fit as well, the first."""


def number_style(texts: Sequence[str], counts: NDArray[np.int64]) -> str | None:
    """The style in which these texts, each with its number of rows, are numbers; None if they are not.

    >>> number_style(["$1,200", "950"], np.array([1, 1])), number_style(["0,5", "12,25"], np.array([1, 1]))
    ('1,234.5', '1.234,5')
    """
    if any(map(_CODE.fullmatch, texts)):
        return None
    patterns = {name: re.compile(style.pattern).fullmatch for name, style in NUMBER_STYLES.items()}
    return _best(patterns, texts, counts)


def date_format(texts: Sequence[str], counts: NDArray[np.int64]) -> str | None:
    """The format in which these texts, each with its number of rows, are dates or times; None if they are not.

    >>> date_format(["31/12/2024", "01/02/2025"], np.array([1, 1]))
    '%d/%m/%Y'
    """
    if texts and sum(map(str.isdigit, texts[0])) < _FEWEST_DIGITS:
        return None  # at once: Python takes long to try all formats
    return _best({format: functools.partial(_is_date, format) for format in DATE_FORMATS}, texts, counts)


def _is_date(format: str, text: str) -> bool:
    try:
        datetime.strptime(text, format)
    except ValueError:
        return False
    return True


def _best(ways: Mapping[str, Callable[[str], object]], texts: Sequence[str], counts: NDArray[np.int64]) -> str | None:
    """The way that fails in the fewest rows; None if each fails in too many."""
    allowed, best = (1 - SHARE) * counts.sum(), None
    for name, fits in ways.items():
        failures = 0
        for text, count in zip(texts, counts.tolist(), strict=True):
            failures += 0 if fits(text) else count
            if failures > allowed:
                break
        else:
            allowed, best = failures - 1, name
    return best
