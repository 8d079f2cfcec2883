from cnn_core.passes.batches cimport Source
from cnn_core.passes.gradient cimport Job

cdef class Pass:
    cdef Job job
    cdef void* params
    cdef void* work
    cdef Py_ssize_t n_params
    cdef char letter         # of the network's type in the buffer protocol
    cdef bint double_precision
    cdef bint read_only      # params
    cdef int n_threads
    cdef tuple kept          # all that it was given, to keep alive what the pointers name

    cdef Job job_of(self, Source X, Source y, const double[::1] weights) noexcept
    cdef void* numbers(self, object array, Py_ssize_t least) except? NULL
