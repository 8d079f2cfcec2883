from cnn_core.machine.team cimport Member
from cnn_core.passes.tiles cimport Job
from cnn_core.steps.way cimport Way
from cnn_core.types cimport Step, real

cdef void train_step(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t number,
                     Py_ssize_t first, Py_ssize_t n_batch, real* params, real* gradients, real* state,
                     real* work) noexcept nogil
