"""The process of one contender at one number of threads.

A thread pool gets its size when its library is loaded, and some cannot be resized
later. So every contender has its own process. The BLAS and OpenMP variables are set
before it starts, and on Linux it may use only as many processors as it has threads
(which sets the size of XLA's pool). Between repeats it waits.

The parent writes pickled messages to the standard input and reads the answers:
``("ready", task, budget)`` returns a dict, ``("repeat",)`` the seconds per unit. If
an answer is an exception, the parent raises it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def status_mb(field: str) -> float | None:
    """A line of /proc/self/status, in megabytes; None if there is no such file."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def reset_peak() -> None:
    """Return freed memory to the system, and reset the peak to what is in use now."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except (OSError, AttributeError, TypeError):
        pass  # not Linux: there is no peak to read either


class Bench:
    """A contender and its current work."""

    def __init__(self, name: str, n_threads: int) -> None:
        from .contenders import load

        self.contender = load(name)
        self.n_threads = n_threads

    def ready(self, task: Any, budget: float) -> dict[str, Any]:
        """Check the contender on a task and size its work; returns what the table needs to know."""
        from .cases import CASES, make_problem
        from .contenders import case_of
        from .timing import check, get_ready

        tiny = make_problem(CASES[0]).head(1)
        check(self.contender, tiny, self.n_threads)  # triggers late imports
        imports = status_mb("VmRSS")
        problem = task.problem()
        warm_up = check(self.contender, problem, self.n_threads)  # mostly compilation, if there is any
        self.data_mb = (problem.nbytes + task.input_bytes) / 2**20
        self.imports_mb = imports
        self.work = get_ready(self.contender, task, problem, self.n_threads, budget)
        reset_peak()
        return {
            "units": self.work.units * self.work.loops,
            "rows": self.work.units * task.case.batch_size if task.kind == "steps" else None,
            "warm_up_seconds": warm_up + self.work.warm_up_seconds,
            "stand_in": case_of(self.contender, task.case) != task.case,
        }

    def repeat(self) -> float:
        """Seconds per unit of one repeat."""
        return self.work.seconds()

    def memory(self) -> float | None:
        """Peak memory of the repeats above imports and data, in megabytes."""
        peak = status_mb("VmHWM")
        return None if peak is None or self.imports_mb is None else peak - self.imports_mb - self.data_mb


def serve(requests: BinaryIO, answers: BinaryIO, name: str, n_threads: int) -> None:
    """Answer until the parent closes the pipe."""
    bench: Bench | None = None
    while True:
        try:
            method, *arguments = pickle.load(requests)
        except EOFError:
            return
        try:
            bench = bench or Bench(name, n_threads)
            answer: object = getattr(bench, method)(*arguments)
        except Exception as error:
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def main(name: str, n_threads: int) -> None:
    """Limit the process to as many processors as threads, then serve on the standard streams."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-n_threads:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which kills this process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of a library must not get into the answers
    serve(sys.stdin.buffer, answers, name, n_threads)
