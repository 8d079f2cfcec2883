"""One tile through a stretch of the layer table.

    y := f(x W + b)    x (n_rows, n_in), W (n_in, n_out), b (n_out), y (n_rows, n_out)

for a dense layer; the other kinds have their own modules.
"""
from libc.string cimport memcpy

from cnn_core.layers.activations cimport activate
from cnn_core.layers.dropout cimport drop
from cnn_core.layers.normalisation cimport batch_norm, layer_norm
from cnn_core.products.matmul cimport product
from cnn_core.products.sparse cimport sparse_product
from cnn_core.types cimport (
    ACTIVATION, BATCH_NORM, DENSE, DROPOUT, LayerSpec, Mode, Net, SparseRow, Tile, buffer, real,
)


cdef void dense(const LayerSpec* layer, Py_ssize_t n_rows, const real* params, const real* x, real* y) noexcept nogil:
    """y (n_rows, n_out) := x W + b."""
    cdef const real* bias = NULL
    if layer.bias >= 0:
        bias = params + layer.bias
    product(n_rows, layer.n_out, layer.n_in, x, params + layer.weight, bias, y)


cdef void sparse_dense(const LayerSpec* layer, SparseRow* rows, Py_ssize_t n_rows, const real* params,
                       real* y) noexcept nogil:
    """y (n_rows, n_out) := x W + b for rows that are lists of their nonzero numbers."""
    cdef const real* bias = NULL
    if layer.bias >= 0:
        bias = params + layer.bias
    sparse_product(rows, n_rows, layer.n_out, layer.n_in, params + layer.weight, bias, y)


cdef void forward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                  bint activate_last, const real* params, real* work) noexcept nogil:
    """Outputs of layers start..stop-1 from the input of layer `start`.

    The network's last layer keeps its scores where `activate_last` is false: that is what a loss wants.
    """
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    cdef const real* x
    cdef real* y
    cdef real* z
    for i in range(start, stop):
        layer = net.layers + i
        x = buffer(net, tile, work, layer.input, layer.n_in)
        y = buffer(net, tile, work, layer.output, layer.n_out)
        if i == 0 and net.sparse_rows is not NULL:
            sparse_dense(layer, net.sparse_rows + tile.first, tile.n_rows, params, y)
        elif layer.kind == DENSE:
            dense(layer, tile.n_rows, params, x, y)
        elif layer.kind == ACTIVATION:
            memcpy(y, x, tile.n_rows * layer.n_out * sizeof(real))
        elif layer.kind == DROPOUT:
            drop(layer, i, tile, mode, x, y)
        elif layer.kind == BATCH_NORM:
            batch_norm(layer, net, tile, mode.training and layer.trainable != 0, params, work)
        else:
            layer_norm(layer, net, tile, params, work)
        if i < net.n_layers - 1 or activate_last:
            z = NULL if layer.scores < 0 else buffer(net, tile, work, layer.scores, layer.n_out)
            activate(layer, y, z, tile.n_rows)
