"""Max-norm: a unit's incoming weights with a larger norm than the limit are scaled down to it.

    W[:, j] := W[:, j] * min(1, limit / ||W[:, j]||)      W (n_in, n_out), after each update

Source: Srivastava et al., JMLR 2014, section 5.1.
"""
from libc.math cimport sqrt

from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.machine.team cimport Member
from cnn_core.types cimport LayerSpec, Net, real

cdef enum:
    BLOCK = 64        # columns that one member takes at a time


cdef CLONES_VOID sum_columns(const real* W, Py_ssize_t n_in, Py_ssize_t n_out, Py_ssize_t width,
                             double* sums) noexcept nogil:
    """sums (width,) := summed squares of the first `width` of n_out columns."""
    cdef Py_ssize_t i, j
    for j in range(width):
        sums[j] = 0
    for i in range(n_in):
        for j in range(width):
            sums[j] += <double> W[i * n_out + j] * <double> W[i * n_out + j]


cdef CLONES_VOID multiply_columns(real* W, Py_ssize_t n_in, Py_ssize_t n_out, Py_ssize_t width,
                                  const real* factors) noexcept nogil:
    """W[:, :width] *= factors (width,)."""
    cdef Py_ssize_t i, j
    for i in range(n_in):
        for j in range(width):
            W[i * n_out + j] *= factors[j]


cdef void limit_block(real* W, Py_ssize_t n_in, Py_ssize_t n_out, Py_ssize_t width, double limit) noexcept nogil:
    """Limit the first `width` of n_out columns, at most BLOCK."""
    cdef double[BLOCK] sums
    cdef real[BLOCK] factors
    cdef bint too_long = False
    cdef Py_ssize_t j
    sum_columns(W, n_in, n_out, width, sums)
    for j in range(width):
        factors[j] = 1
        if sums[j] > limit * limit:
            factors[j] = <real> (limit / sqrt(sums[j]))
            too_long = True
    if too_long:
        multiply_columns(W, n_in, n_out, width, factors)


cdef void limit_columns(const Net* net, Member member, double limit, real* params) noexcept nogil:
    """Limit this member's blocks of columns of every W that learns."""
    cdef const LayerSpec* layer
    cdef Py_ssize_t i, start
    for i in range(net.n_layers):
        layer = net.layers + i
        if layer.weight >= 0 and layer.learns:
            start = member.index * BLOCK
            while start < layer.n_out:
                limit_block(params + layer.weight + start, layer.n_in, layer.n_out,
                            min(<Py_ssize_t> BLOCK, layer.n_out - start), limit)
                start += member.size * BLOCK
