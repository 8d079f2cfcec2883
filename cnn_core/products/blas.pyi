"""The way to the BLAS; all but `take_room` is for the core alone."""

import numpy as np
from numpy.typing import NDArray

def take_room(scratch: NDArray[np.float64], n_threads: int) -> None: ...
