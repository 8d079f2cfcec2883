cdef class Access:
    cdef unsigned long owner     # the thread that changes the arrays
    cdef Py_ssize_t depth        # nested changes in progress
    cdef Py_ssize_t n_readers
    cdef long n_forks            # the module's n_forks at the last look
    cdef bint left               # another thread was changing the arrays when the process was forked

    cdef bint is_others(self) noexcept
    cdef void forget(self) noexcept
    cdef int enter(self, int kind) except -1
    cdef void leave(self, int kind) noexcept
