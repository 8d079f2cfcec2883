from cnn_core.types cimport Group, Step, real

cpdef enum Update:
    SGD = 0
    RMSPROP = 1
    ADAGRAD = 2
    ADAM = 3
    ADAMW = 4
    NADAM = 5
    RPROP = 6

cdef void update(int rule, const Group* groups, Py_ssize_t n_groups, const Step* step, Py_ssize_t start,
                 Py_ssize_t stop, bint nesterov, real* params, real* gradient, real* state,
                 Py_ssize_t n_params) noexcept nogil
