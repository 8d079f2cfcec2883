"""Time all contenders on one row.

Every contender has its own process for each number of threads (see worker.py).
Once all are warm, repeats are interleaved, one of each in turn, so that a noisy
moment of the machine hits all of them. The sgemm peak is measured in the same
way. Only one process works at a time; the others wait.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .contenders import load
from .machine import Sgemm
from .tasks import Task
from .worker import VARIABLES

# Not with -m, which would look for packages in the current folder: that may be a source tree.
START = "import sys; sys.path[:] = [p for p in sys.path if p]; from fastmlp.bench.worker import main; main({!r}, {})"


class Worker:
    """The parent's handle on the process of a contender."""

    def __init__(self, contender: str, n_threads: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", START.format(contender, n_threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(VARIABLES, str(n_threads))},
        )

    def ask(self, *message: object) -> Any:
        """Send a message and wait for the answer; an exception of the process is raised here."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            pickle.dump(message, self.process.stdin)
            self.process.stdin.flush()
            answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise RuntimeError(f"the process of a contender ended with exit code {self.process.wait()}") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.communicate()


@dataclass
class Entry:
    """One contender at one number of threads on one row."""

    contender: str
    n_threads: int
    units: int
    rows: int | None
    warm_up_seconds: float
    stand_in: bool = False
    seconds: list[float] = field(default_factory=list)
    memory_mb: float | None = None

    @property
    def title(self) -> str:
        """The heading of its column."""
        return load(self.contender).TITLE

    @property
    def spent(self) -> float:
        """Seconds spent in all repeats."""
        return sum(self.seconds) * self.units

    def quantile(self, q: float) -> float:
        """Quantile over the repeats, in microseconds per unit."""
        return float(np.quantile(self.seconds, q)) * 1e6


@dataclass(frozen=True)
class Result:
    """The times of all contenders on one row, the sgemm peak measured with them, and why others are missing."""

    task: Task
    gflops: dict[int, float]
    entries: tuple[Entry, ...]
    reasons: dict[str, str] = field(default_factory=dict)

    def best(self, contender: str) -> Entry | None:
        """The contender at its best number of threads; None if it is missing."""
        entries = [entry for entry in self.entries if entry.contender == contender]
        return min(entries, key=lambda entry: entry.quantile(0.5), default=None)

    def limit(self, n_threads: int) -> float | None:
        """Microseconds that the matrix products of a unit take at the sgemm peak."""
        return None if self.task.flop is None else self.task.flop / self.gflops[n_threads] * 1e-3

    def share(self, entry: Entry) -> float | None:
        """Speed of the matrix products relative to the sgemm peak at the same number of threads."""
        limit = self.limit(entry.n_threads)
        return None if limit is None else limit / entry.quantile(0.5)


def measure(
    task: Task, names: Sequence[str], threads: Sequence[int] = (1,), repeats: int = 7, budget: float = 0.2
) -> Result:
    """Time contenders on a row.

    ``budget`` is the time of one repeat in seconds. A contender whose single unit takes
    longer is repeated until ``repeats * budget`` seconds are spent, at least once.
    Raises ``timing.DisagreementError`` if a contender computes something else.
    """
    reasons: dict[str, str] = {}
    pairs: list[tuple[Worker, Entry]] = []
    workers: list[Worker] = []
    peaks = {n: Sgemm(n) for n in threads}
    try:
        for name in names:
            contender = load(name)
            reason = task.reason_against(name, hasattr(contender, "prepare_predict"))
            if reason:
                reasons[name] = reason
                continue
            for n in threads if contender.PARALLEL else threads[:1]:
                workers.append(Worker(name, n))
                pairs.append((workers[-1], Entry(name, n, **workers[-1].ask("ready", task, budget))))
        for _ in range(repeats):
            for peak in peaks.values():
                peak.repeat()
            for worker, entry in pairs:
                if not entry.seconds or entry.spent < repeats * budget:
                    entry.seconds.append(worker.ask("repeat"))
        for worker, entry in pairs:
            entry.memory_mb = worker.ask("memory")
    finally:
        for worker in workers:
            worker.close()
    return Result(task, {n: peak.gflops for n, peak in peaks.items()}, tuple(e for _, e in pairs), reasons)
