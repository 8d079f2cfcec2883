"""One tile through a stretch of the layer table.

    y := f(x W + b)    x (n_rows, n_in), W (n_in, n_out), b (n_out), y (n_rows, n_out)

for a dense layer; the other kinds have their own modules.
"""
from libc.string cimport memcpy, memset

from cnn_core.activations cimport activate
from cnn_core.dropout cimport drop
from cnn_core.normalisation cimport batch_norm, layer_norm
from cnn_core.products cimport product
from cnn_core.sparse cimport sparse_product
from cnn_core.types cimport (
    ACTIVATION, BATCH_NORM, DENSE, DROPOUT, LayerSpec, Mode, Net, SparseRow, Tile, buffer, real,
)


cdef void lay_biases(const LayerSpec* layer, Py_ssize_t n_rows, const real* params, real* y) noexcept nogil:
    """y (n_rows, n_out) := b, so that a product can add to it; left as it is where there are none."""
    cdef Py_ssize_t filled = layer.n_out, n = n_rows * layer.n_out
    if layer.bias >= 0:
        memcpy(y, params + layer.bias, layer.n_out * sizeof(real))
        while filled < n:       # each copy doubles what is there: few long copies instead of many short ones
            memcpy(y + filled, y, min(filled, n - filled) * sizeof(real))
            filled *= 2


cdef void dense(const LayerSpec* layer, Py_ssize_t n_rows, const real* params, const real* x, real* y) noexcept nogil:
    """y (n_rows, n_out) := x W + b."""
    lay_biases(layer, n_rows, params, y)
    product(n_rows, layer.n_out, layer.n_in, x, params + layer.weight, 1.0 if layer.bias >= 0 else 0.0, y)


cdef void sparse_dense(const LayerSpec* layer, SparseRow* rows, Py_ssize_t n_rows, const real* params,
                       real* y) noexcept nogil:
    """y (n_rows, n_out) := x W + b for rows that are lists of their nonzero numbers."""
    if layer.bias < 0:
        memset(y, 0, n_rows * layer.n_out * sizeof(real))
    lay_biases(layer, n_rows, params, y)
    sparse_product(rows, n_rows, layer.n_out, layer.n_in, params + layer.weight, y)


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
            batch_norm(layer, net, tile, mode.training, params, work)
        else:
            layer_norm(layer, net, tile, params, work)
        if i < net.n_layers - 1 or activate_last:
            z = NULL if layer.scores < 0 else buffer(net, tile, work, layer.scores, layer.n_out)
            activate(layer, y, z, tile.n_rows)
