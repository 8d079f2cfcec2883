"""A thread that runs one call after another for a fit.

`concurrent.futures` has such threads too, but the interpreter waits for them when it exits: after Ctrl-C, a source of
chunks that hangs would block it forever. This thread is a daemon, which ends with the program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from fastmlp.machine.memory import check_room, stack_bytes

T = TypeVar("T")


class Worker(Generic[T]):
    """Runs submitted calls in order, in a thread that starts with the first of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Queue a call and return the future of its result; ``MemoryError`` without memory for a thread."""
        if self._thread is None:
            # Without memory for it, Python would wait forever for the thread to start.
            check_room(stack_bytes(), "a thread that reads ahead")
            thread = Thread(target=work, args=(self._calls,), name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise MemoryError(f"could not start a thread to read ahead ({error})") from error
            self._thread = thread
        future: Future[T] = Future()
        self._calls.put((function, future))
        return future

    def result(self, future: Future[T]) -> T:
        """Wait for a result; ``RuntimeError`` in a process forked since then, where the thread does not exist."""
        if not future.done() and self._thread is not None and not self._thread.is_alive():
            raise RuntimeError("a fit of Chunks cannot go on in a process that was forked during the fit")
        return future.result()

    def close(self, wait: bool) -> None:
        """End the thread after the calls queued so far; ``wait``: return only then."""
        self._calls.put(None)
        if wait and self._thread is not None:
            self._thread.join()


def work(calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    """Run calls until None arrives; end a process that a call has forked, where nobody would send another."""
    process, call = os.getpid(), calls.get()
    while call is not None:
        function, future = call
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)
        if os.getpid() != process:
            print("a source of Chunks that forks must end the child itself, which has no fit", file=sys.stderr)
            os._exit(1)
        del function, future, call  # so that the result is not kept alive until the next call
        call = calls.get()
