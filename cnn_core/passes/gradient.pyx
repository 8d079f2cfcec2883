"""One batch: forward, loss, backward, tile by tile, by one thread or a team.

A batch is processed in tiles of a few hundred rows, so that a tile's data stay in the cache and the size of the
workspace depends neither on the batch nor on the data. Tile i belongs to thread i % team size; each thread computes its
own gradient, and the threads' gradients are then summed in fixed order.

Some layers need the whole batch at once (`whole_batch` in the table: batch norms that learn). The forward pass stops at
each of them until all threads have computed its statistics, and the backward pass until they have computed its sums;
then the buffers hold the whole batch. A network without such layers has no stops.
"""
from cnn_core.layers.batch_norm cimport (
    add_delta_sums, add_moments, back_through_batch, batch_norm_gradient, clear_moments, finish_delta_sums,
    finish_moments,
)
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.machine.team cimport Member, wait_for_all
from cnn_core.passes.backward cimport backward
from cnn_core.passes.forward cimport forward
from cnn_core.passes.losses cimport loss_and_delta
from cnn_core.passes.tiles cimport LOSS_SLOT, NORM_SLOTS, Job, count_tiles, load_tile, place_tile
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, real


cdef Py_ssize_t next_stop(const Net* net, Py_ssize_t start) noexcept nogil:
    """The first layer at or above `start` that needs the whole batch, or n_layers."""
    while start < net.n_layers and not net.layers[start].whole_batch:
        start += 1
    return start


cdef Py_ssize_t last_stop(const Net* net, Py_ssize_t stop) noexcept nogil:
    """The last layer below `stop` that needs the whole batch, or -1."""
    stop -= 1
    while stop >= 0 and not net.layers[stop].whole_batch:
        stop -= 1
    return stop


cdef void gather_statistics(const Job* job, Member member, Py_ssize_t norm, Py_ssize_t start, Py_ssize_t first_sample,
                            Py_ssize_t n_batch, const Mode* mode, const real* params, real* work) noexcept nogil:
    """Forward from layer `start` to the batch norm, then its statistics of the whole batch."""
    cdef const LayerSpec* layer = job.net.layers + norm
    cdef double* partials = job.partials + NORM_SLOTS
    cdef double* partial = partials + member.index * job.stride
    cdef Tile tile
    cdef Py_ssize_t i
    clear_moments(partial, layer.n_out)
    i = member.index
    while i < count_tiles(job, n_batch):
        tile = place_tile(job, member, i, n_batch)
        if start == 0:
            load_tile(job, &tile, first_sample, work)
        forward(&job.net, &tile, mode, start, norm, True, params, work)
        add_moments(layer, &job.net, &tile, work, partial)
        i += member.size
    wait_for_all(member)
    if member.index == 0:
        finish_moments(layer, partials, job.stride, member.size, job.net.statistics, mode.full_rows)
    wait_for_all(member)


cdef void back_through_stop(const Job* job, Member member, Py_ssize_t norm, Py_ssize_t n_batch, const Mode* mode,
                            const real* params, real* work, real* destination, double alpha, double beta,
                            double beta_bias) noexcept nogil:
    """Backward through a batch norm and the layers between it and the batch norm below."""
    cdef const LayerSpec* layer = job.net.layers + norm
    cdef double* partials = job.partials + NORM_SLOTS
    cdef double* partial = partials + member.index * job.stride
    cdef double weight_beta = beta, bias_beta = beta_bias
    cdef Tile tile
    cdef Py_ssize_t i, j, below = last_stop(&job.net, norm)
    for j in range(2 * layer.n_out):
        partial[j] = 0
    i = member.index
    while i < count_tiles(job, n_batch):
        tile = place_tile(job, member, i, n_batch)
        add_delta_sums(layer, &job.net, &tile, work, partial)
        i += member.size
    wait_for_all(member)
    if member.index == 0:
        finish_delta_sums(layer, partials, job.stride, member.size)
    wait_for_all(member)
    i = member.index
    while i < count_tiles(job, n_batch):
        tile = place_tile(job, member, i, n_batch)
        if layer.delta_below >= 0:
            back_through_batch(layer, &job.net, &tile, n_batch, params, work, partials)
        backward(&job.net, &tile, mode, below + 1, norm, params, work, destination, alpha, weight_beta, bias_beta)
        weight_beta = bias_beta = 1
        i += member.size
    batch_norm_gradient(layer, partials, destination, alpha if member.index == 0 else 0, beta_bias)
    wait_for_all(member)      # before the batch norm below overwrites the sums


cdef void batch_gradient(const Job* job, Member member, Py_ssize_t first_sample, Py_ssize_t n_batch, const Mode* mode,
                         const real* params, real* work, real* destination, double alpha, double beta,
                         double beta_bias) noexcept nogil:
    """destination := alpha * (gradient of this thread's part of the summed loss) + beta * destination.

    The batch is order[first_sample : first_sample + n_batch]; vectors use `beta_bias`. The loss is added to the
    thread's row of `partials`. A thread without a tile does not change its destination.
    """
    cdef const Net* net = &job.net
    cdef double* loss = job.partials + member.index * job.stride + LOSS_SLOT
    cdef double weight_beta = beta, bias_beta = beta_bias
    cdef Py_ssize_t i, start = 0, norm = next_stop(net, 0)
    cdef Tile tile
    cdef bint whole = norm == net.n_layers
    while norm < net.n_layers:
        gather_statistics(job, member, norm, start, first_sample, n_batch, mode, params, work)
        start = norm
        norm = next_stop(net, norm + 1)
    norm = last_stop(net, net.n_layers)
    i = member.index
    while i < count_tiles(job, n_batch):
        tile = place_tile(job, member, i, n_batch)
        if whole:
            load_tile(job, &tile, first_sample, work)
        forward(net, &tile, mode, start, net.n_layers, False, params, work)
        loss[0] += loss_and_delta(net, &tile, mode, job.samples.weights is not NULL, work)
        backward(net, &tile, mode, norm + 1, net.n_layers, params, work, destination, alpha, weight_beta, bias_beta)
        weight_beta = bias_beta = 1
        i += member.size
    while norm >= 0:
        back_through_stop(job, member, norm, n_batch, mode, params, work, destination, alpha, beta, beta_bias)
        norm = last_stop(net, norm)


cdef CLONES_VOID add(real* total, const real* other, Py_ssize_t n) noexcept nogil:
    """total (n) += other."""
    cdef Py_ssize_t i
    for i in range(n):
        total[i] += other[i]


cdef void sum_gradients(real* gradients, Py_ssize_t n_params, Py_ssize_t n_gradients, Py_ssize_t start,
                        Py_ssize_t stop) noexcept nogil:
    """gradients[0, start:stop] := the sum of gradients[:n_gradients, start:stop], always in the same order."""
    cdef Py_ssize_t k
    for k in range(1, n_gradients):
        add(gradients + start, gradients + k * n_params + start, stop - start)
