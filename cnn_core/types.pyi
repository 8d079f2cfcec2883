"""Kinds of layers."""

from enum import IntEnum

class Kind(IntEnum):
    DENSE = 0
    ACTIVATION = 1
    DROPOUT = 2
    BATCH_NORM = 3
    LAYER_NORM = 4
