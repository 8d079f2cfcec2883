from cnn_core.types cimport real

cdef void gaussian(const real* y, const real* t, const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                   Py_ssize_t n_target, double beta) noexcept nogil
