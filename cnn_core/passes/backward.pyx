"""Deltas back through the layer table, and weight gradients into a chosen destination.

    delta       := delta * f'(z)                   (n_rows, n_out)
    delta_below := delta W.T                       (n_rows, n_in)
    dW          := alpha * x.T delta + beta * dW   (n_in, n_out)
    db          := alpha * sum of delta's rows + beta_bias * db

The destination has the layout of the parameters. It may be a gradient (alpha 1 / n, beta 0 or 1) or the parameters
themselves (alpha -learning_rate / n): then the product is the update, and `delta_below` is taken before it.
"""
from cnn_core.layers.activations cimport through_activation
from cnn_core.layers.dropout cimport drop
from cnn_core.layers.normalisation cimport layer_norm_backward, running_norm_backward
from cnn_core.products.matmul cimport product_with_transposed_left, product_with_transposed_right, tiny
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.products.sparse cimport sparse_outer
from cnn_core.types cimport ACTIVATION, DENSE, DROPOUT, LAYER_NORM, LayerSpec, Mode, Net, SparseRow, Tile, buffer, real
from libc.string cimport memcpy


cdef enum:
    SIDE_BY_SIDE = 16       # rows of a narrow layer that are added as one long row, to fill the vector registers
    SUMS = 512              # columns that are summed at a time
    TINY = 32               # numbers, too few for such preparations


cdef CLONES_VOID column_sums(const real* delta, Py_ssize_t n_rows, Py_ssize_t n_out, real alpha, real beta,
                             real* db) noexcept nogil:
    """db (n_out) := alpha * column sums of delta (n_rows, n_out) + beta * db."""
    cdef real[SUMS] sums
    cdef Py_ssize_t side = SIDE_BY_SIDE if n_out <= SUMS // SIDE_BY_SIDE and n_rows >= SIDE_BY_SIDE else 1
    cdef Py_ssize_t start = 0, rest = n_rows % SIDE_BY_SIDE * n_out if side > 1 else 0, width, i, j
    while start < n_out:
        width = min(SUMS, side * (n_out - start))
        for j in range(rest):
            sums[j] = delta[j]
        for j in range(rest, width):
            sums[j] = 0
        i = rest + start
        while i < n_rows * n_out:
            for j in range(width):
                sums[j] += delta[i + j]
            i += side * n_out
        while width > n_out:        # the halves of the long row onto each other
            width //= 2
            for j in range(width):
                sums[j] += sums[width + j]
        for j in range(width):
            db[start + j] = alpha * sums[j] + (beta * db[start + j] if beta != 0 else 0)
        start += SUMS


cdef void bias_gradient(const real* delta, Py_ssize_t n_rows, Py_ssize_t n_out, real alpha, real beta,
                        real* db) noexcept nogil:
    """The same; a tiny one is the product of a row of ones with delta."""
    cdef real one = 1
    if n_rows * n_out <= TINY:
        tiny(1, n_out, n_rows, alpha, &one, 0, 0, delta, beta, db, 0, db)
    else:
        column_sums(delta, n_rows, n_out, alpha, beta, db)


cdef void weight_gradient(const Net* net, Py_ssize_t i, const Tile* tile, SparseRow* rows, Py_ssize_t start,
                          Py_ssize_t stop, real* work, real* destination, double alpha, double beta) noexcept nogil:
    """dW[start:stop] of dense layer i; `rows` are the tile's inputs in these columns where they come as lists."""
    cdef const LayerSpec* layer = net.layers + i
    cdef real* x = buffer(net, tile, work, layer.input, layer.n_in)
    cdef real* delta = buffer(net, tile, work, layer.delta, layer.n_out)
    cdef real* dW = destination + layer.weight
    if rows is not NULL:
        sparse_outer(rows, tile.n_rows, layer.n_out, start, stop, alpha, delta, beta, dW)
    else:
        product_with_transposed_left(stop - start, layer.n_out, tile.n_rows, alpha, x + start, layer.n_in, delta, beta,
                                     dW + start * layer.n_out)


cdef void backward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                   const real* params, real* work, real* destination, double alpha, double beta,
                   double beta_bias) noexcept nogil:
    """Layers stop-1 down to `start`, from d loss / d y of layer stop-1 (d loss / d scores for the network's last).

    No batch norm that learns may lie in between: it needs the whole batch and is taken care of by `batch_gradient`.
    Without a destination (NULL) only the deltas are made, and below the lowest layer that learns nothing.
    """
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    cdef const real* z
    cdef real* delta
    cdef real* below
    cdef SparseRow* rows
    for i in range(stop - 1, max(start, net.lowest) - 1, -1):
        layer = net.layers + i
        delta = buffer(net, tile, work, layer.delta, layer.n_out)
        below = NULL if layer.delta_below < 0 else buffer(net, tile, work, layer.delta_below, layer.n_in)
        if i < net.n_layers - 1:
            z = NULL if layer.scores < 0 else buffer(net, tile, work, layer.scores, layer.n_out)
            through_activation(layer, delta, buffer(net, tile, work, layer.output, layer.n_out), z, tile.n_rows)
        if layer.kind == DENSE:
            if below is not NULL:
                product_with_transposed_right(tile.n_rows, layer.n_in, layer.n_out, delta, params + layer.weight,
                                              below)
            if destination is NULL or not layer.trainable:
                continue
            rows = net.sparse_rows + tile.first if i == 0 and net.sparse_rows is not NULL else NULL
            weight_gradient(net, i, tile, rows, 0, layer.n_in, work, destination, alpha, beta)
            if layer.bias >= 0:
                bias_gradient(delta, tile.n_rows, layer.n_out, <real> alpha, <real> beta_bias,
                              destination + layer.bias)
        elif layer.kind == LAYER_NORM:
            layer_norm_backward(layer, net, tile, params, work, destination if layer.trainable else <real*> NULL,
                                alpha, beta_bias)
        elif below is not NULL:
            if layer.kind == ACTIVATION:
                memcpy(below, delta, tile.n_rows * layer.n_in * sizeof(real))
            elif layer.kind == DROPOUT:
                drop(layer, i, tile, mode, delta, below)
            else:
                running_norm_backward(layer, net, tile, params, work)
