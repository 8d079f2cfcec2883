"""Gathering of rows."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Dtype(IntEnum):
    UINT8 = 0
    FLOAT32 = 1
    FLOAT64 = 2
    LABEL = 3

def first_nonfinite(values: NDArray[Any]) -> int: ...
