from libc.stdint cimport int32_t

from cnn_core.types cimport SparseRow, real

cdef Py_ssize_t pack(const real* x, Py_ssize_t width, int32_t* columns, real* values) noexcept nogil
cdef void sparse_product(SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t k, const real* B,
                         const real* bias, real* C) noexcept nogil
cdef void cut(const SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t start, Py_ssize_t stop, const real* type_of,
              SparseRow* out) noexcept nogil
cdef void sparse_outer(SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t start, Py_ssize_t stop,
                       double alpha, const real* D, double beta, real* G) noexcept nogil
