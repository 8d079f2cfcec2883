"""Derivatives of the outputs, instead of a loss, with respect to the inputs or to the parameters.

    delta (n_rows, n_out) := e_k f'(z)      for one output k at a time, then back through the layers as usual

A network of p parameters and c outputs has a Jacobian J (n c, p) of its residuals r = y - t, with a row for each sample
and output. It is never stored whole. A round of tiles, one for each thread, computes a block of its rows for one
output, with r as one more column, and adds to a matrix in which every thread owns a band of rows:

    products (p + 1, p + 1) += [J r].T [J r]      upper triangle; J.T J, J.T r and r.T r at once

So memory is p^2 and a block, for any n. Source: the Gauss-Newton products of Hagan and Menhaj, "Training
feedforward networks with the Marquardt algorithm", IEEE Transactions on Neural Networks 1994.
"""
from cython.parallel cimport parallel
from libc.math cimport sqrt
from libc.string cimport memcpy

from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.layers.activations cimport through_activation
from cnn_core.layers.kinds cimport layer_rows
from cnn_core.machine.team cimport Member, granted, join, wait_for_all
from cnn_core.passes.backward cimport backward
from cnn_core.passes.batches cimport Source
from cnn_core.passes.forward cimport forward
from cnn_core.passes.tiles cimport Job, load_inputs, load_tile, own_tile, place_tile
from cnn_core.products.blas cimport gemm, syrk
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, buffer, prediction_mode, real


cdef void back_from_output(const Net* net, const Tile* tile, Py_ssize_t k, const real* factors, Py_ssize_t stride,
                           const real* params, real* work) noexcept nogil:
    """Every layer's delta := d y_k / d scores, times factors[row * stride] (1 if factors is NULL).

    Batch norms use their running statistics, so that rows are independent. The outputs do not change.
    """
    cdef const LayerSpec* last = net.layers + net.n_layers - 1
    cdef Py_ssize_t n_out = last.n_out, i
    cdef real* delta = buffer(net, tile, work, last.delta, n_out)
    cdef const real* z = NULL if last.scores < 0 else buffer(net, tile, work, last.scores, n_out)
    cdef Mode mode = prediction_mode()
    for i in range(tile.n_rows * n_out):
        delta[i] = 0
    for i in range(tile.n_rows):
        delta[i * n_out + k] = 1 if factors is NULL else factors[i * stride]
    through_activation(last, delta, <const real*> buffer(net, tile, work, last.output, n_out), z, tile.n_rows)
    backward(net, tile, &mode, 0, net.n_layers, params, work, <real*> NULL, 0.0, 0.0, 0.0)


cdef void input_gradient_tiles(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                               const real* params, real* out, real* work) noexcept nogil:
    """out (n_samples, n_out, n_in): this member's tiles from `first` to `stop`."""
    cdef const Net* net = &job.net
    cdef Py_ssize_t n_in = net.layers[0].n_in, n_out = net.layers[net.n_layers - 1].n_out, i, k, row
    cdef Mode mode = prediction_mode()
    cdef const real* below
    cdef Tile tile
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_inputs(job, &tile, 0, work)
        forward(net, &tile, &mode, 0, net.n_layers, True, params, work)
        below = buffer(net, &tile, work, net.layers[0].delta_below, n_in)
        for k in range(n_out):
            back_from_output(net, &tile, k, <const real*> NULL, 0, params, work)
            for row in range(tile.n_rows):
                memcpy(out + ((tile.position + row) * n_out + k) * n_in, below + row * n_in, n_in * sizeof(real))
        i += member.size


def input_gradients(Pass over, Source X, object out, Py_ssize_t first, Py_ssize_t stop):
    """out (n_samples, n_out, n_in) := d outputs / d inputs of the first layer, for the tiles from `first` to `stop`.

    Every layer must have a `delta_below`, the first one too.
    """
    cdef Call call = over.with_samples(X, None, None)
    cdef Py_ssize_t n_out = call.job.net.layers[call.job.net.n_layers - 1].n_out
    cdef void* out_ = over.numbers(out, X.rows.n_rows * n_out * call.job.net.layers[0].n_in)
    with nogil, parallel(num_threads=granted(call.n_threads)):
        if call.double_precision:
            input_gradient_tiles(&call.job, join(&call.job.barrier), first, stop, <const double*> call.params,
                                 <double*> out_, <double*> call.work)
        else:
            input_gradient_tiles(&call.job, join(&call.job.barrier), first, stop, <const float*> call.params,
                                 <float*> out_, <float*> call.work)


cdef void jacobian_rows(const Net* net, const Tile* tile, Py_ssize_t k, const double* roots, Py_ssize_t stride,
                        double* work, double* rows, Py_ssize_t width) noexcept nogil:
    """rows (n_rows, width) := [d y_k / d params, y_k - t_k], each times roots[row * stride], the root of its weight.

    The deltas already include the root.
    """
    cdef Py_ssize_t i, row, n_out = net.layers[net.n_layers - 1].n_out
    cdef const double* y = buffer(net, tile, work, net.layers[net.n_layers - 1].output, n_out)
    cdef const double* t = buffer(net, tile, work, net.plan.target, n_out)
    for i in range(net.n_layers):
        if net.layers[i].learns:
            layer_rows(net, i, tile, work, rows, width)
    for row in range(tile.n_rows):
        rows[row * width + width - 1] = y[row * n_out + k] - t[row * n_out + k]
        if roots is not NULL:
            rows[row * width + width - 1] *= roots[row * stride]


cdef inline Py_ssize_t band_start(Py_ssize_t width, int index, int size) noexcept nogil:
    """First row of that member's band: all bands have the same share of the upper triangle."""
    return width if index == size else <Py_ssize_t> (width * (1 - sqrt(1 - <double> index / size)))


cdef void add_products(Member member, const double* rows, Py_ssize_t n_rows, Py_ssize_t width,
                       double* products) noexcept nogil:
    """products (width, width) += rows.T rows: this member's band of the upper triangle."""
    cdef Py_ssize_t start = band_start(width, member.index, member.size)
    cdef Py_ssize_t stop = band_start(width, member.index + 1, member.size)
    if stop > start:
        syrk(stop - start, n_rows, rows + start, width, products + start * width + start, width)
    if stop > start and width > stop:
        gemm(b"T", b"N", stop - start, width - stop, n_rows, <double> 1, rows + start, width, rows + stop, width,
             <double> 1, products + start * width + stop, width)


cdef void add_rounds(const Job* job, Member member, Py_ssize_t first, Py_ssize_t n_samples, const double* params,
                     double* work, double* rows, Py_ssize_t width, double* products) noexcept nogil:
    """Samples first to first + n_samples - 1, with a tile for each member in every round."""
    cdef const Net* net = &job.net
    cdef Py_ssize_t n_out = net.layers[net.n_layers - 1].n_out, tile_rows = net.plan.tile_rows
    cdef Py_ssize_t round_rows = member.size * tile_rows, start = 0, row, k
    cdef double* mine = rows + member.index * tile_rows * width
    cdef double* roots = NULL
    cdef const double* of_output
    cdef Py_ssize_t n_weight = net.plan.n_weight
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef bint has_tile
    while start < n_samples:
        has_tile = start + member.index * tile_rows < n_samples
        if has_tile:
            tile = place_tile(job, member, start // tile_rows + member.index, n_samples)
            load_tile(job, &tile, first, work)
            if job.samples.weights is not NULL:
                roots = buffer(net, &tile, work, net.plan.row_weight, n_weight)
                for row in range(tile.n_rows * n_weight):
                    roots[row] = sqrt(roots[row])
            forward(net, &tile, &mode, 0, net.n_layers, True, params, work)
        for k in range(n_out):
            if has_tile:
                of_output = NULL if roots is NULL else roots + (k if n_weight > 1 else 0)
                back_from_output(net, &tile, k, of_output, n_weight, params, work)
                jacobian_rows(net, &tile, k, of_output, n_weight, work, mine, width)
            wait_for_all(member)
            add_products(member, rows, min(round_rows, n_samples - start), width, products)
            wait_for_all(member)      # before the rows are overwritten
        start += round_rows


def normal_equations(Pass over, Source X, Source y, const double[::1] weights, double[:, ::1] rows,
                     double[:, ::1] products, Py_ssize_t first, Py_ssize_t stop):
    """The upper triangle of products (p + 1, p + 1) += [J r].T [J r] over the tiles from `first` to `stop`, weighted.

    Float64 only. `rows` (n_threads * tile_rows, p + 1) holds a block of [J r]. Not for batch norms; dropout is off.
    """
    cdef Call call = over.with_samples(X, y, weights)
    cdef double* rows_ = &rows[0, 0]
    cdef double* products_ = &products[0, 0]
    cdef Py_ssize_t width = products.shape[0], start = first * call.job.net.plan.tile_rows
    cdef Py_ssize_t n_samples = min(stop * call.job.net.plan.tile_rows, X.rows.n_rows) - start
    assert call.double_precision
    with nogil, parallel(num_threads=granted(call.n_threads)):
        add_rounds(&call.job, join(&call.job.barrier), start, n_samples, <const double*> call.params,
                   <double*> call.work, rows_, width, products_)
