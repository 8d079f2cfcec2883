from cnn_core.types cimport Group, real

cdef double penalise(const Group* groups, Py_ssize_t n_groups, double penalty, Py_ssize_t start, Py_ssize_t stop,
                     const real* params, real* gradient) noexcept nogil
