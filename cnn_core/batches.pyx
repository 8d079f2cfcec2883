"""Rows into the tile: gathered in the epoch's order, converted and scaled on the way.

The data set stays as the user holds it (uint8 images stay uint8); only the rows of one tile exist as `real`.
"""
from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, memset

from cnn_core.simd cimport CHECK, CLONES_VOID, PREFETCH
from cnn_core.types cimport real

ctypedef fused value:
    unsigned char
    float
    double


cdef Rows describe(const unsigned char[:, ::1] data, int dtype, Py_ssize_t width) noexcept:
    """An array, seen as its bytes (n_rows, n_bytes)."""
    cdef Rows result
    result.data = &data[0, 0]
    result.n_bytes = data.shape[1]
    result.n_rows = data.shape[0]
    result.width = width
    result.dtype = dtype
    result.shift = NULL
    result.scale = NULL
    return result


cdef Samples make_samples(const unsigned char[:, ::1] X, int X_dtype, Py_ssize_t n_in, const unsigned char[::1] shift,
                          const unsigned char[::1] scale, const unsigned char[:, ::1] y, int y_dtype, Py_ssize_t n_out,
                          const double[::1] weights, const int64_t[::1] order) noexcept:
    """What a door was given of the samples; y, shift and scale, weights and order may be None.

    X and y are seen as bytes, row by row; shift and scale as the bytes of (n_in,) numbers: double where X is, of the
    network's type elsewhere.
    """
    cdef Samples samples
    memset(&samples, 0, sizeof(Samples))
    samples.X = describe(X, X_dtype, n_in)
    if shift is not None:
        samples.X.shift = &shift[0]
        samples.X.scale = &scale[0]
    if y is not None:
        samples.y = describe(y, y_dtype, n_out)
    if weights is not None:
        samples.weights = &weights[0]
    if order is not None:
        samples.order = &order[0]
    return samples


cdef inline Py_ssize_t row_at(const Rows* source, const int64_t* order, Py_ssize_t i) noexcept nogil:
    cdef Py_ssize_t row = i if order is NULL else order[i]
    CHECK(0 <= row < source.n_rows)
    return row


cdef CLONES_VOID convert_row(const value* x, Py_ssize_t width, real* out) noexcept nogil:
    """out (width) := x."""
    cdef Py_ssize_t j
    for j in range(width):
        out[j] = <real> x[j]


cdef CLONES_VOID scale_row(const value* x, Py_ssize_t width, const void* shift, const void* scale,
                           real* out) noexcept nogil:
    """out (width) := (x - shift) * scale, in double where x is: large numbers keep their small differences."""
    cdef Py_ssize_t j
    if value is double:
        for j in range(width):
            out[j] = <real> ((x[j] - (<const double*> shift)[j]) * (<const double*> scale)[j])
    else:
        for j in range(width):
            out[j] = (<real> x[j] - (<const real*> shift)[j]) * (<const real*> scale)[j]


cdef void gather_values(const value* data, const Rows* source, const int64_t* order, Py_ssize_t first,
                        Py_ssize_t n_rows, real* out) noexcept nogil:
    cdef Py_ssize_t i
    cdef const value* x
    for i in range(n_rows):
        x = data + row_at(source, order, first + i) * source.width
        if source.shift is not NULL:
            scale_row(x, source.width, source.shift, source.scale, out + i * source.width)
        elif (value is float and real is float) or (value is double and real is double):
            memcpy(out + i * source.width, x, source.width * sizeof(real))
        else:
            convert_row(x, source.width, out + i * source.width)


cdef void gather_labels(const int32_t* labels, const Rows* source, const int64_t* order, Py_ssize_t first,
                        Py_ssize_t n_rows, real* out) noexcept nogil:
    """out (n_rows, width) := 1 in the column of each row's label, 0 elsewhere."""
    cdef Py_ssize_t i
    memset(out, 0, n_rows * source.width * sizeof(real))
    for i in range(n_rows):
        out[i * source.width + labels[row_at(source, order, first + i)]] = 1


cdef void gather(const Rows* source, const int64_t* order, Py_ssize_t first, Py_ssize_t n_rows,
                 real* out) noexcept nogil:
    """out (n_rows, width) := rows order[first : first + n_rows] of the source."""
    if source.dtype == UINT8:
        gather_values(source.data, source, order, first, n_rows, out)
    elif source.dtype == FLOAT32:
        gather_values(<const float*> source.data, source, order, first, n_rows, out)
    elif source.dtype == FLOAT64:
        gather_values(<const double*> source.data, source, order, first, n_rows, out)
    else:
        gather_labels(<const int32_t*> source.data, source, order, first, n_rows, out)


cdef enum:
    PREFETCHED = 128 * 1024     # bytes: what a second-level cache has room for beside the network


cdef void prefetch(const Rows* source, const int64_t* order, Py_ssize_t first, Py_ssize_t n_rows) noexcept nogil:
    """Ask for rows order[first : first + n_rows], so that they are near when they are gathered."""
    cdef Py_ssize_t i, offset
    cdef const unsigned char* x
    if n_rows * source.n_bytes > PREFETCHED:
        return
    for i in range(n_rows):
        x = source.data + row_at(source, order, first + i) * source.n_bytes
        for offset in range(0, source.n_bytes, 64):
            PREFETCH(x + offset)


cdef void gather_weights(const Samples* samples, Py_ssize_t first, Py_ssize_t n_rows, real* out) noexcept nogil:
    """out (n_rows) := the weights of those rows."""
    cdef Py_ssize_t i
    for i in range(n_rows):
        out[i] = <real> samples.weights[row_at(&samples.X, samples.order, first + i)]


cdef double total_weight(const Samples* samples, Py_ssize_t first, Py_ssize_t n_rows) noexcept nogil:
    """Sum of the weights of those rows: what a mean over them divides by."""
    cdef Py_ssize_t i
    cdef double total = 0
    if samples.weights is NULL:
        return n_rows
    for i in range(n_rows):
        total += samples.weights[row_at(&samples.X, samples.order, first + i)]
    return total


cdef bint block_is_finite(const real* x, Py_ssize_t n) noexcept nogil:
    """x - x is 0 for finite x and NaN otherwise, and a sum keeps a NaN."""
    cdef real total_0 = 0, total_1 = 0, total_2 = 0, total_3 = 0
    cdef Py_ssize_t i
    for i in range(0, n - 3, 4):
        total_0 += x[i] - x[i]
        total_1 += x[i + 1] - x[i + 1]
        total_2 += x[i + 2] - x[i + 2]
        total_3 += x[i + 3] - x[i + 3]
    for i in range(n - n % 4, n):
        total_0 += x[i] - x[i]
    return total_0 + total_1 + total_2 + total_3 == 0


cdef enum:
    AT_ONCE = 16384     # numbers looked at in less time than another thread needs to take the GIL and give it back


cdef Py_ssize_t find_nonfinite(const real* x, Py_ssize_t n) noexcept nogil:
    """Index of the first NaN or infinity, or -1."""
    cdef Py_ssize_t start, stop, i
    for start in range(0, n, 4096):
        stop = min(start + 4096, n)
        if not block_is_finite(x + start, stop - start):
            for i in range(start, stop):
                if not isfinite(x[i]):
                    return i
    return -1


def first_nonfinite(const real[::1] values):
    """Index of the first NaN or infinity in `values`, or -1."""
    cdef Py_ssize_t n = values.shape[0], found
    if n <= AT_ONCE:
        return find_nonfinite(&values[0], n) if n > 0 else -1
    with nogil:
        found = find_nonfinite(&values[0], n)
    return found
