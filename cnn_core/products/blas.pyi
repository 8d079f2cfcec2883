"""Calls into the BLAS; Python uses only `take_room`."""

import numpy as np
from numpy.typing import NDArray

def take_room(scratch: NDArray[np.float64], n_threads: int) -> None: ...
