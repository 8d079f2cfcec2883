from cnn_core.machine.team cimport Member
from cnn_core.passes.tiles cimport Job
from cnn_core.steps.way cimport Way
from cnn_core.types cimport Step, real

cdef void change_gradient(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t start,
                          Py_ssize_t stop, real* gradient) noexcept nogil
