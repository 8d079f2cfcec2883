"""A pass over samples in the form that the doors take: a network and its memory, described once.

The other doors take a Pass, the samples and the arrays to fill. They branch on the network's type once, and read and
write through its pointers. It keeps its arrays alive, but cannot notice if one is reallocated: so `fastmlp.model`
allocates a network's parameters and statistics once, and only writes into them afterwards.
"""
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
from libc.stdint cimport int32_t

from cnn_core.passes.batches cimport Source, make_samples
from cnn_core.passes.tiles cimport CORRECT_SLOT, LOSS_SLOT, NORM_SLOTS, make_job
from cnn_core.types cimport LayerSpec, Plan, SparseRow, check_size

check_size(__name__, "LayerSpec", sizeof(LayerSpec))
check_size(__name__, "SparseRow", sizeof(SparseRow))

# Columns of `partials` that Python reads.
LOSS = LOSS_SLOT
CORRECT = CORRECT_SLOT


def partials_width(Py_ssize_t widest):
    """Length of a thread's row of `partials`, in whole cache lines; it has two numbers for each column of the widest
    layer that uses the whole batch.
    """
    return (NORM_SLOTS + 1 + 2 * widest + 7) // 8 * 8


def list_bytes(Py_ssize_t capacity, int n_threads, Py_ssize_t n_columns):
    """Bytes of `sparse`: the lists of the workspace's rows, each thread's part of them, and room for n_columns column
    numbers in each row, 0 if the rows come as lists.
    """
    return capacity * ((1 + n_threads) * sizeof(SparseRow) + n_columns * sizeof(int32_t))


cdef class Pass:
    """A network and the memory for a pass over it; `fastmlp.passes.workspace` computes the sizes."""

    def __cinit__(self, *arguments):
        self.kept = arguments

    def __init__(self, Plan plan, const unsigned char[::1] layers, object params, double[::1] statistics,
                 const double[::1] constants, object work, double[:, ::1] partials, unsigned char[::1] sparse,
                 int n_threads):
        """layers: the bytes of the layer table. params (n_params,), floats or doubles, statistics and constants: the
        network's.

        work (columns of the layout * capacity,) has the type of params; partials is (n_threads, partials_width); sparse
        (list_bytes,) is None if the inputs are rows.
        """
        cdef Py_buffer view
        self.call.job = make_job(plan, <const LayerSpec*> &layers[0], layers.shape[0] // sizeof(LayerSpec), statistics,
                                 constants, partials, sparse)
        self.call.n_threads = n_threads
        PyObject_GetBuffer(params, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
        self.letter = view.format[0]
        self.call.double_precision = self.letter == b"d"
        self.call.params = view.buf
        self.call.n_params = view.len // view.itemsize
        self.read_only = view.readonly
        PyBuffer_Release(&view)
        if self.letter != b"d" and self.letter != b"f":
            raise ValueError("params must be float32 or float64")
        self.call.work = self.numbers(work, (plan.row_loss + 1) * plan.capacity)

    cdef Call with_samples(self, Source X, Source y, const double[::1] weights) noexcept:
        """A call over these samples; y and weights may be None."""
        cdef Call call = self.call
        call.job.samples = make_samples(X, y, weights, None)
        return call

    cdef void* numbers(self, object array, Py_ssize_t least) except? NULL:
        """Pointer to the data of a writable, C-contiguous array of the network's type, with at least `least` numbers.

        ValueError or BufferError for other arrays.
        """
        cdef Py_buffer view
        PyObject_GetBuffer(array, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        try:
            if view.format[0] != self.letter or view.format[1] != 0:
                raise ValueError(f"expected an array of type '{chr(self.letter)}', got '{view.format.decode()}'")
            if view.len < least * view.itemsize:
                raise ValueError(f"expected an array of {least} numbers, got one of {view.len // view.itemsize}")
            return view.buf
        finally:
            PyBuffer_Release(&view)
