"""The moving average of the parameters over the steps.

    average := (1 - share) * average + share * params

With share = (1 - decay) / (1 - decay^t) in step t = 1, 2, ..., it is the mean of the parameters after each step, those
of i steps ago with weight decay^i; the initial parameters do not count. Sources: Polyak and Juditsky 1992 (decay 1, the
plain mean); the bias correction is that of Adam, Kingma and Ba 2015.
"""
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport real


cdef CLONES_VOID mix_in(Py_ssize_t n, const real* values, real* average, real rest, real share) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        average[i] = rest * average[i] + share * values[i]


cdef void move_average(Py_ssize_t n, const real* values, real* average, double share) noexcept nogil:
    """average (n) := (1 - share) * average + share * values."""
    mix_in(n, values, average, <real> (1 - share), <real> share)
