"""Predictions for a few rows at a time, as in a service: microseconds matter, threads do not.

Describing the samples and the output takes longer than a row does. So a Predictor keeps its pass; a call only checks
its rows and writes into a new array. It holds the GIL (or, in builds without it, its own lock and that of the network's
`Access`), so that threads take turns on the workspace, and none starts to change what it reads.
"""
cimport cython
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)

from cnn_core.doors.inference cimport predict_tiles
from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.machine.access cimport Access
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.machine.team cimport alone
from cnn_core.passes.batches cimport Source, block_is_within
from cnn_core.passes.tiles cimport Job
from cnn_core.types cimport SparseRow, real


cdef CLONES_VOID add_nonzero(const real* x, Py_ssize_t n, int* total) noexcept:
    """total += how many of x (n) are not 0."""
    cdef Py_ssize_t i
    for i in range(n):
        total[0] += x[i] != 0


cdef inline Py_ssize_t count_nonzero(const real* x, Py_ssize_t n) noexcept:
    cdef int total = 0
    add_nonzero(x, n, &total)
    return total


cdef inline const unsigned char* row_of(const Py_buffer* rows, Py_ssize_t i) noexcept:
    return <const unsigned char*> rows.buf + i * rows.strides[0]


cdef inline Py_ssize_t stretch_of(const Py_buffer* rows) noexcept:
    """Number of rows that follow each other without a gap: all of them, or one."""
    return rows.shape[0] if rows.strides[0] == rows.shape[1] * rows.itemsize else 1


cdef class Predictor:
    """Outputs of a network for up to `plan.tile_rows` rows of its own dtype."""

    cdef Pass over
    cdef Source X                # any row; keeps the scaling alive
    cdef Call call
    cdef Access access
    cdef object empty
    cdef object dtype
    cdef Py_ssize_t n_out
    cdef SparseRow* lists        # room for the rows without zeros, or NULL
    cdef double density          # share of nonzero numbers up to which zeros are left out
    cdef double bound            # largest size of a number that it takes; may be infinite

    def __init__(self, Pass over, Source X, Access access, object empty, object dtype, double density,
                 double bound):
        """over: a pass of one thread. X: any row of the dtype. empty(shape, dtype) creates an array."""
        self.over = over
        self.X = X
        self.call = over.with_samples(X, None, None)
        self.n_out = self.call.job.net.layers[self.call.job.net.n_layers - 1].n_out
        self.lists = self.call.job.net.sparse_rows
        self.density = density
        self.bound = bound
        self.access = access
        self.empty = empty
        self.dtype = dtype

    def __call__(self, object X):
        """Outputs (n, n_out) of a numeric NumPy array X (n, n_in), or None if `takes` says no.

        Also None while another thread changes the network.
        """
        cdef Py_buffer rows, out
        cdef object result = None
        cdef bint free = True
        PyObject_GetBuffer(X, &rows, PyBUF_FORMAT | PyBUF_STRIDES)
        try:
            if self.takes(&rows):
                result = self.empty((rows.shape[0], self.n_out), self.dtype)
                PyObject_GetBuffer(result, &out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
                with cython.critical_section(self, self.access):
                    free = not self.access.is_others()
                    if free:
                        self.run(&rows, out.buf)
                PyBuffer_Release(&out)
        finally:
            PyBuffer_Release(&rows)
        return result if free else None

    cdef bint takes(self, const Py_buffer* rows) noexcept:
        """Whether X has two dimensions, the right dtype and width, and a few contiguous rows within the bound."""
        cdef Py_ssize_t i = 0, width = self.call.job.samples.X.width, stretch
        if rows.ndim != 2 or rows.format[0] != self.over.letter or rows.format[1] != 0:
            return False
        if rows.shape[1] != width or not 1 <= rows.shape[0] <= self.call.job.net.plan.tile_rows:
            return False
        if rows.strides[1] != rows.itemsize:
            return False
        stretch = stretch_of(rows)
        while i < rows.shape[0]:
            if not self.are_within(row_of(rows, i), stretch * width):
                return False
            i += stretch
        return True

    cdef inline bint are_within(self, const unsigned char* x, Py_ssize_t n) noexcept:
        """Whether n numbers are finite and within the bound."""
        if self.call.double_precision:
            return block_is_within(<const double*> x, n, self.bound)
        return block_is_within(<const float*> x, n, self.bound)

    cdef bint has_zeros(self, const Py_buffer* rows) noexcept:
        """Whether enough of the numbers are 0 that leaving them out is faster."""
        cdef Py_ssize_t i = 0, width = rows.shape[1], stretch = stretch_of(rows), n_nonzero = 0
        if self.lists is NULL:
            return False
        while i < rows.shape[0]:
            if self.call.double_precision:
                n_nonzero += count_nonzero(<const double*> row_of(rows, i), stretch * width)
            else:
                n_nonzero += count_nonzero(<const float*> row_of(rows, i), stretch * width)
            i += stretch
        return n_nonzero <= self.density * rows.shape[0] * width

    cdef void run(self, const Py_buffer* rows, void* out) noexcept:
        cdef Job* job = &self.call.job
        job.samples.X.data = row_of(rows, 0)
        job.samples.X.n_rows = rows.shape[0]
        job.samples.X.stride = rows.strides[0] if rows.shape[0] > 1 else job.samples.X.n_bytes
        job.net.sparse_rows = self.lists if self.has_zeros(rows) else NULL
        if self.call.double_precision:
            predict_tiles(job, alone(&job.barrier), 0, 1, <const double*> self.call.params, <double*> out,
                          <double*> self.call.work)
        else:
            predict_tiles(job, alone(&job.barrier), 0, 1, <const float*> self.call.params, <float*> out,
                          <float*> self.call.work)
