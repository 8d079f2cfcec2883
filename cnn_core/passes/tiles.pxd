from cnn_core.machine.team cimport Barrier, Member
from cnn_core.passes.batches cimport Samples
from cnn_core.types cimport LayerSpec, Net, Plan, Tile, real

cdef enum:
    LOSS_SLOT = 0        # in a thread's row of `partials`: summed loss
    CORRECT_SLOT = 1     # summed weight of the rows classified correctly
    SQUARES_SLOT = 2     # sum of squares of the thread's slice of the gradient
    NORM_SLOTS = 3       # first slot of the batch norms' sums

# What a pass over samples needs besides parameters and workspace.
cdef struct Job:
    Net net
    Samples samples
    Barrier barrier
    double* partials         # (n_threads, stride)
    Py_ssize_t stride

cdef Job make_job(Plan plan, const LayerSpec* layers, Py_ssize_t n_layers, double[::1] statistics,
                  const double[::1] constants, double[:, ::1] partials, unsigned char[::1] sparse) noexcept
cdef Py_ssize_t count_tiles(const Job* job, Py_ssize_t n_batch) noexcept nogil

cdef inline Py_ssize_t own_tile(Member member, Py_ssize_t first_tile) noexcept nogil:
    """This member's first tile at or after `first_tile`: tile i is that of member i % member.size."""
    return first_tile + (member.index + member.size - first_tile % member.size) % member.size

cdef Tile place_tile(const Job* job, Member member, Py_ssize_t i, Py_ssize_t n_batch) noexcept nogil
cdef void load_inputs(const Job* job, const Tile* tile, Py_ssize_t first_sample, real* work) noexcept nogil
cdef void load_tile(const Job* job, const Tile* tile, Py_ssize_t first_sample, real* work) noexcept nogil
