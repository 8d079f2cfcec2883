"""Gradients returned to the caller instead of used for an update: of all samples together, or of each sample."""
from cython.parallel cimport parallel
from libc.stdint cimport uint64_t

from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.machine.team cimport Member, granted, join, wait_for_all
from cnn_core.passes.backward cimport backward
from cnn_core.passes.batches cimport Source
from cnn_core.passes.forward cimport forward
from cnn_core.passes.gradient cimport batch_gradient, last_stop, sum_gradients
from cnn_core.passes.losses cimport loss_and_delta
from cnn_core.passes.tiles cimport LOSS_SLOT, Job, count_tiles, load_tile, own_tile, place_tile
from cnn_core.types cimport Mode, Tile, prediction_mode, real


cdef void tiles_gradient(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                         const Mode* mode, const real* params, real* destination, real* work,
                         double alpha) noexcept nogil:
    """destination += alpha * gradient of this member's tiles from `first` to `stop`; its very first tile uses :=."""
    cdef Tile tile
    cdef double beta
    cdef Py_ssize_t i
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, mode, 0, job.net.n_layers, False, params, work)
        job.partials[member.index * job.stride + LOSS_SLOT] += loss_and_delta(
            &job.net, &tile, mode, job.samples.weights is not NULL, work)
        beta = 0 if i == member.index else 1
        backward(&job.net, &tile, mode, 0, job.net.n_layers, params, work, destination, alpha, beta, beta)
        i += member.size


cdef void team_gradient(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                        const Mode* mode, const real* params, real* gradients, Py_ssize_t n_gradients,
                        Py_ssize_t n_params, real* work, double alpha) noexcept nogil:
    """This member's share of the gradient; after the last tile, its slice of the sum over the members."""
    cdef Py_ssize_t n_samples = job.samples.X.n_rows
    cdef Py_ssize_t slice_size = n_params // member.size + 1
    cdef Py_ssize_t start = min(n_params, member.index * slice_size)
    cdef real* own = gradients + member.index * n_params
    if last_stop(&job.net, job.net.n_layers) < 0:
        tiles_gradient(job, member, first, stop, mode, params, own, work, alpha)
    else:
        batch_gradient(job, member, 0, n_samples, mode, params, work, own, alpha, 0.0, 0.0)
    if stop == count_tiles(job, n_samples):
        wait_for_all(member)
        sum_gradients(gradients, n_params, min(n_gradients, stop), start, min(n_params, start + slice_size))


# Settings for the batch; passed as a dict.
cdef struct Behaviour:
    bint drops               # dropout is on, with the mask of dropout_key
    uint64_t dropout_key
    double label_smoothing
    bint keep_running        # batch norms update their running statistics, by a full batch


def gradient(Pass over, Source X, Source y, const double[::1] weights, object gradients, double alpha,
             Behaviour behaviour, Py_ssize_t first, Py_ssize_t stop):
    """gradients[0] := alpha * gradient of the (weighted) sum of losses over all samples, as one batch.

    One call does all tiles, or several calls do the tiles from `first` to `stop` each; gradients (n_threads, n_params)
    starts as 0. Adds each thread's summed loss to partials[thread, 0]. With batch norms, which use the whole batch,
    it must be a single call.
    """
    cdef Call call = over.with_samples(X, y, weights)
    cdef Mode mode
    cdef void* gradients_ = over.numbers(gradients, call.n_threads * call.n_params)
    mode.training = True
    mode.full_rows = X.rows.n_rows if behaviour.keep_running else 0
    mode.dropout_key = behaviour.dropout_key
    mode.dropout_factor = 1 if behaviour.drops else 0
    mode.dropout_rates = NULL
    mode.label_smoothing = behaviour.label_smoothing
    with nogil, parallel(num_threads=granted(call.n_threads)):
        if call.double_precision:
            team_gradient(&call.job, join(&call.job.barrier), first, stop, &mode, <const double*> call.params,
                          <double*> gradients_, call.n_threads, call.n_params, <double*> call.work, alpha)
        else:
            team_gradient(&call.job, join(&call.job.barrier), first, stop, &mode, <const float*> call.params,
                          <float*> gradients_, call.n_threads, call.n_params, <float*> call.work, alpha)


cdef void row_gradients(const Job* job, Member member, Py_ssize_t first, Py_ssize_t stop,
                        const Mode* mode, const real* params, real* out, Py_ssize_t n_params,
                        real* work) noexcept nogil:
    """out (n_samples, n_params): this member's rows from `first` to `stop`, each a tile of one row."""
    cdef Tile tile
    cdef Py_ssize_t i
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, job.samples.X.n_rows)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, mode, 0, job.net.n_layers, False, params, work)
        loss_and_delta(&job.net, &tile, mode, job.samples.weights is not NULL, work)
        backward(&job.net, &tile, mode, 0, job.net.n_layers, params, work, out + i * n_params, 1.0, 0.0, 0.0)
        i += member.size


def sample_gradients(Pass over, Source X, Source y, const double[::1] weights, object gradients__out, Py_ssize_t first,
                     Py_ssize_t stop):
    """gradients__out (n_samples, n_params) := the gradient of each sample's (weighted) loss, for samples
    first to stop - 1.

    The plan has tiles of one row.
    """
    cdef Call call = over.with_samples(X, y, weights)
    cdef Mode mode = prediction_mode()
    cdef void* out = over.numbers(gradients__out, X.rows.n_rows * call.n_params)
    with nogil, parallel(num_threads=granted(call.n_threads)):
        if call.double_precision:
            row_gradients(&call.job, join(&call.job.barrier), first, stop, &mode, <const double*> call.params,
                          <double*> out, call.n_params, <double*> call.work)
        else:
            row_gradients(&call.job, join(&call.job.barrier), first, stop, &mode, <const float*> call.params,
                          <float*> out, call.n_params, <float*> call.work)
