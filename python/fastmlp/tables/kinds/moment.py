"""Dates and times: the time since the first as a number, and the parts that vary: year, month, weekday, hour."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.number import Number, robust
from fastmlp.tables.kinds.texts import DATE_FORMATS

PERIODS = {"month": 12, "day": 31, "weekday": 7, "hour": 24}
"""The parts of a date that come again, each with the number of its values."""
_FIRST_DAY = datetime(1970, 1, 1)
_FARTHEST = 1e6
"""Days from 1970 at which dates are cut, so that all have a month."""


@dataclass(frozen=True)
class Moment(Number):
    """A column of dates or times, or of texts that are such in this ``format``; numbers are days since 1970."""

    word: ClassVar[str] = "date"
    parts: tuple[str, ...] = ()
    format: str = ""

    @classmethod
    def fit(cls, column: Column, rows: int) -> Moment | None:
        """The scaling of a column of dates and which parts of them vary; None for other columns."""
        days = column.days_in_order
        if days is None:
            return None
        varying = tuple(name for name, values in _parts(days).items() if np.ptp(values) > 0)
        return cls(*robust(days), rows - len(days), parts=varying, format=column.format or "")

    def expression(self, column: Column) -> str:
        return f"coalesce({column.days(self.format)}, 'nan'::DOUBLE)"

    def raw(self, value: Any) -> float | None:
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                return self.raw(datetime.strptime(value, self.format)) if self.format else None
            return math.nan
        if not isinstance(value, datetime):
            return value.toordinal() - _FIRST_DAY.toordinal() if isinstance(value, date) else None
        since = value.timestamp() if value.tzinfo else (value - _FIRST_DAY).total_seconds()
        return since / 86400

    def features(self, name: str) -> list[str]:
        waves = [f"{name}.{part}_{wave}" for part in self.parts for wave in ("sin", "cos")]
        return super().features(f"{name}.time") + waves

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        n = 2 * len(self.parts)
        counted = super().write(raw, out[:, : out.shape[1] - n])
        gone = np.isnan(raw)
        parts = _parts(np.where(gone, 0.0, raw))
        for j, part in enumerate(self.parts):
            angles = 2 * np.pi * np.arange(PERIODS[part]) / PERIODS[part]
            waves = np.stack([np.sin(angles), np.cos(angles)], axis=1).take(parts[part], axis=0)
            if counted[0]:
                waves[gone] = 0.0
            start = out.shape[1] - n + 2 * j
            out[:, start : start + 2] = waves
        return counted

    @property
    def details(self) -> str:
        first = np.datetime64(0, "D") + np.timedelta64(int(np.clip(self.centre, -_FARTHEST, _FARTHEST)), "D")
        return f"around {first}, time and {', '.join(self.parts) or 'nothing else'}" + (
            f", {self.missing} missing" if self.missing else ""
        )

    def check(self) -> None:
        super().check()
        if self.format not in ("", *DATE_FORMATS):
            raise ValueError("format is unknown")
        if not isinstance(self.parts, tuple) or not all(isinstance(part, str) for part in self.parts):
            raise TypeError("parts must be a list of texts")
        if not set(self.parts) <= set(PERIODS) or len(set(self.parts)) != len(self.parts):
            raise ValueError("parts must be different parts of a date")


def _parts(days: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    """The parts of these days since 1970, each counted from 0."""
    seconds = np.round(np.clip(days, -_FARTHEST, _FARTHEST) * 86400).astype(np.int64)
    day = seconds // 86400
    if len(day) and np.ptp(day) < len(day):  # look up each day once
        calendar = _calendar(np.arange(day.min(), day.max() + 1))
        parts = {name: values[day - day.min()] for name, values in calendar.items()}
    else:
        parts = _calendar(day)
    return {**parts, "hour": seconds // 3600 % 24}


def _calendar(day: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Month, day of the month and weekday."""
    days = day.astype("M8[D]")
    month = days.astype("M8[M]")
    return {
        "month": month.astype(np.int64) % 12,
        "day": (days - month.astype("M8[D]")).astype(np.int64),
        "weekday": (day + 3) % 7,
    }
