"""Forward passes: predictions, and the loss and accuracy of labelled samples, tile by tile on all threads."""
from cython.parallel cimport parallel
from libc.string cimport memcpy

from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.machine.team cimport Member, alone, granted, join
from cnn_core.passes.batches cimport LABEL, Source
from cnn_core.passes.forward cimport forward
from cnn_core.passes.losses cimport count_correct, loss_and_delta
from cnn_core.passes.tiles cimport CORRECT_SLOT, LOSS_SLOT, Job, load_inputs, load_tile, own_tile, place_tile
from cnn_core.types cimport LayerSpec, Mode, Tile, buffer, prediction_mode, real


cdef void predict_tiles(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                        const real* params, real* out, real* work) noexcept nogil:
    """out (n_samples, n_out): this member's tiles from `first` to `stop`."""
    cdef const LayerSpec* last = job.net.layers + job.net.n_layers - 1
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef Py_ssize_t i
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_inputs(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, True, params, work)
        memcpy(out + tile.position * last.n_out, buffer(&job.net, &tile, work, last.output, last.n_out),
               tile.n_rows * last.n_out * sizeof(real))
        i += member.size


cdef void predict_all(Job* job, int n_threads, Py_ssize_t first, Py_ssize_t stop, const real* params, real* out,
                      real* work) noexcept nogil:
    """Predict, by the caller alone or by a team."""
    if n_threads == 1:
        predict_tiles(job, alone(&job.barrier), first, stop, params, out, work)
    else:
        with parallel(num_threads=n_threads):
            predict_tiles(job, join(&job.barrier), first, stop, params, out, work)


def predict(Pass over, Source X, object out, Py_ssize_t first, Py_ssize_t stop):
    """out (n_samples, n_out) := the network's outputs, for the tiles from `first` to `stop`."""
    cdef Call call = over.with_samples(X, None, None)
    cdef void* out_ = over.numbers(out, X.rows.n_rows * call.job.net.layers[call.job.net.n_layers - 1].n_out)
    with nogil:
        if call.double_precision:
            predict_all(&call.job, granted(call.n_threads), first, stop, <const double*> call.params, <double*> out_,
                        <double*> call.work)
        else:
            predict_all(&call.job, granted(call.n_threads), first, stop, <const float*> call.params, <float*> out_,
                        <float*> call.work)


cdef void activation_tiles(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                           const real* params, real* out, real* work) noexcept nogil:
    """This member's tiles of the outputs of all layers; `out` holds them layer by layer, each (n_samples, n_out)."""
    cdef const LayerSpec* layer
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef real* there
    cdef Py_ssize_t i, k
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_inputs(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, True, params, work)
        there = out
        for k in range(job.net.n_layers):
            layer = job.net.layers + k
            memcpy(there + tile.position * layer.n_out, buffer(&job.net, &tile, work, layer.output, layer.n_out),
                   tile.n_rows * layer.n_out * sizeof(real))
            there += job.samples.X.n_rows * layer.n_out
        i += member.size


def activations(Pass over, Source X, object out, Py_ssize_t first, Py_ssize_t stop):
    """out := the outputs (n_samples, n_out) of every layer, layer by layer, for the tiles from `first` to `stop`."""
    cdef Call call = over.with_samples(X, None, None)
    cdef Py_ssize_t k, width = 0
    for k in range(call.job.net.n_layers):
        width += call.job.net.layers[k].n_out
    cdef void* out_ = over.numbers(out, X.rows.n_rows * width)
    with nogil, parallel(num_threads=granted(call.n_threads)):
        if call.double_precision:
            activation_tiles(&call.job, join(&call.job.barrier), first, stop, <const double*> call.params,
                             <double*> out_, <double*> call.work)
        else:
            activation_tiles(&call.job, join(&call.job.barrier), first, stop, <const float*> call.params,
                             <float*> out_, <float*> call.work)


cdef void evaluate_tiles(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                         const real* params, real* work) noexcept nogil:
    """Add this member's losses and correct answers to its row of `partials`."""
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef Py_ssize_t i
    cdef bint weighted = job.samples.weights is not NULL
    cdef double* partial
    partial = job.partials + member.index * job.stride
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, False, params, work)
        partial[LOSS_SLOT] += loss_and_delta(&job.net, &tile, &mode, weighted, work)
        partial[CORRECT_SLOT] += count_correct(&job.net, &tile, weighted, job.samples.y.dtype == LABEL, work)
        i += member.size


cdef void evaluate_all(Job* job, int n_threads, Py_ssize_t first, Py_ssize_t stop, const real* params,
                       real* work) noexcept nogil:
    """Evaluate, by the caller alone or by a team."""
    if n_threads == 1:
        evaluate_tiles(job, alone(&job.barrier), first, stop, params, work)
    else:
        with parallel(num_threads=n_threads):
            evaluate_tiles(job, join(&job.barrier), first, stop, params, work)


def evaluate(Pass over, Source X, Source y, const double[::1] weights, Py_ssize_t first, Py_ssize_t stop):
    """partials[thread] += (summed loss, summed weight of correct rows, ...) of its tiles from `first` to `stop`."""
    cdef Call call = over.with_samples(X, y, weights)
    with nogil:
        if call.double_precision:
            evaluate_all(&call.job, granted(call.n_threads), first, stop, <const double*> call.params,
                         <double*> call.work)
        else:
            evaluate_all(&call.job, granted(call.n_threads), first, stop, <const float*> call.params,
                         <float*> call.work)
