from libc.stdint cimport int32_t, int64_t

from cnn_core.types cimport SparseRow, real

cpdef enum Dtype:
    UINT8 = 0
    FLOAT32 = 1
    FLOAT64 = 2
    LABEL = 3       # int32 class numbers, which become one-hot rows

# Rows of samples in the user's arrays. `shift` and `scale` (width,) are double if the data are, else of the network's
# type; or NULL.
cdef struct Rows:
    const unsigned char* data
    Py_ssize_t n_bytes       # size of one row
    Py_ssize_t stride        # bytes from one row to the next; any number, also 0 or negative
    Py_ssize_t n_rows
    Py_ssize_t width         # columns of a gathered row
    int dtype
    const void* shift
    const void* scale
    const int64_t* starts    # CSR: row i is data[starts[i]:starts[i + 1]]; NULL: data are dense
    const int32_t* columns   # CSR: the column of each value

# The samples. NULL: every weight is 1; rows in order.
cdef struct Samples:
    Rows X
    Rows y
    const double* weights    # (n_samples, n_weight)
    const int64_t* order     # (n_samples,)

cdef class Source:
    cdef Rows rows
    cdef tuple kept          # the arguments: keeps alive the arrays that rows points to

cdef Samples make_samples(Source X, Source y, const double[::1] weights, const int64_t[::1] order) noexcept
cdef bint block_is_finite(const real* x, Py_ssize_t n) noexcept nogil
cdef bint block_is_within(const real* x, Py_ssize_t n, double bound) noexcept nogil
cdef void gather_sparse(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows,
                        SparseRow* rows, int32_t* columns, real* values) noexcept nogil
cdef void gather(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows,
                 real* out) noexcept nogil
cdef void prefetch(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows) noexcept nogil
cdef void gather_weights(const Samples* samples, Py_ssize_t first_row, Py_ssize_t n_rows, Py_ssize_t n_weight,
                         real* out) noexcept nogil
cdef double total_weight(const Samples* samples, Py_ssize_t first_row, Py_ssize_t n_rows,
                         Py_ssize_t n_weight) noexcept nogil
