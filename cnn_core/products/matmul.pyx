"""The three matrix products of a dense layer, each computed in the fastest way for its size.

If the processor has AVX2 or AVX-512, the kernels of matmul.h do most of what dense layers need: two products read B
along its rows without packing, the third transposes one block of B at a time. Products too narrow for the kernels are
plain loops if they are tiny, since a call would cost more. The BLAS does the rest.
"""
from cnn_core.products.blas cimport gemm, gemv
from cnn_core.types cimport real

cdef extern from "matmul.h" nogil:
    int products_level() noexcept
    void product_f(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, float alpha, const float* a,
                   Py_ssize_t row_step, Py_ssize_t depth_step, const float* b, float beta, const float* d,
                   Py_ssize_t d_step, float* c) noexcept
    void product_d(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const double* a,
                   Py_ssize_t row_step, Py_ssize_t depth_step, const double* b, double beta, const double* d,
                   Py_ssize_t d_step, double* c) noexcept
    void product_with_transposed_f(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const float* a, const float* b,
                                   float* c) noexcept
    void product_with_transposed_d(int level, Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const double* a,
                                   const double* b, double* c) noexcept

cdef int LEVEL = products_level()

cdef enum:
    TINY = 256                  # multiplications up to which plain loops are faster than a call
    NARROW = 4                  # columns: fewer do not fill the smallest vector
    LARGE = 512 * 1024          # elements of B: more do not stay in the caches, so packing pays off
    UNPACKED = 1000 * 1000      # multiplications up to which an AVX-512 BLAS does not pack either


cdef inline void tiny_columns(Py_ssize_t m, int n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
                              Py_ssize_t depth_step, const real* B, Py_ssize_t b_step, real beta, const real* D,
                              Py_ssize_t d_step, real* C, Py_ssize_t c_step) noexcept nogil:
    """Up to four columns of the product below; if n is a constant, the sums stay in registers."""
    cdef Py_ssize_t i, p
    cdef int j
    cdef real[4] total
    cdef real a
    for i in range(m):
        for j in range(n):
            total[j] = 0
        for p in range(k):
            a = A[i * row_step + p * depth_step]
            for j in range(n):
                total[j] += a * B[p * b_step + j]
        for j in range(n):
            C[i * c_step + j] = alpha * total[j] + (beta * D[i * d_step + j] if beta != 0 else 0)


cdef void tiny_product(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
                       Py_ssize_t depth_step, const real* B, real beta, const real* D, Py_ssize_t d_step,
                       real* C) noexcept nogil:
    """C (m, n) := alpha * A (m, k) @ B (k, n) + beta * D, where A[i, p] is A[i * row_step + p * depth_step] and
    D[i, j] is D[i * d_step + j].
    """
    cdef Py_ssize_t j
    for j in range(0, n - 3, 4):
        tiny_columns(m, 4, k, alpha, A, row_step, depth_step, B + j, n, beta, D + j, d_step, C + j, n)
    j = n - n % 4
    if n % 4 == 3:
        tiny_columns(m, 3, k, alpha, A, row_step, depth_step, B + j, n, beta, D + j, d_step, C + j, n)
    elif n % 4 == 2:
        tiny_columns(m, 2, k, alpha, A, row_step, depth_step, B + j, n, beta, D + j, d_step, C + j, n)
    elif n % 4 == 1:
        tiny_columns(m, 1, k, alpha, A, row_step, depth_step, B + j, n, beta, D + j, d_step, C + j, n)


cdef void by_kernel(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, real alpha, const real* A, Py_ssize_t row_step,
                    Py_ssize_t depth_step, const real* B, real beta, const real* D, Py_ssize_t d_step,
                    real* C) noexcept nogil:
    """The same, by the kernel for the processor's level."""
    if real is float:
        product_f(LEVEL, m, n, k, alpha, A, row_step, depth_step, B, beta, D, d_step, C)
    else:
        product_d(LEVEL, m, n, k, alpha, A, row_step, depth_step, B, beta, D, d_step, C)


cdef void product(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B, const real* bias,
                  real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B (k, n) + bias (n), which may be NULL."""
    cdef Py_ssize_t i, j
    cdef real beta = 0
    cdef const real* D = C
    if bias is not NULL:
        beta, D = 1, bias
    if LEVEL > 0 and n >= NARROW and n * k <= LARGE:
        by_kernel(m, n, k, <real> 1, A, k, 1, B, beta, D, 0, C)
    elif m * n * k <= TINY:
        tiny_product(m, n, k, <real> 1, A, k, 1, B, beta, D, 0, C)
    else:
        if bias is not NULL:
            for i in range(m):
                for j in range(n):
                    C[i * n + j] = bias[j]
        if m == 1:
            gemv(b"N", n, k, <real> 1, A, B, beta, C)
        else:
            gemm(b"N", b"N", m, n, k, <real> 1, A, k, B, n, beta, C, n)


cdef void product_with_transposed_left(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const real* A,
                                       Py_ssize_t a_step, const real* B, double beta, real* C) noexcept nogil:
    """C (m, n) := alpha * A.T (m, k) @ B (k, n) + beta * C, where A is (k, m) with its rows a_step apart."""
    if LEVEL > 0 and n >= NARROW and n * k <= LARGE:
        by_kernel(m, n, k, <real> alpha, A, 1, a_step, B, <real> beta, C, n, C)
    elif m * n * k <= TINY:
        tiny_product(m, n, k, <real> alpha, A, 1, a_step, B, <real> beta, C, n, C)
    else:
        gemm(b"T", b"N", m, n, k, <real> alpha, A, a_step, B, n, <real> beta, C, n)


cdef void product_with_transposed_right(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B,
                                        real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B.T (k, n), where B is (n, k).

    Where k is large compared with m and n, transposing B costs too much, and a BLAS that need not pack is faster.
    """
    cdef Py_ssize_t i, j, p, count = m * n * k
    cdef real total
    if count <= TINY:
        for i in range(m):
            for j in range(n):
                total = 0
                for p in range(k):
                    total += A[i * k + p] * B[j * k + p]
                C[i * n + j] = total
    elif LEVEL > 0 and n >= NARROW and n * k <= LARGE and (LEVEL < 4 or count > UNPACKED
                                                           or k <= 4 * max(NARROW, min(m, n))):
        if real is float:
            product_with_transposed_f(LEVEL, m, n, k, A, B, C)
        else:
            product_with_transposed_d(LEVEL, m, n, k, A, B, C)
    elif m == 1:
        gemv(b"T", n, k, <real> 1, A, B, <real> 0, C)
    else:
        gemm(b"N", b"T", m, n, k, <real> 1, A, k, B, k, <real> 0, C, n)
