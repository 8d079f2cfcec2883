from cnn_core.types cimport real

cdef void cross_entropy(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                        Py_ssize_t n_out, real smoothing) noexcept nogil
cdef void binary_cross_entropy(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                               Py_ssize_t n_out, real smoothing) noexcept nogil
