from libc.stdint cimport int64_t

from cnn_core.types cimport real

cdef void call_custom(int64_t address, real* y, real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                      Py_ssize_t n_out, Py_ssize_t n_target) noexcept nogil
cdef void call_with_gradient(int64_t address, real* gradient, Py_ssize_t n_params) noexcept nogil
