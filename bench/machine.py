"""The machine that figures were measured on: processor, cores, versions, and the speed of a matrix product."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

LIBRARIES = ("fastmlp", "numpy", "scipy", "scikit-learn", "torch", "jax", "jaxlib")
SGEMM_SIZE = 1536


def processor() -> str:
    """Name of the processor, as far as the system knows it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def n_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def installed_version(library: str) -> str | None:
    """Version of a library; None if it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def describe() -> dict[str, object]:
    """Describe machine and software, ready for JSON."""
    return {
        "processor": processor(),
        "cores": n_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: installed_version(name) for name in LIBRARIES},
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "blas": [
            {key: info.get(key) for key in ("internal_api", "version", "architecture")}
            for info in threadpool_info()
            if info.get("user_api") == "blas"
        ],
    }


class Sgemm:
    """The sgemm peak: the best speed of a large square float32 product on ``n_threads`` BLAS threads.

    >>> sgemm = Sgemm(1)
    >>> sgemm.repeat()
    >>> sgemm.gflops > 0.1
    True
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.seconds: list[float] = []
        self._matrices = [np.ones((SGEMM_SIZE, SGEMM_SIZE), np.float32) for _ in range(3)]

    def repeat(self) -> None:
        """Time one product, after another that wakes the threads."""
        A, B, C = self._matrices
        with threadpool_limits(self.n_threads, user_api="blas"):
            np.dot(A[:256], B, out=C[:256])
            start = perf_counter()
            np.dot(A, B, out=C)
            self.seconds.append(perf_counter() - start)

    @property
    def gflops(self) -> float:
        """10^9 operations per second."""
        return 2e-9 * SGEMM_SIZE**3 / min(self.seconds)
