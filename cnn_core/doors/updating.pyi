"""Updates by a gradient that the caller passes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def apply_gradient(
    params: NDArray[Any],
    groups: NDArray[np.uint8],
    step: NDArray[np.uint8],
    rule: int,
    nesterov: bool,
    gradient: NDArray[Any],
    state: NDArray[Any] | None = None,
) -> None: ...
