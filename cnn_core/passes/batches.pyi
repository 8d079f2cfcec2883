"""Sources of rows, and checks of their numbers."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Dtype(IntEnum):
    UINT8 = 0
    FLOAT32 = 1
    FLOAT64 = 2
    LABEL = 3

class Source:
    def __init__(
        self,
        data: NDArray[np.uint8],
        dtype: int,
        width: int,
        shift: NDArray[np.uint8] | None = None,
        scale: NDArray[np.uint8] | None = None,
        starts: NDArray[np.int64] | None = None,
        columns: NDArray[np.int32] | None = None,
        /,
    ) -> None: ...

def first_nonfinite(values: NDArray[Any], bound: float = ...) -> int: ...
def first_nonfinite_in_rows(rows: NDArray[Any], bound: float = ...) -> int: ...
def take_labels(values: NDArray[Any], n_classes: int, labels: NDArray[np.int32]) -> bool: ...
def are_ascending(starts: NDArray[np.int64], columns: NDArray[np.int32]) -> bool: ...
