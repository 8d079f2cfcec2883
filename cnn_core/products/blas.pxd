from libc.stdint cimport int64_t

from cnn_core.types cimport real

cdef void gemm(char* trans_a, char* trans_b, int64_t m, int64_t n, int64_t k, real alpha, const real* A, int64_t lda,
               const real* B, int64_t ldb, real beta, real* C, int64_t ldc) noexcept nogil
cdef void gemv(char* trans_b, int64_t n, int64_t k, real alpha, const real* x, const real* B, real beta,
               real* y) noexcept nogil
cdef void syrk(int64_t n, int64_t k, const double* A, int64_t lda, double* C, int64_t ldc) noexcept nogil
