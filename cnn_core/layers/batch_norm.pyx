"""Batch normalisation: y = gain * xhat + shift with xhat = (x - mean) / sqrt(variance + epsilon), column by column.

In training, mean and variance are those of the whole batch, which may be spread over many tiles and threads: each
thread computes the moments of its tiles, one thread merges them in fixed order (Chan, Golub and LeVeque, 1979), and all
wait for it. `passes.gradient` runs this. Otherwise, and if the layer is frozen, the running statistics are used, and
rows do not depend on one another.

Columns are processed in blocks that fit a few registers, row after row, so that memory is read in order.

A thread's `partial` holds, for a layer of n columns: in the forward pass a count, n means and n sums of squared
differences; in the backward pass n sums of delta and n sums of delta * xhat.

Source: Ioffe and Szegedy, ICML 2015.
"""
from libc.math cimport pow, sqrt

from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport LayerSpec, Net, Tile, buffer, real

cdef enum:
    BLOCK = 64      # columns that are processed together


cdef void clear_moments(double* partial, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(1 + 2 * n):
        partial[j] = 0


cdef inline void merge(double* count, double* mean, double* squares, double n, double other_mean,
                       double other_squares) noexcept nogil:
    """mean, squares := those of both groups together; the caller adds n to count."""
    cdef double difference = other_mean - mean[0]
    cdef double total = count[0] + n
    mean[0] += difference * n / total
    squares[0] += other_squares + difference * difference * count[0] * n / total


cdef CLONES_VOID block_moments(const real* x, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t width, double* mean,
                               double* squares) noexcept nogil:
    """mean, squares (width) := mean and summed squared differences of the first `width` columns of x (n_rows, n)."""
    cdef Py_ssize_t i, j
    cdef double difference
    for j in range(width):
        mean[j] = 0
        squares[j] = 0
    for i in range(n_rows):
        for j in range(width):
            mean[j] += x[i * n + j]
    for j in range(width):
        mean[j] /= n_rows
    for i in range(n_rows):
        for j in range(width):
            difference = x[i * n + j] - mean[j]
            squares[j] += difference * difference


cdef void add_moments(const LayerSpec* layer, const Net* net, const Tile* tile, const real* work,
                      double* partial) noexcept nogil:
    """partial := partial merged with the tile's moments of x (n_rows, n), column by column."""
    cdef Py_ssize_t n = layer.n_out, block, start, width, j
    cdef const real* x = buffer(net, tile, <real*> work, layer.input, n)
    cdef double[BLOCK] mean
    cdef double[BLOCK] squares
    for block in range((n + BLOCK - 1) // BLOCK):
        start = block * BLOCK
        width = min(<Py_ssize_t> BLOCK, n - start)
        block_moments(x + start, tile.n_rows, n, width, mean, squares)
        for j in range(width):
            merge(partial, partial + 1 + start + j, partial + 1 + n + start + j, tile.n_rows, mean[j], squares[j])
    partial[0] += tile.n_rows


cdef void finish_moments(const LayerSpec* layer, const double* partials, Py_ssize_t stride, Py_ssize_t n_threads,
                         double* statistics, Py_ssize_t full_rows) noexcept nogil:
    """Batch mean and 1 / deviation from all threads' moments; if full_rows > 0, the running statistics too.

    A batch of full_rows leaves a share `momentum` of them, one of n rows the share momentum ** (n / full_rows), so that
    every row counts the same.
    """
    cdef Py_ssize_t n = layer.n_out, j, k
    cdef double* running = statistics + layer.statistics
    cdef const double* partial
    cdef double count = 0, mean, squares, taken
    for k in range(n_threads):
        count += partials[k * stride]
    taken = 1 - (layer.momentum if count == full_rows or full_rows == 0 else pow(layer.momentum, count / full_rows))
    for j in range(n):
        count = 0
        mean = 0
        squares = 0
        for k in range(n_threads):
            partial = partials + k * stride
            if partial[0] > 0:
                merge(&count, &mean, &squares, partial[0], partial[1 + j], partial[1 + n + j])
                count += partial[0]
        running[2 * n + j] = mean
        running[3 * n + j] = 1 / sqrt(squares / count + layer.epsilon)
        if full_rows > 0:
            running[j] += taken * (mean - running[j])
            # the unbiased variance, as in the paper
            running[n + j] += taken * (squares / max(count - 1, 1) - running[n + j])


cdef CLONES_VOID scale_block(const real* x, real* y, Py_ssize_t n_rows, Py_ssize_t n, Py_ssize_t width,
                             const double* mean, const double* factor, const real* shift) noexcept nogil:
    """y := (x - mean) * factor + shift over the first `width` of n columns."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(width):
            y[i * n + j] = <real> ((x[i * n + j] - mean[j]) * factor[j] + shift[j])


cdef void batch_norm_forward(const Net* net, Py_ssize_t i, const Tile* tile, bint training, const real* params,
                             real* work) noexcept nogil:
    """y (n_rows, n) := gain * (x - mean) / deviation + shift, with batch statistics in training, else running ones."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, block, start, width, j
    cdef bint of_batch = training and layer.whole_batch
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef real* y = buffer(net, tile, work, layer.output, n)
    cdef const real* gain = params + layer.gain
    cdef const double* running = net.statistics + layer.statistics
    cdef const double* mean = running + 2 * n if of_batch else running
    cdef double[BLOCK] factor
    for block in range((n + BLOCK - 1) // BLOCK):
        start = block * BLOCK
        width = min(<Py_ssize_t> BLOCK, n - start)
        for j in range(width):
            if of_batch:
                factor[j] = gain[start + j] * running[3 * n + start + j]
            else:
                factor[j] = gain[start + j] / sqrt(running[n + start + j] + layer.epsilon)
        scale_block(x + start, y + start, tile.n_rows, n, width, mean + start, factor, params + layer.bias + start)


cdef CLONES_VOID sum_deltas(const real* x, const real* delta, Py_ssize_t n_rows, Py_ssize_t n, const double* mean,
                            const double* inverse, double* total, double* product) noexcept nogil:
    """total (n) += column sums of delta (n_rows, n), product (n) += those of delta * xhat."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        for j in range(n):
            total[j] += delta[i * n + j]
        for j in range(n):
            product[j] += delta[i * n + j] * (x[i * n + j] - mean[j]) * inverse[j]


cdef void add_delta_sums(const LayerSpec* layer, const Net* net, const Tile* tile, const real* work,
                         double* partial) noexcept nogil:
    """partial += the tile's column sums of delta and of delta * xhat."""
    cdef Py_ssize_t n = layer.n_out
    cdef const double* batch = net.statistics + layer.statistics + 2 * n
    sum_deltas(buffer(net, tile, <real*> work, layer.input, n), buffer(net, tile, <real*> work, layer.delta, n),
               tile.n_rows, n, batch, batch + n, partial, partial + n)


cdef void finish_delta_sums(const LayerSpec* layer, double* partials, Py_ssize_t stride,
                            Py_ssize_t n_threads) noexcept nogil:
    """The first thread's sums := the totals of all threads."""
    cdef Py_ssize_t j, k
    for k in range(1, n_threads):
        for j in range(2 * layer.n_out):
            partials[j] += partials[k * stride + j]


cdef CLONES_VOID spread_deltas(const real* x, const real* delta, real* below, Py_ssize_t n_rows, Py_ssize_t n,
                               Py_ssize_t n_batch, const real* gain, const double* mean, const double* inverse,
                               const double* total, const double* product) noexcept nogil:
    """below := gain / deviation * (delta - total / n_batch - xhat * product / n_batch)."""
    cdef Py_ssize_t i, j
    cdef double share = 1.0 / n_batch
    for i in range(n_rows):
        for j in range(n):
            below[i * n + j] = <real> (gain[j] * inverse[j] * (
                delta[i * n + j] - total[j] * share - (x[i * n + j] - mean[j]) * inverse[j] * product[j] * share))


cdef void back_through_batch(const LayerSpec* layer, const Net* net, const Tile* tile, Py_ssize_t n_batch,
                             const real* params, real* work, const double* sums) noexcept nogil:
    """delta_below (n_rows, n) := gain / deviation * (delta - mean of delta - xhat * mean of delta * xhat)."""
    cdef Py_ssize_t n = layer.n_out
    cdef const double* batch = net.statistics + layer.statistics + 2 * n
    spread_deltas(<const real*> buffer(net, tile, work, layer.input, n),
                  <const real*> buffer(net, tile, work, layer.delta, n),
                  buffer(net, tile, work, layer.delta_below, n), tile.n_rows, n, n_batch, params + layer.gain, batch,
                  batch + n, sums, sums + n)


cdef void batch_norm_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                              real* work) noexcept nogil:
    """delta_below (n_rows, n) := delta * gain / deviation, for running statistics."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, row, j
    cdef const real* delta = buffer(net, tile, work, layer.delta, n)
    cdef real* below = buffer(net, tile, work, layer.delta_below, n)
    cdef const double* variance = net.statistics + layer.statistics + n
    cdef double factor
    for j in range(n):
        factor = params[layer.gain + j] / sqrt(variance[j] + layer.epsilon)
        for row in range(tile.n_rows):
            below[row * n + j] = <real> (delta[row * n + j] * factor)


cdef void batch_norm_gradient(const LayerSpec* layer, const double* sums, real* destination, double alpha,
                              double beta) noexcept nogil:
    """d gain := alpha * sum of delta * xhat + beta * d gain; d shift likewise from the sum of delta."""
    cdef Py_ssize_t n = layer.n_out, j
    cdef real* gain = destination + layer.gain
    cdef real* shift = destination + layer.bias
    for j in range(n):
        gain[j] = <real> (alpha * sums[n + j] + (beta * gain[j] if beta != 0 else 0))
        shift[j] = <real> (alpha * sums[j] + (beta * shift[j] if beta != 0 else 0))
