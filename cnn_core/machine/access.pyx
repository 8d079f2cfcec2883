"""Who is at a network's arrays: any number of readers, or one thread that changes them.

Nobody waits here. Who comes at the wrong time is refused with ``RuntimeError``, as what it would read or write is torn.
Threads are asked for their numbers only here; no other module of the core knows that there may be several callers.

The checks and notes of `__enter__` and `__exit__` are single steps to Python: no signal handler and no other thread
gets its turn within them. So, in a `with` statement, Ctrl-C finds a use either noted and taken back at the end, or not
begun. A child process has only the thread that forked it; what others were at in the parent is forgotten there.
"""
cimport cython
from cpython.pythread cimport PyThread_get_thread_ident

cdef enum:
    READ            # predict, evaluate, gradients, a copy
    CHANGE          # an assignment; inside its own training too
    TRAIN           # not inside its own training

_TRAINED = (
    "another thread is training this network, and what this call would read or change is half written; wait for that "
    "fit to end, or give each thread a network of its own, made by net.copy() before"
)
_NESTED = (
    "this network is being trained already, by the fit that this call came from (a callback, a metric, a loss or a "
    "source of it); train another one, made by net.copy()"
)
_READ = (
    "a call that reads this network has not returned yet (predict, evaluate, a gradient, a copy), and it would read "
    "what is half written; wait for it, or change another network, made by net.copy()"
)

cdef long n_forks = 0        # between the process that imported this and this one
cdef list survivors = []     # numbers of the threads that forked them


def forked():
    """To be called in a child process: of all threads only this one is left."""
    global n_forks
    survivors.append(PyThread_get_thread_ident())
    n_forks += 1


cdef class Access:
    """Of one network. `reading`, `changing` and `training` are for `with` statements."""

    @property
    def reading(self):
        """Any number at once, and inside what the same thread changes."""
        return new_use(self, READ)

    @property
    def changing(self):
        """Alone, or inside the same thread's training."""
        return new_use(self, CHANGE)

    @property
    def training(self):
        """Alone."""
        return new_use(self, TRAIN)

    def was_left(self):
        """Whether a thread was changing the network when this process was forked from its own; asked once."""
        cdef bint left = self.left
        self.left = False
        return left

    cdef bint is_others(self) noexcept:
        """Whether another thread changes the arrays."""
        if self.n_forks != n_forks:
            self.forget()
        return self.depth > 0 and self.owner != <unsigned long> PyThread_get_thread_ident()

    cdef void forget(self) noexcept:
        """In a child process, those who are there no more."""
        cdef long i
        self.n_readers = 0
        for i in range(self.n_forks, n_forks):
            if <unsigned long> survivors[i] != self.owner:
                self.left = self.left or self.depth > 0
                self.depth = 0
        self.n_forks = n_forks

    cdef int enter(self, int kind) except -1:
        if self.is_others():
            raise RuntimeError(_TRAINED)
        if kind == READ:
            self.n_readers += 1
            return 0
        if self.depth > 0 and kind == TRAIN:
            raise RuntimeError(_NESTED)
        if self.depth == 0 and self.n_readers > 0:
            raise RuntimeError(_READ)
        self.owner = PyThread_get_thread_ident()
        self.depth += 1
        return 0

    cdef void leave(self, int kind) noexcept:
        if self.n_forks != n_forks:
            self.forget()
        if kind == READ:
            self.n_readers = max(self.n_readers - 1, 0)
        else:
            self.depth = max(self.depth - 1, 0)


@cython.final
@cython.freelist(16)
cdef class Use:
    """One use, from the beginning to the end of a `with` statement."""

    cdef Access access
    cdef int kind

    def __enter__(self):
        with cython.critical_section(self.access):
            self.access.enter(self.kind)

    def __exit__(self, kind, error, trace):
        with cython.critical_section(self.access):
            self.access.leave(self.kind)


cdef Use new_use(Access access, int kind):
    cdef Use use = Use.__new__(Use)
    use.access, use.kind = access, kind
    return use
