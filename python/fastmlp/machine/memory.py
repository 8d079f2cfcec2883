"""Memory for others: the stacks of threads, the buffers of the BLAS, what safetensors puts together.

None of these fails well. Where a thread can't be had, OpenMP ends the process; where a buffer can't be had, OpenBLAS
looks for one for ever; safetensors aborts. So it is asked first whether there is room. In a process whose memory is
limited (``ulimit -v``), threads and BLAS then take theirs at once, before any array of ours does.
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
except ModuleNotFoundError:  # Windows knows no such limits
    _resource = None
else:
    _resource = resource

BUFFER_BYTES = 40 * 2**20
"""Of a BLAS, for each thread that multiplies."""
STACK_BYTES = 6 * 2**20
"""Of a thread, where the system sets no limit; and what else it takes."""
COPIES = 4
"""Of a file's content that safetensors holds at once, with some to spare."""
_SIZE = 160

_own = threading.local()


def check_room(n_bytes: int, what: str) -> None:
    """``MemoryError`` if so many bytes can't be had at once."""
    if not hasattr(mmap, "MAP_PRIVATE"):
        return
    try:
        mmap.mmap(-1, max(n_bytes, 1), flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ).close()
    except (OSError, ValueError, OverflowError) as error:
        raise MemoryError(f"no room for {what}: {n_bytes} bytes ({error})") from error


def stack_bytes() -> int:
    """What a new thread takes."""
    limit = -1 if _resource is None else _resource.getrlimit(_resource.RLIMIT_STACK)[0]
    return STACK_BYTES + (0 if _resource is None or limit == _resource.RLIM_INFINITY else limit)


def make_room(n_threads: int) -> None:
    """``MemoryError`` if this thread couldn't have a team of so many; nothing where memory has no limit."""
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
    """The same for the calling thread alone, unless it has had a team already."""
    if getattr(_own, "n_threads", 0) == 0:
        make_room(1)


def forget_room() -> None:
    """In a child process: its team is gone."""
    _own.n_threads = 0


def aligned_empty(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """A vector that begins on a 64-byte boundary, as vector loads like it."""
    raw = np.empty(n * dtype.itemsize + 64, dtype=np.uint8)
    return np.ndarray(n, dtype, raw, bytes_to_boundary(raw))
