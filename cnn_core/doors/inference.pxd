from cnn_core.machine.team cimport Member
from cnn_core.passes.tiles cimport Job
from cnn_core.types cimport real

cdef void predict_tiles(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                        const real* params, real* out, real* work) noexcept nogil
