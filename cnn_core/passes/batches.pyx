"""Gathers rows into a tile, in the epoch's order, and converts and scales them.

The data set keeps the user's type (uint8 images stay uint8); only the rows of one tile exist as `real`.
"""
from libc.math cimport INFINITY, isfinite
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, memset

from cnn_core.machine.simd cimport CHECK, CLONES_VOID, PREFETCH
from cnn_core.products.sparse cimport pack
from cnn_core.types cimport SparseRow, real

ctypedef fused value:
    unsigned char
    float
    double


cdef inline Py_ssize_t size_of(int dtype) noexcept:
    """Bytes of a number."""
    return 1 if dtype == UINT8 else 8 if dtype == FLOAT64 else 4


cdef class Source:
    """Rows of the user's arrays, described once for every door; keeps the arrays alive.

    data: an array's bytes (n_rows, n_bytes), with contiguous rows at any distance from each other; or the bytes (nnz,
    itemsize) of a CSR matrix's values, of which starts[i] : starts[i + 1] are row i, in ascending `columns`. A gathered
    row has `width` columns.
    shift, scale: bytes of (width,) numbers, double if the data are, else of the network's type.
    """

    def __cinit__(self, *arguments):
        self.kept = arguments

    def __init__(self, const unsigned char[:, :] data, int dtype, Py_ssize_t width,
                 const unsigned char[::1] shift=None, const unsigned char[::1] scale=None,
                 const int64_t[::1] starts=None, const int32_t[::1] columns=None):
        memset(&self.rows, 0, sizeof(Rows))
        if data.shape[0]:
            self.rows.data = &data[0, 0]
        self.rows.n_bytes = self.rows.stride = data.shape[1]
        self.rows.n_rows = data.shape[0]
        if data.shape[0] > 1:       # NumPy may give a single row any stride
            self.rows.stride = data.strides[0]
        if data.shape[1] > 1 and data.strides[1] != 1:
            raise ValueError("the bytes of a row must be contiguous")
        self.rows.width = width
        self.rows.dtype = dtype
        if starts is None and data.shape[1] != (1 if dtype == LABEL else width) * size_of(dtype):
            raise ValueError(f"a row of {data.shape[1]} bytes does not hold {width} numbers")
        if shift is not None:
            if min(shift.shape[0], scale.shape[0]) < width * (8 if dtype == FLOAT64 else 4):
                raise ValueError(f"shift and scale must be {width} numbers each")
            self.rows.shift = &shift[0]
            self.rows.scale = &scale[0]
        if starts is not None:
            self.rows.n_rows = starts.shape[0] - 1
            self.rows.starts = &starts[0]
            if columns.shape[0]:
                self.rows.columns = &columns[0]


cdef Samples make_samples(Source X, Source y, const double[::1] weights, const int64_t[::1] order) noexcept:
    """The samples given to a door; y, weights and order may be None."""
    cdef Samples samples
    memset(&samples, 0, sizeof(Samples))
    samples.X = X.rows
    if y is not None:
        samples.y = y.rows
    if weights is not None:
        samples.weights = &weights[0]
    if order is not None:
        samples.order = &order[0]
    return samples


cdef inline Py_ssize_t row_at(const Rows* source, const int64_t* order, Py_ssize_t i) noexcept nogil:
    cdef Py_ssize_t row = i if order is NULL else order[i]
    CHECK(0 <= row < source.n_rows)
    return row


cdef inline const unsigned char* start_of(const Rows* source, const int64_t* order, Py_ssize_t i) noexcept nogil:
    """Where row order[i] of an array begins."""
    return source.data + row_at(source, order, i) * source.stride


cdef enum:
    AHEAD = 4096    # bytes: how far ahead of the processor rows with gaps are prefetched, which it would not do itself


cdef inline void prefetch_row(const unsigned char* x, Py_ssize_t n_bytes) noexcept nogil:
    cdef Py_ssize_t offset
    for offset in range(0, n_bytes, 64):
        PREFETCH(x + offset)


cdef CLONES_VOID convert_row(const value* x, Py_ssize_t width, real* out) noexcept nogil:
    """out (width) := x."""
    cdef Py_ssize_t j
    for j in range(width):
        out[j] = <real> x[j]


cdef CLONES_VOID scale_row(const value* x, Py_ssize_t width, const void* shift, const void* scale,
                           real* out) noexcept nogil:
    """out (width) := (x - shift) * scale, in double if x is: large numbers keep their small differences."""
    cdef Py_ssize_t j
    if value is double:
        for j in range(width):
            out[j] = <real> ((x[j] - (<const double*> shift)[j]) * (<const double*> scale)[j])
    else:
        for j in range(width):
            out[j] = (<real> x[j] - (<const real*> shift)[j]) * (<const real*> scale)[j]


cdef void gather_values(const value* like, const Rows* source, const int64_t* order, Py_ssize_t first_row,
                        Py_ssize_t n_rows, real* out) noexcept nogil:
    """`gather` for data of one type; `like` is not read, only its type counts."""
    cdef Py_ssize_t i, ahead = 0
    cdef const value* x
    cdef bint plain = source.shift is NULL and ((value is float and real is float)
                                                or (value is double and real is double))
    if plain and order is NULL and source.stride == source.n_bytes:
        CHECK(first_row + n_rows <= source.n_rows)
        memcpy(out, source.data + first_row * source.stride, n_rows * source.n_bytes)
        return
    if order is NULL and source.stride > source.n_bytes:
        ahead = AHEAD // source.n_bytes + 1
    for i in range(n_rows):
        x = <const value*> start_of(source, order, first_row + i)
        if ahead > 0 and first_row + i + ahead < source.n_rows:
            prefetch_row(<const unsigned char*> x + ahead * source.stride, source.n_bytes)
        if source.shift is not NULL:
            scale_row(x, source.width, source.shift, source.scale, out + i * source.width)
        elif plain:
            memcpy(out + i * source.width, x, source.width * sizeof(real))
        else:
            convert_row(x, source.width, out + i * source.width)


cdef void gather_labels(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows,
                        real* out) noexcept nogil:
    """out (n_rows, width) := 1 in the column of each row's label, 0 elsewhere."""
    cdef Py_ssize_t i
    memset(out, 0, n_rows * source.width * sizeof(real))
    for i in range(n_rows):
        out[i * source.width + (<const int32_t*> start_of(source, order, first_row + i))[0]] = 1


cdef void gather(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows,
                 real* out) noexcept nogil:
    """out (n_rows, width) := rows order[first_row : first_row + n_rows] of the source."""
    if source.dtype == UINT8:
        gather_values(source.data, source, order, first_row, n_rows, out)
    elif source.dtype == FLOAT32:
        gather_values(<const float*> source.data, source, order, first_row, n_rows, out)
    elif source.dtype == FLOAT64:
        gather_values(<const double*> source.data, source, order, first_row, n_rows, out)
    else:
        gather_labels(source, order, first_row, n_rows, out)


cdef void gather_sparse(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows,
                        SparseRow* rows, int32_t* columns, real* values) noexcept nogil:
    """rows (n_rows) := rows order[first_row : first_row + n_rows] of the source, as lists of their nonzeros.

    Rows of a CSR matrix are not copied. Those of a dense array are packed into columns and values (n_rows, width).
    """
    cdef Py_ssize_t i, row, width = source.width
    cdef int own = FLOAT32 if sizeof(real) == sizeof(float) else FLOAT64
    cdef real* x
    for i in range(n_rows):
        row = row_at(source, order, first_row + i)
        if source.starts is not NULL:
            rows[i].columns = source.columns + source.starts[row]
            rows[i].values = <const real*> source.data + source.starts[row]
            rows[i].length = source.starts[row + 1] - source.starts[row]
            continue
        x = values + i * width
        if source.shift is NULL and source.dtype == own:
            rows[i].length = pack(<const real*> (source.data + row * source.stride), width, columns + i * width, x)
        else:
            gather(source, order, first_row + i, 1, x)
            rows[i].length = pack(x, width, columns + i * width, x)
        rows[i].columns = columns + i * width
        rows[i].values = x


cdef enum:
    PREFETCHED = 128 * 1024     # bytes: what fits the L2 cache beside the network


cdef void prefetch(const Rows* source, const int64_t* order, Py_ssize_t first_row, Py_ssize_t n_rows) noexcept nogil:
    """Prefetch rows order[first_row : first_row + n_rows] of an array, so that they are in the cache when gathered."""
    cdef Py_ssize_t i
    if source.starts is not NULL or n_rows * source.n_bytes > PREFETCHED:
        return
    for i in range(n_rows):
        prefetch_row(start_of(source, order, first_row + i), source.n_bytes)


cdef void gather_weights(const Samples* samples, Py_ssize_t first_row, Py_ssize_t n_rows, Py_ssize_t n_weight,
                         real* out) noexcept nogil:
    """out (n_rows, n_weight) := the weights of those rows."""
    cdef Py_ssize_t i, j
    cdef const double* row
    for i in range(n_rows):
        row = samples.weights + row_at(&samples.X, samples.order, first_row + i) * n_weight
        for j in range(n_weight):
            out[i * n_weight + j] = <real> row[j]


cdef double total_weight(const Samples* samples, Py_ssize_t first_row, Py_ssize_t n_rows,
                         Py_ssize_t n_weight) noexcept nogil:
    """Sum of the rows' mean weights: the divisor of a mean over them."""
    cdef Py_ssize_t i, j
    cdef double total = 0
    cdef const double* row
    if samples.weights is NULL:
        return n_rows
    for i in range(n_rows):
        row = samples.weights + row_at(&samples.X, samples.order, first_row + i) * n_weight
        for j in range(n_weight):
            total += row[j]
    return total / n_weight


cdef bint block_is_finite(const real* x, Py_ssize_t n) noexcept nogil:
    """Whether all of x (n) is finite: x - x is 0 for finite x, else NaN, and a sum with a NaN is NaN."""
    cdef real total_0 = 0, total_1 = 0, total_2 = 0, total_3 = 0
    cdef Py_ssize_t i
    for i in range(0, n - 7, 8):
        total_0 += (x[i] - x[i]) + (x[i + 4] - x[i + 4])
        total_1 += (x[i + 1] - x[i + 1]) + (x[i + 5] - x[i + 5])
        total_2 += (x[i + 2] - x[i + 2]) + (x[i + 6] - x[i + 6])
        total_3 += (x[i + 3] - x[i + 3]) + (x[i + 7] - x[i + 7])
    for i in range(n - n % 8, n):
        total_0 += x[i] - x[i]
    return total_0 + total_1 + total_2 + total_3 == 0


cdef CLONES_VOID add_beyond(const real* x, Py_ssize_t n, real bound, int* total) noexcept nogil:
    """total += how many of x (n) are NaN or larger in size than the bound, which may be counted twice."""
    cdef Py_ssize_t i
    for i in range(n):
        total[0] += (x[i] > bound) + (x[i] < -bound) + (x[i] != x[i])


cdef bint block_is_within(const real* x, Py_ssize_t n, double bound) noexcept nogil:
    """Whether all of x (n) is finite and at most as large in size as the bound, which may be infinite."""
    cdef int total = 0
    if bound == INFINITY:
        return block_is_finite(x, n)
    add_beyond(x, n, <real> bound, &total)
    return total == 0


cdef enum:
    AT_ONCE = 16384     # numbers: checking them takes less time than releasing and taking back the GIL


cdef Py_ssize_t find_beyond(const real* x, Py_ssize_t n, double bound) noexcept nogil:
    """Index of the first number that is not finite or is larger in size than the bound, or -1."""
    cdef Py_ssize_t start, stop, i
    for start in range(0, n, 4096):
        stop = min(start + 4096, n)
        if not block_is_within(x + start, stop - start, bound):
            for i in range(start, stop):
                if not (isfinite(x[i]) and -bound <= x[i] <= bound):
                    return i
    return -1


cdef Py_ssize_t find_beyond_in_rows(const real[:, :] rows, double bound) noexcept nogil:
    """`find_beyond` for contiguous rows: a flat index, or -1."""
    cdef Py_ssize_t i, found, n_bytes = rows.shape[1] * sizeof(real), ahead = AHEAD // n_bytes + 1
    for i in range(rows.shape[0]):
        if i + ahead < rows.shape[0]:
            prefetch_row(<const unsigned char*> &rows[i + ahead, 0], n_bytes)
        found = find_beyond(&rows[i, 0], rows.shape[1], bound)
        if found >= 0:
            return i * rows.shape[1] + found
    return -1


def first_nonfinite(const real[::1] values, double bound=INFINITY):
    """Index of the first NaN, infinity or number larger in size than `bound` in `values`, or -1."""
    cdef Py_ssize_t n = values.shape[0], found
    if n <= AT_ONCE:
        return find_beyond(&values[0], n, bound) if n > 0 else -1
    with nogil:
        found = find_beyond(&values[0], n, bound)
    return found


def first_nonfinite_in_rows(const real[:, :] rows, double bound=INFINITY):
    """As `first_nonfinite`, a flat index, in an array whose rows are contiguous, at any distance; or -1."""
    cdef Py_ssize_t found
    if rows.shape[0] == 0 or rows.shape[1] == 0:
        return -1
    with nogil:
        found = find_beyond_in_rows(rows, bound)
    return found


def take_labels(const value[:] values, int32_t n_classes, int32_t[::1] labels):
    """labels (n,) := values (n,), if all are whole numbers from 0 to n_classes - 1; whether they are."""
    cdef Py_ssize_t i
    cdef bint valid = True
    with nogil:
        for i in range(values.shape[0]):
            if not 0 <= values[i] < n_classes:
                valid = False
                break
            labels[i] = <int32_t> values[i]
            if labels[i] != values[i]:
                valid = False
                break
    return valid


def are_ascending(const int64_t[::1] starts, const int32_t[::1] columns):
    """Whether the columns of each row of a CSR matrix ascend, without duplicates."""
    cdef Py_ssize_t i, p
    cdef bint ascending = True
    with nogil:
        for i in range(starts.shape[0] - 1):
            for p in range(starts[i] + 1, starts[i + 1]):
                ascending &= columns[p - 1] < columns[p]
    return ascending
