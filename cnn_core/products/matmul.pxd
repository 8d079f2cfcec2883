from cnn_core.types cimport real

cdef int LEVEL      # the processor's: 4 has AVX-512, 3 AVX2, 0 neither

cdef void tiny_product(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
                       Py_ssize_t depth_step, const real* B, real beta, const real* D, Py_ssize_t d_step,
                       real* C) noexcept nogil
cdef void product(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B, const real* bias,
                  real* C) noexcept nogil
cdef void product_with_transposed_left(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const real* A,
                                       Py_ssize_t a_step, const real* B, double beta, real* C) noexcept nogil
cdef void product_with_transposed_right(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B,
                                        real* C) noexcept nogil
