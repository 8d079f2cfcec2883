"""The moving average of the parameters along the path of the steps.

    average := (1 - share) * average + share * params

With share = (1 - decay) / (1 - decay^t) in step t = 1, 2, ... it is the mean of the parameters behind all steps, the
one of i steps ago weighted by decay^i: the start, which isn't behind any step, has no part in it. Sources: Polyak and
Juditsky 1992 (decay 1, the plain mean); the correction for the start is that of Adam, Kingma and Ba 2015.
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
