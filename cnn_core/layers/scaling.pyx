"""Scaling: each column times a learned number.

    y           := s x                                         x, y (n_rows, n), s (n)
    delta_below := s delta                                     (n_rows, n)
    ds          := alpha * sum over the rows of delta x + beta * ds

Source: Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024.
"""
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport LayerSpec, Net, Share, Tile, buffer, real


cdef CLONES_VOID scale_columns(const real* x, const real* s, real* y, Py_ssize_t n_rows, Py_ssize_t n) noexcept nogil:
    """y (n_rows, n) := s x."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(n):
            y[i * n + j] = s[j] * x[i * n + j]


cdef CLONES_VOID add_products(const real* x, const real* delta, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t start,
                              Py_ssize_t stop, real alpha, real* ds) noexcept nogil:
    """ds[start:stop] += alpha * sum over the rows of delta x."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(start, stop):
            ds[j] += alpha * delta[i * n + j] * x[i * n + j]


cdef CLONES_VOID products(const real* x, const real* delta, Py_ssize_t n_rows, Py_ssize_t n, real* rows,
                          Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := delta x."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(n):
            rows[i * stride + j] = delta[i * n + j] * x[i * n + j]


cdef void scaling_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                          real* work) noexcept nogil:
    """y := s x."""
    cdef const LayerSpec* layer = net.layers + i
    scale_columns(<const real*> buffer(net, tile, work, layer.input, layer.n_in), params + layer.gain,
                  buffer(net, tile, work, layer.output, layer.n_out), tile.n_rows, layer.n_out)


cdef void scaling_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                           real* work) noexcept nogil:
    """delta_below := s delta."""
    cdef const LayerSpec* layer = net.layers + i
    scale_columns(<const real*> buffer(net, tile, work, layer.delta, layer.n_out), params + layer.gain,
                  buffer(net, tile, work, layer.delta_below, layer.n_in), tile.n_rows, layer.n_in)


cdef void columns_gradient(const Net* net, const LayerSpec* layer, const Tile* tile, Py_ssize_t start, Py_ssize_t stop,
                           real* work, real* destination, double alpha, double beta) noexcept nogil:
    """ds[start:stop]."""
    cdef real* ds = destination + layer.gain
    cdef Py_ssize_t j
    for j in range(start, stop):
        ds[j] = <real> (beta * ds[j]) if beta != 0 else 0
    add_products(<const real*> buffer(net, tile, work, layer.input, layer.n_in),
                 <const real*> buffer(net, tile, work, layer.delta, layer.n_out), tile.n_rows, layer.n_out, start,
                 stop, <real> alpha, ds)


cdef void scaling_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination, double alpha,
                           double beta) noexcept nogil:
    """The tile's ds."""
    columns_gradient(net, net.layers + i, tile, 0, net.layers[i].n_out, work, destination, alpha, beta)


cdef Share scaling_share(const LayerSpec* layer, int index, int size) noexcept nogil:
    """A member's share: some of the columns."""
    cdef Share share
    share.start = share.stop = 0
    share.bias_start = layer.gain + layer.n_out * index // size
    share.bias_stop = layer.gain + layer.n_out * (index + 1) // size
    return share


cdef void scaling_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size, real* work,
                                 real* destination, double alpha, double beta) noexcept nogil:
    """ds of a member's share."""
    cdef const LayerSpec* layer = net.layers + i
    columns_gradient(net, layer, batch, layer.n_out * index // size, layer.n_out * (index + 1) // size, work,
                     destination, alpha, beta)


cdef void scaling_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                       Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := each row's own ds."""
    cdef const LayerSpec* layer = net.layers + i
    products(<const real*> buffer(net, tile, work, layer.input, layer.n_in),
             <const real*> buffer(net, tile, work, layer.delta, layer.n_out), tile.n_rows, layer.n_out,
             rows + layer.gain, stride)
