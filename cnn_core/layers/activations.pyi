"""Activation functions: codes, values and derivatives."""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Activation(IntEnum):
    IDENTITY = 0
    SIGMOID = 1
    TANH = 2
    RELU = 3
    LEAKY_RELU = 4
    ELU = 5
    SELU = 6
    SOFTPLUS = 7
    SILU = 8
    GELU = 9
    MISH = 10
    SOFTMAX = 11
    EXP = 12
    INCREASING = 13

def evaluate(code: int, values: NDArray[np.float64], slope: float) -> None: ...
def derivative(code: int, scores: NDArray[np.float64], out: NDArray[np.float64], slope: float) -> None: ...
