from cnn_core.types cimport LayerSpec, real

cpdef enum Activation:
    IDENTITY = 0
    SIGMOID = 1
    TANH = 2
    RELU = 3
    LEAKY_RELU = 4
    ELU = 5
    SELU = 6
    SOFTPLUS = 7
    SILU = 8
    GELU = 9
    MISH = 10
    SOFTMAX = 11
    EXP = 12

cdef void activate(const LayerSpec* layer, real* y, real* z, Py_ssize_t n_rows) noexcept nogil
cdef void through_activation(const LayerSpec* layer, real* delta, const real* y, const real* z,
                             Py_ssize_t n_rows) noexcept nogil
