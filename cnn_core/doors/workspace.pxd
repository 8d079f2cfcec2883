from cnn_core.passes.batches cimport Source
from cnn_core.passes.tiles cimport Job

# What the threads of a door need of a pass: plain pointers and numbers, for use without the GIL.
cdef struct Call:
    Job job
    void* params             # (n_params,) of the network's type
    void* work
    Py_ssize_t n_params
    bint double_precision
    int n_threads

cdef class Pass:
    cdef Call call           # without samples
    cdef char letter         # code of the network's type in the buffer protocol
    cdef bint read_only      # whether params is
    cdef tuple kept          # all arguments, to keep alive what the pointers point to

    cdef Call with_samples(self, Source X, Source y, const double[::1] weights) noexcept
    cdef void* numbers(self, object array, Py_ssize_t least) except? NULL
