"""Dense layers, before their activation.

    y           := x W + b                         x (n_rows, n_in), W (n_in, n_out), b (n_out), y (n_rows, n_out)
    delta_below := delta W.T                       (n_rows, n_in)
    dW          := alpha * x.T delta + beta * dW   (n_in, n_out)
    db          := alpha * sum of delta's rows + beta_bias * db

The first layer can take its inputs as lists of their nonzeros (`products.sparse`).
"""
from libc.string cimport memcpy

from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.products.matmul cimport (
    product, product_with_transposed_left, product_with_transposed_right, tiny_product,
)
from cnn_core.products.sparse cimport cut, sparse_outer, sparse_product
from cnn_core.types cimport LayerSpec, Net, Share, SparseRow, Tile, buffer, real

cdef enum:
    SIDE_BY_SIDE = 16       # rows of a narrow layer that are summed as one long row, to fill the vector registers
    SUMS = 512              # columns that are summed at a time
    TINY = 32               # elements of delta up to which a plain product is faster


cdef inline SparseRow* lists_of(const Net* net, Py_ssize_t i, const Tile* tile) noexcept nogil:
    """The tile's inputs of layer i as lists of their nonzeros, or NULL."""
    return net.sparse_rows + tile.first if i == 0 and net.sparse_rows is not NULL else NULL


cdef void dense_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params, real* work) noexcept nogil:
    """y := x W + b."""
    cdef const LayerSpec* layer = net.layers + i
    cdef SparseRow* rows = lists_of(net, i, tile)
    cdef const real* bias = NULL
    cdef real* y = buffer(net, tile, work, layer.output, layer.n_out)
    if layer.bias >= 0:
        bias = params + layer.bias
    if rows is not NULL:
        sparse_product(rows, tile.n_rows, layer.n_out, layer.n_in, params + layer.weight, bias, y)
    else:
        product(tile.n_rows, layer.n_out, layer.n_in, buffer(net, tile, work, layer.input, layer.n_in),
                params + layer.weight, bias, y)


cdef void dense_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params, real* work) noexcept nogil:
    """delta_below := delta W.T."""
    cdef const LayerSpec* layer = net.layers + i
    product_with_transposed_right(tile.n_rows, layer.n_in, layer.n_out,
                                  buffer(net, tile, work, layer.delta, layer.n_out), params + layer.weight,
                                  buffer(net, tile, work, layer.delta_below, layer.n_in))


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
        while width > n_out:        # add the halves of the long row
            width //= 2
            for j in range(width):
                sums[j] += sums[width + j]
        for j in range(width):
            db[start + j] = alpha * sums[j] + (beta * db[start + j] if beta != 0 else 0)
        start += SUMS


cdef void bias_gradient(const real* delta, Py_ssize_t n_rows, Py_ssize_t n_out, real alpha, real beta,
                        real* db) noexcept nogil:
    """The same; for a tiny delta, the product of a row of ones with delta."""
    cdef real one = 1
    if n_rows * n_out <= TINY:
        tiny_product(1, n_out, n_rows, alpha, &one, 0, 0, delta, beta, db, 0, db)
    else:
        column_sums(delta, n_rows, n_out, alpha, beta, db)


cdef void weight_gradient(const Net* net, const LayerSpec* layer, const Tile* tile, SparseRow* rows, Py_ssize_t start,
                          Py_ssize_t stop, real* work, real* destination, double alpha, double beta) noexcept nogil:
    """dW[start:stop]; `rows` are the tile's inputs in these columns if they come as lists, else NULL."""
    cdef real* x = buffer(net, tile, work, layer.input, layer.n_in)
    cdef real* delta = buffer(net, tile, work, layer.delta, layer.n_out)
    cdef real* dW = destination + layer.weight
    if rows is not NULL:
        sparse_outer(rows, tile.n_rows, layer.n_out, start, stop, alpha, delta, beta, dW)
    else:
        product_with_transposed_left(stop - start, layer.n_out, tile.n_rows, alpha, x + start, layer.n_in, delta, beta,
                                     dW + start * layer.n_out)


cdef void dense_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination, double alpha,
                         double beta, double beta_bias) noexcept nogil:
    """The tile's dW and db."""
    cdef const LayerSpec* layer = net.layers + i
    weight_gradient(net, layer, tile, lists_of(net, i, tile), 0, layer.n_in, work, destination, alpha, beta)
    if layer.bias >= 0:
        bias_gradient(buffer(net, tile, work, layer.delta, layer.n_out), tile.n_rows, layer.n_out, <real> alpha,
                      <real> beta_bias, destination + layer.bias)


cdef Share dense_share(const LayerSpec* layer, int index, int size) noexcept nogil:
    """A member's share: some of the rows of W; the first member also has b."""
    cdef Share share
    share.start = layer.weight + layer.n_in * index // size * layer.n_out
    share.stop = layer.weight + layer.n_in * (index + 1) // size * layer.n_out
    share.bias_start = share.bias_stop = layer.bias
    if layer.bias >= 0 and index == 0:
        share.bias_stop += layer.n_out
    return share


cdef void dense_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size, real* work,
                               real* destination, double alpha, double beta, double beta_bias) noexcept nogil:
    """The gradient of a member's share, from the whole batch."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t start = layer.n_in * index // size, stop = layer.n_in * (index + 1) // size
    cdef const real* delta = buffer(net, batch, work, layer.delta, layer.n_out)
    cdef SparseRow* rows = lists_of(net, i, batch)
    if rows is not NULL:
        rows = net.cut_rows + index * net.plan.capacity
        cut(net.sparse_rows, batch.n_rows, start, stop, delta, rows)
    weight_gradient(net, layer, batch, rows, start, stop, work, destination, alpha, beta)
    if layer.bias >= 0 and index == 0:
        bias_gradient(delta, batch.n_rows, layer.n_out, <real> alpha, <real> beta_bias, destination + layer.bias)


cdef CLONES_VOID outer_rows(const real* x, const real* delta, Py_ssize_t n_rows, Py_ssize_t n_in, Py_ssize_t n_out,
                            real* rows, Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := each row's x delta.T (n_in, n_out)."""
    cdef Py_ssize_t i, j, row
    cdef real* there
    for row in range(n_rows):
        for i in range(n_in):
            there = rows + row * stride + i * n_out
            for j in range(n_out):
                there[j] = x[row * n_in + i] * delta[row * n_out + j]


cdef void dense_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                     Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := each row's own dW and db."""
    cdef const LayerSpec* layer = net.layers + i
    cdef const real* delta = buffer(net, tile, work, layer.delta, layer.n_out)
    cdef Py_ssize_t row
    outer_rows(<const real*> buffer(net, tile, work, layer.input, layer.n_in), delta, tile.n_rows, layer.n_in,
               layer.n_out, rows + layer.weight, stride)
    if layer.bias >= 0:
        for row in range(tile.n_rows):
            memcpy(rows + row * stride + layer.bias, delta + row * layer.n_out, layer.n_out * sizeof(real))
