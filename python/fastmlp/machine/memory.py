"""Memory for libraries: thread stacks, BLAS buffers, the file that safetensors assembles.

Libraries fail badly when memory runs out. Without memory for a thread, OpenMP ends the process; without memory for a
buffer, OpenBLAS loops forever; safetensors aborts. So we check first whether the memory is there. In a process with
limited memory (``ulimit -v``), threads and BLAS then allocate theirs at once, before our arrays.
"""

from __future__ import annotations

import mmap
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.products.blas import take_room
from cnn_core.types import bytes_to_boundary

try:
    import resource
except ModuleNotFoundError:  # Windows has no such limits
    _resource = None
else:
    _resource = resource

BUFFER_BYTES = 40 * 2**20
"""Buffer of the BLAS for each thread that multiplies."""
STACK_BYTES = 6 * 2**20
"""Memory of a thread, not counting the stack limit of the system if there is one."""
COPIES = 4
"""Copies of a file's contents that safetensors holds at once, with a margin."""
_SIZE = 160

_own = threading.local()


def check_room(n_bytes: int, what: str) -> None:
    """Raise ``MemoryError`` if ``n_bytes`` cannot be allocated at once."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return
    try:
        mmap.mmap(-1, max(n_bytes, 1), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ).close()
    except (OSError, ValueError, OverflowError) as error:
        raise MemoryError(f"not enough memory for {what}: {n_bytes} bytes ({error})") from error


def stack_bytes() -> int:
    """Bytes that a new thread takes."""
    limit = -1 if _resource is None else _resource.getrlimit(_resource.RLIMIT_STACK)[0]
    return STACK_BYTES + (0 if _resource is None or limit == _resource.RLIM_INFINITY else limit)


def make_room(n_threads: int) -> None:
    """Allocate memory for a team of ``n_threads`` and their BLAS, or raise ``MemoryError``.

    Does nothing in a process without a memory limit.
    """
    if _resource is None:
        return
    unlimited = _resource.RLIM_INFINITY
    if _resource.getrlimit(_resource.RLIMIT_AS)[0] == unlimited or getattr(_own, "n_threads", 0) == n_threads:
        return
    n_bytes = n_threads * BUFFER_BYTES + (n_threads - 1) * stack_bytes()
    check_room(n_bytes, f"{n_threads} threads and their BLAS")
    take_room(np.zeros((n_threads, 2 * _SIZE, _SIZE)), n_threads)
    _own.n_threads = n_threads


def make_room_for_blas() -> None:
    """The same for the calling thread alone, unless it has already had a team."""
    if getattr(_own, "n_threads", 0) == 0:
        make_room(1)


def forget_room() -> None:
    """Call this in a forked child: its team of threads is gone."""
    _own.n_threads = 0


def aligned_empty(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An uninitialised vector (n,) that starts on a 64-byte boundary, for fast vector loads."""
    raw = np.empty(n * dtype.itemsize + 64, dtype=np.uint8)
    return np.ndarray(n, dtype, raw, bytes_to_boundary(raw))
