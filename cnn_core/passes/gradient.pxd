from cnn_core.machine.team cimport Member
from cnn_core.passes.tiles cimport Job
from cnn_core.types cimport Mode, Net, real

cdef void batch_gradient(const Job* job, Member member, Py_ssize_t first_sample, Py_ssize_t n_batch, const Mode* mode,
                         const real* params, real* work, real* destination, double alpha, double beta,
                         double beta_bias) noexcept nogil
cdef void sum_gradients(real* gradients, Py_ssize_t n_params, Py_ssize_t n_gradients, Py_ssize_t start,
                        Py_ssize_t stop) noexcept nogil
cdef Py_ssize_t last_stop(const Net* net, Py_ssize_t stop) noexcept nogil
