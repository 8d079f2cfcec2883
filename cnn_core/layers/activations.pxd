from cnn_core.machine.simd cimport exp
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
    INCREASING = 13

cdef inline real limited_exp(real z) noexcept nogil:
    """e^min(z, 40), in double e^min(z, 350): the squared error of a larger one would overflow."""
    cdef real limit = 40 if real is float else 350
    return exp(limit if z > limit else z)      # in this order NaN stays NaN


cdef void activate(const LayerSpec* layer, real* y, real* z, Py_ssize_t n_rows) noexcept nogil
cdef void through_activation(const LayerSpec* layer, real* delta, const real* y, const real* z,
                             Py_ssize_t n_rows) noexcept nogil
