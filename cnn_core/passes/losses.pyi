"""Loss codes."""

from enum import IntEnum

class Loss(IntEnum):
    SQUARED_ERROR = 0
    MSE = 1
    ABSOLUTE_ERROR = 2
    HUBER = 3
    QUANTILE = 4
    POISSON = 5
    CROSS_ENTROPY = 6
    BINARY_CROSS_ENTROPY = 7
    CUSTOM = 8
    GAUSSIAN = 9
