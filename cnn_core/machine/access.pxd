cdef class Access:
    cdef unsigned long owner     # of the changes; a thread's number
    cdef Py_ssize_t depth        # changes under way, one inside another
    cdef Py_ssize_t n_readers
    cdef long n_forks            # when this was last looked at
    cdef bint left               # by a thread that was at it when the process was forked

    cdef bint is_others(self) noexcept
    cdef void forget(self) noexcept
    cdef int enter(self, int kind) except -1
    cdef void leave(self, int kind) noexcept
