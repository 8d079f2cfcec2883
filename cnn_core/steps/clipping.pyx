"""Gradient clipping, before the update.

    g := min(max(g, -clip_value), clip_value)             each element
    g := g * min(1, clip_norm / ||g||)                    ||g||: norm over all parameters that learn

The norm needs the whole gradient, so every member of the team sums the squares of its slice, waits for the others, and
adds all sums in the same order. The sums are double: in float32, the squares of an exploding gradient would overflow.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
"""
from libc.math cimport INFINITY, sqrt

from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.machine.team cimport Member, wait_for_all
from cnn_core.passes.tiles cimport SQUARES_SLOT, Job
from cnn_core.types cimport Group, Step, real

cdef enum:
    LANES = 16        # parallel sums


cdef CLONES_VOID clip_values(Py_ssize_t n, real* g, real limit) noexcept nogil:
    """g (n) := min(max(g, -limit), limit); NaN stays."""
    cdef Py_ssize_t i
    for i in range(n):
        g[i] = limit if g[i] > limit else (-limit if g[i] < -limit else g[i])


cdef CLONES_VOID add_squares(Py_ssize_t n, const real* g, double* total) noexcept nogil:
    """total += the sum of g^2 over (n)."""
    cdef double[LANES] sums
    cdef Py_ssize_t i, j, whole = n // LANES
    for j in range(LANES):
        sums[j] = 0
    for i in range(whole):
        for j in range(LANES):
            sums[j] += <double> g[i * LANES + j] * <double> g[i * LANES + j]
    for j in range(n % LANES):
        sums[j] += <double> g[whole * LANES + j] * <double> g[whole * LANES + j]
    for j in range(LANES):
        total[0] += sums[j]


cdef CLONES_VOID multiply(Py_ssize_t n, real* g, real factor) noexcept nogil:
    """g (n) := factor * g."""
    cdef Py_ssize_t i
    for i in range(n):
        g[i] *= factor


cdef void clip(const Job* job, Member member, const Group* groups, Py_ssize_t n_groups, const Step* step,
               Py_ssize_t start, Py_ssize_t stop, real* gradient) noexcept nogil:
    """Clip this member's slice gradient[start:stop]. Only elements in a group count: the others do not learn."""
    cdef double* squares = job.partials + member.index * job.stride + SQUARES_SLOT
    cdef double norm = 0
    cdef Py_ssize_t k, low, high
    squares[0] = 0
    for k in range(n_groups):
        low = max(start, groups[k].start)
        high = min(stop, groups[k].start + groups[k].length)
        if low < high:
            if step.clip_value < INFINITY:
                clip_values(high - low, gradient + low, <real> step.clip_value)
            add_squares(high - low, gradient + low, squares)
    if step.clip_norm == INFINITY:
        return
    wait_for_all(member)
    for k in range(member.size):
        norm += job.partials[k * job.stride + SQUARES_SLOT]
    norm = sqrt(norm)
    if norm > step.clip_norm:
        multiply(stop - start, gradient + start, <real> (step.clip_norm / norm))
