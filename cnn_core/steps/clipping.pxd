from cnn_core.machine.team cimport Member
from cnn_core.passes.tiles cimport Job
from cnn_core.types cimport Group, Step, real

cdef void clip(const Job* job, Member member, const Group* groups, Py_ssize_t n_groups, const Step* step,
               Py_ssize_t start, Py_ssize_t stop, real* gradient) noexcept nogil
