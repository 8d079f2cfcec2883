"""Access to a network's arrays: any number of readers, or one thread that changes them.

A caller that would see half-updated arrays gets ``RuntimeError``, or waits in line if it asks for that. No other module
of the core knows that there may be several callers.

In line, a reader goes as soon as nobody changes the arrays and no earlier caller waits to change them; who wants to
change them goes when all earlier callers are done. So neither starves. A thread that is inside already never waits for
itself. There is no lock that a forked child could inherit: who waits looks again every few milliseconds.

`__enter__` and `__exit__` check and record in one atomic step: no signal handler and no other thread can run in
between. So, when Ctrl-C arrives in a `with` statement, its use either has not begun, or is recorded and will be
released. A child process has only the thread that forked it, so uses by other threads end there.
"""
import time

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport PyThread_get_thread_ident

cdef double SHORTEST_PAUSE = 5e-5   # seconds between two looks; it doubles each time, up to the longest
cdef double LONGEST_PAUSE = 2e-3

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

    def __cinit__(self):
        self.line = []

    @property
    def reading(self):
        """Any number at once; allowed inside the same thread's changes."""
        return new_use(self, READ, False)

    @property
    def changing(self):
        """Exclusive; allowed inside the same thread's training."""
        return new_use(self, CHANGE, False)

    @property
    def training(self):
        """Exclusive."""
        return new_use(self, TRAIN, False)

    def to_read(self, bint waits):
        """As `reading`; ``waits``: wait in line where that raises."""
        return new_use(self, READ, waits)

    def to_train(self, bint waits):
        """As `training`; ``waits``: wait in line where that raises, except inside a use by the same thread."""
        return new_use(self, TRAIN, waits)

    def was_left(self):
        """Whether another thread was changing the network when this process was forked; true at most once."""
        cdef bint left = self.left
        self.left = False
        return left

    def n_waiting(self):
        """Number of callers in line."""
        with cython.critical_section(self):
            self.update()
            n = len(self.line)
        return n

    cdef void update(self) noexcept:
        """Notice a fork."""
        if self.n_forks != n_forks:
            self.forget()

    cdef bint is_others(self) noexcept:
        """Whether another thread is changing the arrays."""
        if self.n_forks != n_forks:
            self.forget()
        return self.depth > 0 and self.owner != <unsigned long> PyThread_get_thread_ident()

    cdef bint is_own(self) noexcept:
        """Whether this thread is inside a use."""
        cdef unsigned long own = PyThread_get_thread_ident()
        cdef Reader* reader = self.newest
        while reader is not NULL and reader.thread != own:
            reader = reader.older
        return reader is not NULL or (self.depth > 0 and self.owner == own)

    cdef void forget(self) noexcept:
        """After a fork, drop the uses by threads that no longer exist."""
        cdef long i
        self.n_readers = 0
        while self.newest is not NULL:
            self.take_out(self.newest)
        for i in range(self.n_forks, n_forks):
            if <unsigned long> survivors[i] != self.owner:
                self.left = self.left or self.depth > 0
                self.depth = 0
            self.line = [use for use in self.line if (<Use> use).thread == <unsigned long> survivors[i]]
        self.n_forks = n_forks

    cdef int enter(self, Use use) except -1:
        if self.is_others():
            raise RuntimeError(_TRAINED)
        if use.kind == READ:
            self.n_readers += 1
            self.put_in(&use.reader)
            return 0
        if self.depth > 0 and use.kind == TRAIN:
            raise RuntimeError(_NESTED)
        if self.depth == 0 and self.n_readers > 0:
            raise RuntimeError(_READ)
        self.owner = PyThread_get_thread_ident()
        self.depth += 1
        return 0

    cdef void leave(self, Use use) noexcept:
        if self.n_forks != n_forks:
            self.forget()
        if use.kind == READ:
            self.n_readers = max(self.n_readers - 1, 0)
            self.take_out(&use.reader)
        else:
            self.depth = max(self.depth - 1, 0)

    cdef void put_in(self, Reader* reader) noexcept:
        """Add a reader to the list of those inside."""
        reader.thread, reader.inside = PyThread_get_thread_ident(), True
        reader.newer, reader.older = NULL, self.newest
        if self.newest is not NULL:
            self.newest.newer = reader
        self.newest = reader

    cdef void take_out(self, Reader* reader) noexcept:
        """Take a reader from the list, unless a fork has emptied it."""
        if not reader.inside:
            return
        reader.inside = False
        if reader.newer is NULL:
            self.newest = reader.older
        else:
            reader.newer.older = reader.older
        if reader.older is not NULL:
            reader.older.newer = reader.newer

    cdef bint enter_or_line_up(self, Use use) except -1:
        """Enter if this is possible at once, or if this thread is inside already; else stand in line."""
        self.update()
        if self.is_own():
            self.enter(use)  # may raise, as without waiting
            return True
        use.thread = PyThread_get_thread_ident()
        self.line.append(use)
        return self.enter_in_turn(use)

    cdef bint enter_in_turn(self, Use use) except -1:
        """Enter and leave the line, if it is this caller's turn and the arrays are free; whether it has."""
        cdef Use other
        if self.is_others() or (use.kind != READ and self.n_readers > 0):
            return False
        for other in self.line:
            if other is use:
                break
            if use.kind != READ or other.kind != READ:
                return False
        self.line.remove(use)
        self.enter(use)
        return True

    cdef void give_up(self, Use use) noexcept:
        """Leave the line without having entered."""
        self.update()
        if use in self.line:
            self.line.remove(use)


cdef class Use:
    """One use, for the length of a `with` statement."""

    def __enter__(self):
        if self.waits:
            self.wait()
            return
        with cython.critical_section(self.access):
            self.access.enter(self)

    def __dealloc__(self):
        if self.reader.inside:  # left without a `with` statement
            self.access.leave(self)

    def __exit__(self, kind, error, trace):
        with cython.critical_section(self.access):
            self.access.leave(self)

    cdef int wait(self) except -1:
        """Enter in turn; Ctrl-C ends the wait."""
        cdef bint inside = False
        cdef double pause = SHORTEST_PAUSE
        with cython.critical_section(self.access):
            inside = self.access.enter_or_line_up(self)
        try:
            while not inside:
                time.sleep(pause)
                PyErr_CheckSignals()  # a signal may have come between two pauses
                pause = min(2 * pause, LONGEST_PAUSE)
                with cython.critical_section(self.access):
                    inside = self.access.enter_in_turn(self)
        except BaseException:
            with cython.critical_section(self.access):
                self.access.give_up(self)
            raise
        return 0


cdef Use new_use(Access access, int kind, bint waits):
    cdef Use use = Use.__new__(Use)
    use.access, use.kind, use.waits = access, kind, waits
    return use
