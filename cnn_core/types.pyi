"""Structs, kinds of layers, and alignment of memory."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

STRUCTS: dict[str, memoryview]
SIZES: dict[str, int]

class Kind(IntEnum):
    DENSE = 0
    ACTIVATION = 1
    DROPOUT = 2
    BATCH_NORM = 3
    LAYER_NORM = 4
    PARAMETRIC = 5
    SCALING = 6
    PIECEWISE_LINEAR = 7

def bytes_to_boundary(memory: NDArray[np.uint8]) -> int: ...
