"""The L2 penalty: a batch minimises its mean loss + penalty / 2 * the sum of squares of all weights.

The pass over the weights that adds the penalty to their gradient also sums their squares for the loss. A single sum
would cost the latency of an addition for each weight; here many sums run in parallel, and a weight is always in the
same one.
"""
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport Group, real

cdef enum:
    LANES = 64        # parallel sums
    STRETCH = 4096    # weights summed in `real` before the total goes on in double; they fit the L1 cache


cdef CLONES_VOID add_multiple(Py_ssize_t n, const real* w, real* g, real factor) noexcept nogil:
    """g (n) += factor * w."""
    cdef Py_ssize_t i
    for i in range(n):
        g[i] += factor * w[i]


cdef CLONES_VOID add_squares(Py_ssize_t n, const real* w, double factor, double* total) noexcept nogil:
    """total += factor * the sum of w^2 over (n), for n <= STRETCH."""
    cdef real[LANES] sums
    cdef double rest = 0
    cdef Py_ssize_t i, j, width, whole = n // LANES
    for j in range(LANES):
        sums[j] = 0
    for i in range(whole):
        for j in range(LANES):
            sums[j] += w[i * LANES + j] * w[i * LANES + j]
    for j in range(n % LANES):
        sums[j] += w[whole * LANES + j] * w[whole * LANES + j]
    width = LANES // 2
    while width >= 8:
        for j in range(width):
            sums[j] += sums[j + width]
        width //= 2
    for j in range(8):
        rest += sums[j]
    total[0] += factor * rest


cdef double penalise(const Group* groups, Py_ssize_t n_groups, double penalty, Py_ssize_t start, Py_ssize_t stop,
                     const real* params, real* gradient) noexcept nogil:
    """gradient[start:stop] += penalty * decay_factor * w; returns the sum of decay_factor * w^2 there.

    gradient may be NULL: plain gradient descent shrinks the weights instead.
    """
    cdef Py_ssize_t k, low, high, n
    cdef double total = 0
    for k in range(n_groups):
        if groups[k].decay_factor == 0:
            continue
        low = max(start, groups[k].start)
        high = min(stop, groups[k].start + groups[k].length)
        while low < high:
            n = min(<Py_ssize_t> STRETCH, high - low)
            add_squares(n, params + low, groups[k].decay_factor, &total)
            if gradient is not NULL:
                add_multiple(n, params + low, gradient + low, <real> (penalty * groups[k].decay_factor))
            low += n
    return total
