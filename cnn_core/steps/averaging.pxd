from cnn_core.types cimport real

cdef void move_average(Py_ssize_t n, const real* values, real* average, double share) noexcept nogil
