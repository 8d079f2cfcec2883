"""Outputs that increase within each group, for several quantiles of one target, which then never cross.

    y_0 = z_0,  y_j = y_{j-1} + softplus(z_j)                      forward, j = 1 .. size - 1
    d loss / d z_0 = g_0,  d loss / d z_j = sigmoid(z_j) g_j       backward, g_j = sum_{i >= j} d loss / d y_i

An activation of whole groups, as softmax is one of whole rows: it needs the scores z.
"""
from cnn_core.machine.simd cimport sigmoid, softplus
from cnn_core.types cimport real


cdef void increase(real* y, Py_ssize_t n_groups, Py_ssize_t size) noexcept nogil:
    """y (n_groups, size) := the outputs of the scores y."""
    cdef Py_ssize_t i, j
    for i in range(n_groups):
        for j in range(i * size + 1, (i + 1) * size):
            y[j] = y[j - 1] + softplus(y[j])


cdef void through_increase(real* delta, const real* z, Py_ssize_t n_groups, Py_ssize_t size) noexcept nogil:
    """delta (n_groups, size): d loss / d y becomes d loss / d z, from the scores z."""
    cdef Py_ssize_t i, j
    for i in range(n_groups):
        for j in range((i + 1) * size - 1, i * size, -1):
            delta[j - 1] += delta[j]
            delta[j] *= sigmoid(z[j])
