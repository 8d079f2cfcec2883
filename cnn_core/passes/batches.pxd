from libc.stdint cimport int32_t, int64_t
from cnn_core.types cimport SparseRow, real

cpdef enum Dtype:
    UINT8 = 0
    FLOAT32 = 1
    FLOAT64 = 2
    LABEL = 3       # int32 class numbers, which become one-hot rows

# Rows of samples as the user holds them. `shift` and `scale` (width,) are double where the
# data are and of the network's type elsewhere, or NULL.
cdef struct Rows:
    const unsigned char* data
    Py_ssize_t n_bytes       # of one row
    Py_ssize_t n_rows
    Py_ssize_t width         # columns once gathered
    int dtype
    const void* shift
    const void* scale
    const int64_t* starts    # CSR: row i has the numbers starts[i]..starts[i + 1] of data; NULL: data are dense
    const int32_t* columns   # CSR: the column of each number

# Everything known of the samples. NULL: rows in order; every weight 1.
cdef struct Samples:
    Rows X
    Rows y
    const double* weights    # (n_samples,)
    const int64_t* order     # (n_samples,)

cdef class Source:
    cdef Rows rows
    cdef tuple kept          # all that it was given, to keep alive what the rows name

cdef Samples make_samples(Source X, Source y, const double[::1] weights, const int64_t[::1] order) noexcept
cdef bint block_is_finite(const real* x, Py_ssize_t n) noexcept nogil
cdef void gather_sparse(const Rows* source, const int64_t* order, Py_ssize_t first, Py_ssize_t n_rows,
                        SparseRow* rows, int32_t* columns, real* values) noexcept nogil
cdef void gather(const Rows* source, const int64_t* order, Py_ssize_t first, Py_ssize_t n_rows,
                 real* out) noexcept nogil
cdef void prefetch(const Rows* source, const int64_t* order, Py_ssize_t first, Py_ssize_t n_rows) noexcept nogil
cdef void gather_weights(const Samples* samples, Py_ssize_t first, Py_ssize_t n_rows, real* out) noexcept nogil
cdef double total_weight(const Samples* samples, Py_ssize_t first, Py_ssize_t n_rows) noexcept nogil
