"""Layer normalisation: y = gain * xhat + shift with xhat = (x - mean) / sqrt(variance + epsilon), row by row.

Source: Ba, Kiros and Hinton, 2016.
"""
from libc.math cimport sqrt

from cnn_core.types cimport LayerSpec, Net, Tile, buffer, real


cdef inline void row_moments(const real* x, Py_ssize_t n, double epsilon, double* mean,
                             double* inverse_deviation) noexcept nogil:
    cdef Py_ssize_t j
    cdef double total = 0, squares = 0
    for j in range(n):
        total += x[j]
    mean[0] = total / n
    for j in range(n):
        squares += (x[j] - mean[0]) * (x[j] - mean[0])
    inverse_deviation[0] = 1 / sqrt(squares / n + epsilon)


cdef void layer_norm_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                             real* work) noexcept nogil:
    """y (n_rows, n) := gain * (x - mean) / deviation + shift, with mean and deviation of each row."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, row, j
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef real* y = buffer(net, tile, work, layer.output, n)
    cdef const real* gain = params + layer.gain
    cdef const real* shift = params + layer.bias
    cdef double mean, inverse
    for row in range(tile.n_rows):
        row_moments(x + row * n, n, layer.epsilon, &mean, &inverse)
        for j in range(n):
            y[row * n + j] = <real> ((x[row * n + j] - mean) * inverse * gain[j] + shift[j])


cdef void layer_norm_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                              real* work) noexcept nogil:
    """delta_below (n_rows, n) := (d - mean of d - xhat * mean of d * xhat) / deviation with d = delta * gain."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, row, j
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef const real* delta = buffer(net, tile, work, layer.delta, n)
    cdef real* below = buffer(net, tile, work, layer.delta_below, n)
    cdef const real* gain = params + layer.gain
    cdef double mean, inverse, xhat, d, total, product
    for row in range(tile.n_rows):
        row_moments(x + row * n, n, layer.epsilon, &mean, &inverse)
        total = 0
        product = 0
        for j in range(n):
            d = delta[row * n + j] * gain[j]
            total += d
            product += d * (x[row * n + j] - mean) * inverse
        for j in range(n):
            d = delta[row * n + j] * gain[j]
            xhat = (x[row * n + j] - mean) * inverse
            below[row * n + j] = <real> ((d - total / n - xhat * product / n) * inverse)


cdef void layer_norm_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination,
                              double alpha, double beta) noexcept nogil:
    """d gain := alpha * column sums of delta * xhat + beta * d gain; d shift likewise from delta."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, row, j
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef const real* delta = buffer(net, tile, work, layer.delta, n)
    cdef real* d_gain = destination + layer.gain
    cdef real* d_shift = destination + layer.bias
    cdef double mean, inverse
    for j in range(n):
        d_gain[j] = <real> (beta * d_gain[j]) if beta != 0 else 0
        d_shift[j] = <real> (beta * d_shift[j]) if beta != 0 else 0
    for row in range(tile.n_rows):
        row_moments(x + row * n, n, layer.epsilon, &mean, &inverse)
        for j in range(n):
            d_gain[j] += <real> (alpha * delta[row * n + j] * (x[row * n + j] - mean) * inverse)
            d_shift[j] += <real> (alpha * delta[row * n + j])


cdef void layer_norm_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                          Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := each row's own d gain = delta * xhat and d shift = delta."""
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t n = layer.n_out, row, j
    cdef const real* x = buffer(net, tile, work, layer.input, n)
    cdef const real* delta = buffer(net, tile, work, layer.delta, n)
    cdef double mean, inverse
    for row in range(tile.n_rows):
        row_moments(x + row * n, n, layer.epsilon, &mean, &inverse)
        for j in range(n):
            rows[row * stride + layer.gain + j] = <real> (delta[row * n + j] * (x[row * n + j] - mean) * inverse)
            rows[row * stride + layer.bias + j] = delta[row * n + j]
