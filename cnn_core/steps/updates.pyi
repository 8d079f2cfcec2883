"""Update rules."""

from enum import IntEnum

class Update(IntEnum):
    SGD = 0
    RMSPROP = 1
    ADAGRAD = 2
    ADAM = 3
    ADAMW = 4
    NADAM = 5
    RPROP = 6
    RPROP_PLUS = 7
