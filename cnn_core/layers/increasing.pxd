from cnn_core.types cimport real

cdef void increase(real* y, Py_ssize_t n_groups, Py_ssize_t size) noexcept nogil
cdef void through_increase(real* delta, const real* z, Py_ssize_t n_groups, Py_ssize_t size) noexcept nogil
