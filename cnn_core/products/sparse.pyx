"""The two products of a first layer whose inputs are mostly zeros (images, one-hot columns, CSR matrices).

    C (n_rows, n) := X B + bias (n)                 X (n_rows, k) as lists of its nonzeros, B (k, n)
    G (k, n)      := beta * G + alpha * X.T D       D (n_rows, n)

Each nonzero costs one multiplication by a row of the matrix. The dense products use what they load for many rows, so
these are faster only if less than about a third of X is nonzero (`fastmlp.data.inputs` decides).
"""
from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

from cnn_core.machine.simd cimport CHECK, CLONES_VOID
from cnn_core.products.matmul cimport LEVEL
from cnn_core.types cimport SparseRow, real

cdef extern from "sparse.h" nogil:
    Py_ssize_t pack_f(int level, const float* x, Py_ssize_t width, int32_t* columns, float* values) noexcept
    Py_ssize_t pack_d(int level, const double* x, Py_ssize_t width, int32_t* columns, double* values) noexcept
    void sparse_product_f(int level, SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t k, const float* b,
                          float* c) noexcept
    void sparse_product_d(int level, SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t k, const double* b,
                          double* c) noexcept
    void sparse_outer_f(int level, SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t start,
                        Py_ssize_t stop, float alpha, const float* d, float* g) noexcept
    void sparse_outer_d(int level, SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t start,
                        Py_ssize_t stop, double alpha, const double* d, double* g) noexcept


def has_kernels():
    """Whether skipping zeros can be faster than multiplying by them: if there are kernels for this processor."""
    return LEVEL > 0


cdef Py_ssize_t pack(const real* x, Py_ssize_t width, int32_t* columns, real* values) noexcept nogil:
    """columns, values := the nonzeros of x (width), at most `width` of each; returns their number.

    `values` may be x.
    """
    cdef Py_ssize_t j, n = 0
    if LEVEL > 0:
        if real is float:
            return pack_f(LEVEL, x, width, columns, values)
        else:
            return pack_d(LEVEL, x, width, columns, values)
    for j in range(width):
        if x[j] != 0:
            columns[n] = <int32_t> j
            values[n] = x[j]
            n += 1
    return n


cdef CLONES_VOID add_multiple(Py_ssize_t n, real factor, const real* x, real* y) noexcept nogil:
    """y (n) += factor * x."""
    cdef Py_ssize_t j
    for j in range(n):
        y[j] += factor * x[j]


cdef CLONES_VOID shrink(Py_ssize_t n, real factor, real* y) noexcept nogil:
    """y (n) *= factor."""
    cdef Py_ssize_t j
    for j in range(n):
        y[j] *= factor


cdef void repeat(const real* row, Py_ssize_t n_rows, Py_ssize_t n, real* C) noexcept nogil:
    """Every row of C (n_rows, n) := row (n), or zeros if it is NULL."""
    cdef Py_ssize_t filled = n
    if row is NULL:
        memset(C, 0, n_rows * n * sizeof(real))
        return
    memcpy(C, row, n * sizeof(real))
    while filled < n_rows * n:      # each copy doubles the filled part: few long copies instead of many short ones
        memcpy(C + filled, C, min(filled, n_rows * n - filled) * sizeof(real))
        filled *= 2


cdef void sparse_product(SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t k, const real* B,
                         const real* bias, real* C) noexcept nogil:
    """C (n_rows, n) := X (n_rows, k) B (k, n) + bias (n), which may be NULL."""
    cdef Py_ssize_t i, p
    cdef const real* values
    repeat(bias, n_rows, n, C)
    if LEVEL > 0:
        if real is float:
            sparse_product_f(LEVEL, rows, n_rows, n, k, B, C)
        else:
            sparse_product_d(LEVEL, rows, n_rows, n, k, B, C)
        return
    for i in range(n_rows):
        values = <const real*> rows[i].values
        for p in range(rows[i].length):
            CHECK(0 <= rows[i].columns[p] < k)
            add_multiple(n, values[p], B + rows[i].columns[p] * n, C + i * n)


cdef inline Py_ssize_t place_of(const SparseRow* row, Py_ssize_t column) noexcept nogil:
    """How many of the row's nonzeros come before the column."""
    cdef Py_ssize_t low = 0, high = row.length, middle
    while low < high:
        middle = (low + high) // 2
        if row.columns[middle] < column:
            low = middle + 1
        else:
            high = middle
    return low


cdef void cut(const SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t start, Py_ssize_t stop, const real* type_of,
              SparseRow* out) noexcept nogil:
    """out (n_rows) := the rows' nonzeros in columns start..stop-1; the column numbers do not change."""
    cdef Py_ssize_t i, first
    for i in range(n_rows):
        first = place_of(rows + i, start)
        out[i].columns = rows[i].columns + first
        out[i].values = <const real*> rows[i].values + first
        out[i].length = place_of(rows + i, stop) - first


cdef void sparse_outer(SparseRow* rows, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t start, Py_ssize_t stop,
                       double alpha, const real* D, double beta, real* G) noexcept nogil:
    """G[start:stop] := beta * G + alpha * X.T (k, n_rows) D (n_rows, n), if all nonzeros of X are in these columns."""
    cdef Py_ssize_t i, p
    cdef const real* values
    if beta == 0:
        memset(G + start * n, 0, (stop - start) * n * sizeof(real))
    elif beta != 1:
        shrink((stop - start) * n, <real> beta, G + start * n)
    if LEVEL > 0:
        if real is float:
            sparse_outer_f(LEVEL, rows, n_rows, n, start, stop, <float> alpha, D, G)
        else:
            sparse_outer_d(LEVEL, rows, n_rows, n, start, stop, alpha, D, G)
        return
    for i in range(n_rows):
        values = <const real*> rows[i].values
        for p in range(rows[i].length):
            CHECK(start <= rows[i].columns[p] < stop)
            add_multiple(n, <real> (alpha * values[p]), D + i * n, G + rows[i].columns[p] * n)
