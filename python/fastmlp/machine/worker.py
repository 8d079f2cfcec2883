"""A thread that does one thing after another for a fit.

`concurrent.futures` has such threads too, but the interpreter waits for theirs at its end: after Ctrl-C a source of
chunks that hangs would hold it for good. This one is a daemon, which ends with the program.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from fastmlp.machine.memory import check_room, stack_bytes

T = TypeVar("T")


class Worker(Generic[T]):
    """What is submitted is done in turn by a thread of the given name, which begins with the first of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """The result to come; ``MemoryError`` where the system has no room for a thread."""
        if self._thread is None:
            check_room(stack_bytes(), "a thread that reads ahead")  # Python would wait for one that can't begin
            thread = Thread(target=work, args=(self._calls,), name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                raise MemoryError(f"no thread could be started to read ahead ({error})") from error
            self._thread = thread
        future: Future[T] = Future()
        self._calls.put((function, future))
        return future

    def result(self, future: Future[T]) -> T:
        """What was submitted, when it is done; ``RuntimeError`` in a process forked since, where nobody does it."""
        if not future.done() and self._thread is not None and not self._thread.is_alive():
            raise RuntimeError("a fit of Chunks can't go on in a process that was forked within it")
        return future.result()

    def close(self, wait: bool) -> None:
        """End the thread behind what it is at; ``wait`` for that."""
        self._calls.put(None)
        if wait and self._thread is not None:
            self._thread.join()


def work(calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]) -> None:
    """Do what comes until None comes."""
    call = calls.get()
    while call is not None:
        function, future = call
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)
        del function, future, call  # a result isn't held until the next one
        call = calls.get()
