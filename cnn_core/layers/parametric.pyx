"""Parametric activations: each unit learns how much of its activation it applies.

    y           := x + a (f(x) - x)                                   x, y (n_rows, n), a (n): 1 gives f, 0 gives x
    delta_below := delta + a (delta * f'(x) - delta)                  (n_rows, n)
    da          := alpha * sum over the rows of delta * (f(x) - x) + beta * da

The forward pass keeps f(x) in the buffer `scores`. Sources: He et al., ICCV 2015 (with relu, their PReLU);
Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024 (any f).
"""
from libc.string cimport memcpy

from cnn_core.layers.activations cimport activate, through_activation
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport LayerSpec, Net, Share, Tile, buffer, real


cdef inline LayerSpec curve_of(const LayerSpec* layer) noexcept nogil:
    """A copy of the layer whose activation is f."""
    cdef LayerSpec curve = layer[0]
    curve.activation = layer.curve
    return curve


cdef CLONES_VOID mix_in(const real* x, const real* f, const real* a, real* y, Py_ssize_t n_rows,
                        Py_ssize_t n) noexcept nogil:
    """y (n_rows, n) := x + a (f - x); y may be f."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(n):
            y[i * n + j] = x[i * n + j] + a[j] * (f[i * n + j] - x[i * n + j])


cdef CLONES_VOID add_column_sums(const real* x, const real* f, const real* delta, Py_ssize_t n_rows, Py_ssize_t n,
                                 Py_ssize_t start, Py_ssize_t stop, real alpha, real* da) noexcept nogil:
    """da[start:stop] += alpha * sum over the rows of delta * (f - x) (n_rows, n)."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(start, stop):
            da[j] += alpha * delta[i * n + j] * (f[i * n + j] - x[i * n + j])


cdef CLONES_VOID products(const real* x, const real* f, const real* delta, Py_ssize_t n_rows, Py_ssize_t n,
                          real* rows, Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := delta * (f - x) (n_rows, n)."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(n):
            rows[i * stride + j] = delta[i * n + j] * (f[i * n + j] - x[i * n + j])


cdef void parametric_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                             real* work) noexcept nogil:
    """y := x + a (f(x) - x)."""
    cdef const LayerSpec* layer = net.layers + i
    cdef LayerSpec curve = curve_of(layer)
    cdef Py_ssize_t n = layer.n_out
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef real* f = buffer(net, tile, work, layer.scores, n)
    memcpy(f, x, tile.n_rows * n * sizeof(real))
    activate(&curve, f, <real*> NULL, tile.n_rows)
    mix_in(x, <const real*> f, params + layer.gain, buffer(net, tile, work, layer.output, n), tile.n_rows, n)


cdef void parametric_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                              real* work) noexcept nogil:
    """delta_below := delta + a (delta * f'(x) - delta)."""
    cdef const LayerSpec* layer = net.layers + i
    cdef LayerSpec curve = curve_of(layer)
    cdef Py_ssize_t n = layer.n_out
    cdef const real* delta = buffer(net, tile, work, layer.delta, n)
    cdef real* below = buffer(net, tile, work, layer.delta_below, n)
    memcpy(below, delta, tile.n_rows * n * sizeof(real))
    through_activation(&curve, below, <const real*> buffer(net, tile, work, layer.scores, n),
                       <const real*> buffer(net, tile, work, layer.input, n), tile.n_rows)
    mix_in(delta, <const real*> below, params + layer.gain, below, tile.n_rows, n)


cdef void columns_gradient(const Net* net, const LayerSpec* layer, const Tile* tile, Py_ssize_t start, Py_ssize_t stop,
                           real* work, real* destination, double alpha, double beta) noexcept nogil:
    """da[start:stop]."""
    cdef Py_ssize_t n = layer.n_out, j
    cdef real* da = destination + layer.gain
    for j in range(start, stop):
        da[j] = <real> (beta * da[j]) if beta != 0 else 0
    add_column_sums(<const real*> buffer(net, tile, work, layer.input, n),
                    <const real*> buffer(net, tile, work, layer.scores, n),
                    <const real*> buffer(net, tile, work, layer.delta, n), tile.n_rows, n, start, stop, <real> alpha,
                    da)


cdef void parametric_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination,
                              double alpha, double beta) noexcept nogil:
    """The tile's da."""
    columns_gradient(net, net.layers + i, tile, 0, net.layers[i].n_out, work, destination, alpha, beta)


cdef Share parametric_share(const LayerSpec* layer, int index, int size) noexcept nogil:
    """A member's share: some of the units."""
    cdef Share share
    share.start = share.stop = 0
    share.bias_start = layer.gain + layer.n_out * index // size
    share.bias_stop = layer.gain + layer.n_out * (index + 1) // size
    return share


cdef void parametric_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size, real* work,
                                    real* destination, double alpha, double beta) noexcept nogil:
    """da of a member's share."""
    cdef const LayerSpec* layer = net.layers + i
    columns_gradient(net, layer, batch, layer.n_out * index // size, layer.n_out * (index + 1) // size, work,
                     destination, alpha, beta)


cdef void parametric_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                          Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := each row's own da."""
    cdef const LayerSpec* layer = net.layers + i
    products(<const real*> buffer(net, tile, work, layer.input, layer.n_out),
             <const real*> buffer(net, tile, work, layer.scores, layer.n_out),
             <const real*> buffer(net, tile, work, layer.delta, layer.n_out), tile.n_rows, layer.n_out,
             rows + layer.gain, stride)
