cimport cython


cdef struct Reader:
    unsigned long thread
    Reader* newer
    Reader* older
    bint inside


cdef class Access:
    cdef unsigned long owner     # the thread that changes the arrays
    cdef Py_ssize_t depth        # nested changes in progress
    cdef Py_ssize_t n_readers
    cdef Reader* newest          # of the readers inside
    cdef list line               # uses that wait, the earliest first
    cdef long n_forks            # the module's n_forks at the last look
    cdef bint left               # another thread was changing the arrays when the process was forked

    cdef void update(self) noexcept
    cdef bint is_others(self) noexcept
    cdef bint is_own(self) noexcept
    cdef void forget(self) noexcept
    cdef int enter(self, Use use) except -1
    cdef void leave(self, Use use) noexcept
    cdef void put_in(self, Reader* reader) noexcept
    cdef void take_out(self, Reader* reader) noexcept
    cdef bint enter_or_line_up(self, Use use) except -1
    cdef bint enter_in_turn(self, Use use) except -1
    cdef void give_up(self, Use use) noexcept


@cython.final
@cython.freelist(16)
@cython.no_gc_clear
cdef class Use:
    cdef Access access
    cdef int kind
    cdef bint waits
    cdef unsigned long thread    # that waits
    cdef Reader reader

    cdef int wait(self) except -1
