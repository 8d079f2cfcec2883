"""A batch cut into tiles: which rows, where they are in the workspace, and their inputs and targets.

A tile has a few hundred rows, so that its data stay in the cache; tile i belongs to thread i % team size.
"""
from libc.stdint cimport int32_t

from cnn_core.machine.simd cimport CHECK
from cnn_core.machine.team cimport Member
from cnn_core.passes.batches cimport gather, gather_sparse, gather_weights
from cnn_core.types cimport LayerSpec, Net, Plan, SparseRow, Tile, buffer, real


cdef Py_ssize_t lowest_layer(const LayerSpec* layers, Py_ssize_t n_layers) noexcept nogil:
    """The lowest layer that learns or passes a delta on, or n_layers."""
    cdef Py_ssize_t i = 0
    while i < n_layers and layers[i].delta_below < 0 and not layers[i].learns:
        i += 1
    return i


cdef Job make_job(Plan plan, const LayerSpec* layers, Py_ssize_t n_layers, double[::1] statistics,
                  const double[::1] constants, double[:, ::1] partials, unsigned char[::1] sparse) noexcept:
    """The part of a job that all doors share; the door adds the samples.

    `sparse` is memory for the lists of a first layer that skips zeros: the rows of the workspace, each thread's share
    of them, then the columns.
    """
    cdef Job job
    job.net.plan = plan
    job.net.layers = layers
    job.net.n_layers = n_layers
    job.net.lowest = lowest_layer(layers, n_layers)
    job.net.statistics = NULL if statistics.shape[0] == 0 else &statistics[0]
    job.net.constants = NULL if constants.shape[0] == 0 else &constants[0]
    job.net.sparse_rows = NULL if sparse is None else <SparseRow*> &sparse[0]
    job.net.cut_rows = NULL if sparse is None else job.net.sparse_rows + plan.capacity
    job.net.columns = NULL if sparse is None else <int32_t*> (job.net.cut_rows + partials.shape[0] * plan.capacity)
    job.barrier.arrived = job.barrier.phase = job.barrier.asleep = 0
    job.partials = &partials[0, 0]
    job.stride = partials.shape[1]
    return job


cdef Py_ssize_t count_tiles(const Job* job, Py_ssize_t n_batch) noexcept nogil:
    return (n_batch + job.net.plan.tile_rows - 1) // job.net.plan.tile_rows


cdef Tile place_tile(const Job* job, Member member, Py_ssize_t i, Py_ssize_t n_batch) noexcept nogil:
    """Tile i of a batch: its rows, and their place in the workspace."""
    cdef Tile tile
    tile.position = i * job.net.plan.tile_rows
    tile.n_rows = min(job.net.plan.tile_rows, n_batch - tile.position)
    tile.first = tile.position if job.net.plan.keeps_batch else member.index * job.net.plan.tile_rows
    CHECK(tile.n_rows > 0 and tile.first + tile.n_rows <= job.net.plan.capacity)
    return tile


cdef void load_inputs(const Job* job, const Tile* tile, Py_ssize_t first_sample, real* work) noexcept nogil:
    """The tile's inputs, as rows or as lists, from the batch that starts at order[first_sample]."""
    cdef const Net* net = &job.net
    cdef Py_ssize_t start = first_sample + tile.position, width = job.samples.X.width
    cdef real* x = buffer(net, tile, work, net.layers[0].input, width)
    if net.sparse_rows is NULL:
        gather(&job.samples.X, job.samples.order, start, tile.n_rows, x)
    else:
        gather_sparse(&job.samples.X, job.samples.order, start, tile.n_rows, net.sparse_rows + tile.first,
                      net.columns + tile.first * width, x)


cdef void load_tile(const Job* job, const Tile* tile, Py_ssize_t first_sample, real* work) noexcept nogil:
    """The tile's inputs, targets and weights, from the batch that starts at order[first_sample]."""
    cdef const Net* net = &job.net
    cdef Py_ssize_t start = first_sample + tile.position
    load_inputs(job, tile, first_sample, work)
    gather(&job.samples.y, job.samples.order, start, tile.n_rows,
           buffer(net, tile, work, net.plan.target, job.samples.y.width))
    if job.samples.weights is not NULL:
        gather_weights(&job.samples, start, tile.n_rows, net.plan.n_weight,
                       buffer(net, tile, work, net.plan.row_weight, net.plan.n_weight))
