"""How many threads a pass gets, and the BLAS limited to one thread in each.

SciPy's BLAS has its own thread pool, whose size is global to the process. It is set to 1 while any pass runs, in any
thread, and restored when the last one ends.
"""

from __future__ import annotations

import os
import re
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from cnn_core.machine import access, team
from cnn_core.machine.team import has_threads, may_have_team
from fastmlp.checks.values import check_size
from fastmlp.machine.memory import forget_room, make_room, make_room_for_blas

FLOPS_PER_THREAD = 10_000_000
"""A thread pays off from about this much work per step, a tenth of a millisecond: waiting for the others costs a few
microseconds on an idle machine, and a time slice on a busy one."""


def available_threads() -> int:
    """Processors that this process may use; 1 in a build without OpenMP."""
    if not has_threads():
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Team:
    """What is known of the teams of this process."""

    used = False
    """A team has run in this process, or in one that it was forked from."""
    own = threading.local()
    """``.size``: of the calling thread's last team, whose threads OpenMP keeps for the next one."""


def choose_threads(n_threads: int | None, flops_per_row: int, n_rows: int) -> int:
    """The number of threads that the caller asked for, or as many as pay off for the work of ``n_rows`` rows.

    1 in a build without OpenMP, in a process forked from one that has used several threads, and inside another
    library's OpenMP team; fewer, with a ``RuntimeWarning``, if the system starts no more. Raises ``MemoryError`` if
    there is not enough memory for them.
    """
    if n_threads is not None:
        chosen = min(check_size("n_threads", n_threads, 1024), n_rows)
    else:
        worth = flops_per_row * n_rows // FLOPS_PER_THREAD
        chosen = min(worth, available_threads()) if worth > 1 else 1
    if chosen == 1 or not may_have_team():
        return 1
    chosen = startable_team(chosen)
    if chosen > 1:
        _Team.used = True
        make_room(chosen)
    return chosen


def startable_team(size: int) -> int:
    """The size, or less if the system does not start so many threads, where OpenMP would end the process."""
    had = 1 if team.inside_team() else getattr(_Team.own, "size", 1)
    possible = size
    if size > had:
        before = _count_tasks()
        possible = had + team.startable(size - had, openmp_stack(os.environ))
        for _ in range(100):  # a thread that has ended may still count for a moment
            if _count_tasks() <= before:
                break
            time.sleep(0.001)
    _Team.own.size = possible
    if possible < size:
        warnings.warn(
            f"the system starts only {possible} of {size} threads, so {possible} will do the work; the limit is that "
            "of processes (ulimit -u, or a container's pids) or of memory",
            RuntimeWarning,
            stacklevel=3,
        )
    return possible


def _count_tasks() -> int:
    """Threads of this process that the system counts; 0 where it does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def openmp_stack(environment: Mapping[str, str]) -> int:
    """Bytes of the stack that these environment variables give to OpenMP's threads; 0 for the system's default.

    >>> openmp_stack({"OMP_STACKSIZE": "16M"}), openmp_stack({"OMP_STACKSIZE": "512"}), openmp_stack({})
    (16777216, 524288, 0)
    """
    text = environment.get("OMP_STACKSIZE") or environment.get("GOMP_STACKSIZE", "")
    match = re.fullmatch(r"\s*(\d{1,15})\s*([bkmg]?)\s*", text.lower())
    return 0 if match is None else min(int(match[1]) << {"b": 0, "k": 10, "": 10, "m": 20, "g": 30}[match[2]], 2**62)


class _SingleThreadedBlas:
    """A context in which SciPy's BLAS uses one thread. Contexts may nest, and overlap in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._own = threading.local()  # .depth: contexts entered by this thread
        self._controller: Any = None
        self._limit: Any = None

    def forked(self) -> None:
        """Call this in a forked child: only the thread that forked can still be inside."""
        self._lock = threading.Lock()
        self._depth = getattr(self._own, "depth", 0)

    def __enter__(self) -> None:
        make_room_for_blas()
        with self._lock:
            if self._depth == 0:
                if self._controller is None:
                    from threadpoolctl import ThreadpoolController

                    self._controller = ThreadpoolController().select(user_api="blas")
                if self._limit is None:
                    self._limit = self._controller.limit(limits=1)
            self._depth += 1
            self._own.depth = getattr(self._own, "depth", 0) + 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._depth -= 1
            self._own.depth -= 1
            if self._depth == 0:
                self._limit.restore_original_limits()
                self._limit = None


single_threaded_blas = _SingleThreadedBlas()


def _after_fork() -> None:
    """Reset a forked child: other threads inside the context or a network are gone, and so is the team."""
    access.forked()
    team.forked(_Team.used)
    forget_room()
    single_threaded_blas.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

BLAS_SMALL = 500_000
"""Operations below which no BLAS uses a second thread for a product."""


def single_threaded_blas_for(flops: int) -> AbstractContextManager[None]:
    """`single_threaded_blas`, or an empty context if all products together are too small to need it."""
    return single_threaded_blas if flops > BLAS_SMALL else nullcontext()
