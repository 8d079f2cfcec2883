"""Inverted dropout (Srivastava et al., JMLR 2014): kept values are divided by 1 - rate, so prediction changes nothing.

The mask is a function of the step's key, the layer and the position in the batch; forward and backward multiply by the
same mask.
"""
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

from cnn_core.machine.random cimport mix
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, buffer, real


cdef CLONES_VOID mask_product(uint64_t key, uint64_t counter, uint64_t threshold, real factor, const real* x, real* y,
                              Py_ssize_t n) noexcept nogil:
    """y (n) := x * factor where the random number is at least the threshold, 0 elsewhere."""
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = x[i] * factor if (mix(key, counter + i) >> 32) >= threshold else 0


cdef void drop(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, const real* x,
               real* y) noexcept nogil:
    """y (n_rows, n) := x * mask / (1 - rate). The caller keeps the rate below 1."""
    cdef const LayerSpec* layer = net.layers + i
    cdef double rate = (layer.rate if mode.dropout_rates is NULL else mode.dropout_rates[i]) * mode.dropout_factor
    cdef Py_ssize_t n = tile.n_rows * layer.n_out
    if not mode.training or rate <= 0:
        memcpy(y, x, n * sizeof(real))
    else:
        mask_product(mix(mode.dropout_key, i), tile.position * layer.n_out, <uint64_t> (rate * 4294967296.0),
                     <real> (1 / (1 - rate)), x, y, n)


cdef void dropout_forward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, real* work) noexcept nogil:
    """y := x * mask / (1 - rate)."""
    cdef const LayerSpec* layer = net.layers + i
    drop(net, i, tile, mode, <const real*> buffer(net, tile, work, layer.input, layer.n_in),
         buffer(net, tile, work, layer.output, layer.n_out))


cdef void dropout_backward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode,
                           real* work) noexcept nogil:
    """delta_below := delta * mask / (1 - rate), with the same mask."""
    cdef const LayerSpec* layer = net.layers + i
    drop(net, i, tile, mode, <const real*> buffer(net, tile, work, layer.delta, layer.n_out),
         buffer(net, tile, work, layer.delta_below, layer.n_in))
