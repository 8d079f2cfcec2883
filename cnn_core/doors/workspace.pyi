"""A pass over samples in the form that the doors take."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOSS: int
CORRECT: int

def partials_width(widest: int) -> int: ...
def list_bytes(capacity: int, n_threads: int, n_columns: int) -> int: ...

class Pass:
    def __init__(
        self,
        plan: dict[str, Any],
        layers: NDArray[np.uint8],
        params: NDArray[Any],
        statistics: NDArray[np.float64],
        constants: NDArray[np.float64],
        work: NDArray[Any],
        partials: NDArray[np.float64],
        sparse: NDArray[np.uint8] | None,
        n_threads: int,
        /,
    ) -> None: ...
