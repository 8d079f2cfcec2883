from cnn_core.passes.batches cimport Samples
from cnn_core.types cimport Net, Step, real

cdef bint is_tiny(const Net* net, const Samples* samples, Py_ssize_t batch_size) noexcept nogil
cdef double tiny_steps(const Net* net, const Samples* samples, const Step* steps, Py_ssize_t step_stride,
                       Py_ssize_t first_row, Py_ssize_t stop, Py_ssize_t batch_size, real* params) noexcept nogil
