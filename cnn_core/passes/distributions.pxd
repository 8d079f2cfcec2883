from cnn_core.types cimport real

cdef void gaussian(const real* y, const real* t, const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                   Py_ssize_t n_target, double beta) noexcept nogil
cdef void quantiles(const real* y, const real* t, const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                    Py_ssize_t n_target, Py_ssize_t n_levels, const double* levels) noexcept nogil
