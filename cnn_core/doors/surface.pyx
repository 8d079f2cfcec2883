"""The loss as a function of one or two parameters, over a grid, on all threads.

Every thread has a copy of the parameters and takes rows of the grid. If the samples fit in a tile several times, points
of a row pass through the network together: a parameter of a dense layer changes one column of its scores,

    z(g) = z(0) + g * x_r e_c    for W[r, c],        z(g) = z(0) + g * e_c    for b[c],

so the scores are computed once and changed for each point, and the layers above get many points as the rows of one
tile. A million evaluations of a toy network then take a fraction of a second. Otherwise each point is a separate pass.
"""
from cython.parallel cimport parallel
from libc.string cimport memcpy

from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.layers.activations cimport activate
from cnn_core.layers.kinds cimport layer_forward
from cnn_core.machine.team cimport Member, granted, join
from cnn_core.passes.batches cimport Source
from cnn_core.passes.forward cimport forward
from cnn_core.passes.losses cimport loss_and_delta
from cnn_core.passes.tiles cimport Job, load_tile, place_tile
from cnn_core.types cimport LayerSpec, Mode, Tile, buffer, prediction_mode, real

# The parameters that change, and the place of the second one in its layer; passed as a dict.
cdef struct Axes:
    Py_ssize_t index_0
    Py_ssize_t index_1
    Py_ssize_t layer         # of the second; -1: it is not in a dense layer
    Py_ssize_t row           # -1: a bias
    Py_ssize_t column


cdef double loss_of_point(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                          double total, const Mode* mode, const real* params, real* work) noexcept nogil:
    """total plus the summed losses of the tiles from `first` to `stop`, one by one."""
    cdef Tile tile
    cdef Py_ssize_t t
    for t in range(first, stop):
        tile = place_tile(job, member, t, job.samples.X.n_rows)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, mode, 0, job.net.n_layers, False, params, work)
        total += loss_and_delta(&job.net, &tile, mode, job.samples.weights is not NULL, work)
    return total


cdef void move_scores(const LayerSpec* layer, const Axes* axes, Py_ssize_t n_samples, double value, const real* x,
                      const real* base, real* z) noexcept nogil:
    """z (n_samples, n_out) := base, with the column changed to that for this value of the parameter."""
    cdef Py_ssize_t i
    memcpy(z, base, n_samples * layer.n_out * sizeof(real))
    for i in range(n_samples):
        z[i * layer.n_out + axes.column] += <real> value * (1 if axes.row < 0 else x[i * layer.n_in + axes.row])


cdef void losses_of_row(const Job* job, Tile samples, Py_ssize_t n_blocks, const Axes* axes, const double[::1] grid,
                        const Mode* mode, const real* params, real* work, double* losses__out) noexcept nogil:
    """losses__out (n) := losses of the points of one row, n_blocks - 1 at a time; the first block holds z(0).

    The workspace holds the samples n_blocks times, one below the other; the parameter that changes is 0 in `params`.
    """
    cdef const LayerSpec* layer = job.net.layers + axes.layer
    cdef Py_ssize_t n = samples.n_rows, done = 0, count, b, i
    cdef real* x = buffer(&job.net, &samples, work, layer.input, layer.n_in)
    cdef real* base = buffer(&job.net, &samples, work, layer.output, layer.n_out)
    cdef real* z
    cdef real* row_loss
    cdef Tile points = samples
    forward(&job.net, &samples, mode, 0, axes.layer, False, params, work)
    layer_forward(&job.net, axes.layer, &samples, mode, params, work)
    points.first += n
    while done < grid.shape[0]:
        count = min(n_blocks - 1, grid.shape[0] - done)
        points.n_rows = count * n
        for b in range(count):
            move_scores(layer, axes, n, grid[done + b], x, base, base + (b + 1) * n * layer.n_out)
        if axes.layer < job.net.n_layers - 1:
            z = NULL if layer.scores < 0 else buffer(&job.net, &points, work, layer.scores, layer.n_out)
            activate(layer, buffer(&job.net, &points, work, layer.output, layer.n_out), z, points.n_rows)
        forward(&job.net, &points, mode, axes.layer + 1, job.net.n_layers, False, params, work)
        loss_and_delta(&job.net, &points, mode, job.samples.weights is not NULL, work)
        row_loss = buffer(&job.net, &points, work, job.net.plan.row_loss, 1)
        for b in range(count):
            losses__out[done + b] = 0
            for i in range(n):
                losses__out[done + b] += row_loss[b * n + i]
        done += count


cdef void surface_rows(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                       const Axes* axes, const double[::1] grid_0, const double[::1] grid_1, real* params,
                       Py_ssize_t n_params, real* work, double[:, ::1] losses__out) noexcept nogil:
    """losses__out (n_0, n_1): this member's rows."""
    cdef Mode mode = prediction_mode()
    cdef Tile samples
    cdef Py_ssize_t n_samples = job.samples.X.n_rows, i, j, start, n_blocks = job.net.plan.tile_rows // n_samples
    cdef bint side_by_side = axes.layer >= 0 and n_blocks >= 2
    params += member.index * n_params
    if side_by_side:
        samples = place_tile(job, member, 0, n_samples)
        start = samples.first
        while samples.first < start + n_blocks * n_samples:
            load_tile(job, &samples, 0, work)
            samples.first += n_samples
        samples.first = start
    i = member.index
    while i < grid_0.shape[0]:
        if side_by_side:
            params[axes.index_0] = <real> grid_0[i]
            params[axes.index_1] = 0
            losses_of_row(job, samples, n_blocks, axes, grid_1, &mode, params, work, &losses__out[i, 0])
        else:
            for j in range(grid_1.shape[0]):
                params[axes.index_0] = <real> grid_0[i]
                params[axes.index_1] = <real> grid_1[j]
                losses__out[i, j] = loss_of_point(job, member, first, stop, losses__out[i, j], &mode, params,
                                                  work)
        i += member.size


def loss_surface(Pass over, Source X, Source y, const double[::1] weights, Axes axes, const double[::1] grid_0,
                 const double[::1] grid_1, double[:, ::1] losses__out, Py_ssize_t first, Py_ssize_t stop):
    """losses__out (n_0, n_1) := summed loss with parameter index_0 set to grid_0[i] and index_1 to grid_1[j].

    If the samples fill several tiles, it adds the losses of the tiles from `first` to `stop`.

    The params of the pass are n_threads copies, which are overwritten. For a single parameter, index_0 is index_1 and
    grid_0 has one element, as index_1 is written last.
    """
    cdef Call call = over.with_samples(X, y, weights)
    cdef Py_ssize_t n_params = call.n_params // call.n_threads
    assert not over.read_only and losses__out.shape[0] >= grid_0.shape[0] and losses__out.shape[1] >= grid_1.shape[0]
    with nogil, parallel(num_threads=granted(call.n_threads)):
        if call.double_precision:
            surface_rows(&call.job, join(&call.job.barrier), first, stop, &axes, grid_0, grid_1, <double*> call.params,
                         n_params, <double*> call.work, losses__out)
        else:
            surface_rows(&call.job, join(&call.job.barrier), first, stop, &axes, grid_0, grid_1, <float*> call.params,
                         n_params, <float*> call.work, losses__out)
