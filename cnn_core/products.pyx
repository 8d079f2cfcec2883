"""The three matrix products of a dense layer, each by the way that is quickest for its size.

Tiny ones are plain loops: a call costs more than they do. Where the processor has AVX2 or AVX-512, the kernels of
products.h do most of what dense layers need: the two products that read B along its rows without packing, the one that
reads it across with a stretch of B laid out anew at a time. The rest is the BLAS.
"""
from cnn_core.blas cimport gemm
from cnn_core.types cimport real

cdef extern from "products.h" nogil:
    int products_level() noexcept
    void product_f(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float* a,
                   Py_ssize_t row_step, Py_ssize_t depth_step, const float* b, float beta, float* c) noexcept
    void product_d(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const double* a,
                   Py_ssize_t row_step, Py_ssize_t depth_step, const double* b, double beta, double* c) noexcept
    void product_with_transposed_f(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const float* a, const float* b,
                                   float* c) noexcept
    void product_with_transposed_d(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double* a,
                                   const double* b, double* c) noexcept

cdef int LEVEL = products_level()

cdef enum:
    TINY = 256              # multiplications
    NARROW = 4              # columns: fewer do not fill the smallest vector
    LARGE = 2 * 1024 * 1024     # elements of B: more do not stay in the caches, and packing pays
    UNPACKED = 1000 * 1000      # multiplications up to which the BLAS, too, multiplies without packing where it has
                                # AVX-512, and wins where the sum is long against the sides of C


cdef void tiny(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
               Py_ssize_t depth_step, const real* B, real beta, real* C) noexcept nogil:
    """C (m, n) := alpha * A (m, k) @ B (k, n) + beta * C, where A[i, p] is A[i * row_step + p * depth_step]."""
    cdef Py_ssize_t i, j, p
    cdef real a
    for i in range(m):
        for j in range(n):
            C[i * n + j] = 0 if beta == 0 else beta * C[i * n + j]
        for p in range(k):
            a = alpha * A[i * row_step + p * depth_step]
            for j in range(n):
                C[i * n + j] += a * B[p * n + j]


cdef void by_kernel(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
                    Py_ssize_t depth_step, const real* B, real beta, real* C) noexcept nogil:
    """The same, by the kernels of the processor's level."""
    if real is float:
        product_f(LEVEL, m, n, k, alpha, A, row_step, depth_step, B, beta, C)
    else:
        product_d(LEVEL, m, n, k, alpha, A, row_step, depth_step, B, beta, C)


cdef void product(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B, double beta,
                  real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B (k, n) + beta * C."""
    if m * n * k <= TINY:
        tiny(m, n, k, <real> 1, A, k, 1, B, <real> beta, C)
    elif LEVEL > 0 and n >= NARROW and n * k <= LARGE:
        by_kernel(m, n, k, <real> 1, A, k, 1, B, <real> beta, C)
    else:
        gemm(b"N", b"N", m, n, k, <real> 1, A, k, B, n, <real> beta, C)


cdef void product_with_transposed_left(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const real* A,
                                       const real* B, double beta, real* C) noexcept nogil:
    """C (m, n) := alpha * A.T (m, k) @ B (k, n) + beta * C, where A is (k, m)."""
    if m * n * k <= TINY:
        tiny(m, n, k, <real> alpha, A, 1, m, B, <real> beta, C)
    elif LEVEL > 0 and n >= NARROW and n * k <= LARGE:
        by_kernel(m, n, k, <real> alpha, A, 1, m, B, <real> beta, C)
    else:
        gemm(b"T", b"N", m, n, k, <real> alpha, A, m, B, n, <real> beta, C)


cdef void product_with_transposed_right(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B,
                                        real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B.T (k, n), where B is (n, k)."""
    cdef Py_ssize_t i, j, p, count = m * n * k
    cdef real total
    if count <= TINY:
        for i in range(m):
            for j in range(n):
                total = 0
                for p in range(k):
                    total += A[i * k + p] * B[j * k + p]
                C[i * n + j] = total
    elif LEVEL > 0 and n >= NARROW and (LEVEL < 4 or count > UNPACKED or k <= 4 * max(NARROW, min(m, n))):
        if real is float:
            product_with_transposed_f(LEVEL, m, n, k, A, B, C)
        else:
            product_with_transposed_d(LEVEL, m, n, k, A, B, C)
    else:
        gemm(b"N", b"T", m, n, k, <real> 1, A, k, B, k, <real> 0, C)
