from cnn_core.types cimport Group, Step, real

cpdef enum Update:
    SGD = 0
    RMSPROP = 1
    ADAGRAD = 2
    ADAM = 3
    ADAMW = 4
    NADAM = 5
    RPROP = 6
    RPROP_PLUS = 7      # iRprop+

# The update rule and the groups of parameters.
cdef struct Updater:
    int rule
    bint nesterov
    const Group* groups
    Py_ssize_t n_groups
    Py_ssize_t n_params

cdef void update(const Updater* updater, const Step* step, Py_ssize_t start, Py_ssize_t stop, real* params,
                 real* gradient, real* state) noexcept nogil
