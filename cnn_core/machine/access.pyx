"""Access to a network's arrays: any number of readers, or one thread that changes them.

Nothing waits here: a caller that would see half-updated arrays gets ``RuntimeError``. No other module of the core knows
that there may be several callers.

`__enter__` and `__exit__` check and record in one atomic step: no signal handler and no other thread can run in
between. So, when Ctrl-C arrives in a `with` statement, its use either has not begun, or is recorded and will be
released. A child process has only the thread that forked it, so uses by other threads end there.
"""
cimport cython
from cpython.pythread cimport PyThread_get_thread_ident

cdef enum:
    READ            # predict, evaluate, gradients, a copy
    CHANGE          # an assignment; allowed inside the same thread's training
    TRAIN           # not allowed inside the same thread's training

_TRAINED = (
    "another thread is training this network, and this call would see half-updated arrays; wait for that fit to end, "
    "or give each thread its own network, made by net.copy() beforehand"
)
_NESTED = (
    "this network is already being trained, by the fit that made this call (through a callback, metric, loss or data "
    "source); train another network, made by net.copy()"
)
_READ = (
    "another call is still reading this network (predict, evaluate, a gradient, a copy) and would see half-updated "
    "arrays; wait for it to return, or change another network, made by net.copy()"
)

cdef long n_forks = 0        # since this module was imported, in this process and its parents
cdef list survivors = []     # for each of these forks, the thread that made it


def forked():
    """Call this in a child process, in which only the calling thread is left."""
    global n_forks
    survivors.append(PyThread_get_thread_ident())
    n_forks += 1


cdef class Access:
    """Access to one network. Use `reading`, `changing` and `training` in `with` statements."""

    @property
    def reading(self):
        """Any number at once; allowed inside the same thread's changes."""
        return new_use(self, READ)

    @property
    def changing(self):
        """Exclusive; allowed inside the same thread's training."""
        return new_use(self, CHANGE)

    @property
    def training(self):
        """Exclusive."""
        return new_use(self, TRAIN)

    def was_left(self):
        """Whether another thread was changing the network when this process was forked; true at most once."""
        cdef bint left = self.left
        self.left = False
        return left

    cdef bint is_others(self) noexcept:
        """Whether another thread is changing the arrays."""
        if self.n_forks != n_forks:
            self.forget()
        return self.depth > 0 and self.owner != <unsigned long> PyThread_get_thread_ident()

    cdef void forget(self) noexcept:
        """After a fork, drop the uses by threads that no longer exist."""
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
    """One use, for the length of a `with` statement."""

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
