"""Gradients for the caller rather than for an update: of all samples together, or of each sample by itself."""
from cython.parallel cimport parallel
from libc.stdint cimport uint64_t

from cnn_core.backward cimport backward
from cnn_core.batches cimport Source, make_samples
from cnn_core.forward cimport forward
from cnn_core.gradient cimport Job, batch_gradient, count_tiles, load_tile, make_job, place_tile, sum_gradients
from cnn_core.losses cimport loss_and_delta
from cnn_core.team cimport Member, join, wait_for_all
from cnn_core.types cimport LayerSpec, Mode, Plan, Tile, prediction_mode, real


cdef void team_gradient(const Job* job, Member member, Py_ssize_t n_samples, const Mode* mode, const real* params,
                        real* gradients, Py_ssize_t n_params, real* work, double alpha) noexcept nogil:
    """This member's share of the gradient, then its slice of the sum over the members."""
    cdef Py_ssize_t slice_size = n_params // member.size + 1
    cdef Py_ssize_t start = min(n_params, member.index * slice_size)
    batch_gradient(job, member, 0, n_samples, mode, params, work, gradients + member.index * n_params, alpha, 0.0, 0.0)
    wait_for_all(member)
    sum_gradients(gradients, n_params, min(member.size, count_tiles(job, n_samples)), start,
                  min(n_params, start + slice_size))


def gradient(Plan plan, const LayerSpec[::1] layers, const real[::1] params, real[:, ::1] gradients,
             double[::1] statistics, real[::1] work, double[:, ::1] partials,
             unsigned char[::1] sparse, Source X, Source y, const double[::1] weights, double alpha,
             double dropout_factor, uint64_t dropout_key, int n_threads):
    """gradients[0] := alpha * gradient of the (weighted) sum of losses over all samples, as one batch.

    Adds each thread's summed loss to partials[thread, 0]. Batch norms use the batch and leave their running
    statistics alone.
    """
    cdef Job job = make_job(plan, &layers[0], layers.shape[0], statistics, partials, sparse)
    cdef Mode mode
    cdef const real* params_ = &params[0]
    cdef real* gradients_ = &gradients[0, 0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.rows.n_rows, n_params = params.shape[0]
    job.samples = make_samples(X, y, weights, None)
    mode.training = True
    mode.keep_running = False
    mode.dropout_key = dropout_key
    mode.dropout_factor = dropout_factor
    mode.dropout_rates = NULL
    mode.label_smoothing = 0
    with nogil, parallel(num_threads=n_threads):
        team_gradient(&job, join(&job.barrier), n_samples, &mode, params_, gradients_, n_params, work_, alpha)


cdef void row_gradients(const Job* job, Member member, Py_ssize_t n_samples, const Mode* mode, const real* params,
                        real* out, Py_ssize_t n_params, real* work) noexcept nogil:
    """out (n_samples, n_params): this member's rows, each a tile of one row."""
    cdef Tile tile
    cdef Py_ssize_t i
    i = member.index
    while i < n_samples:
        tile = place_tile(job, member, i, n_samples)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, mode, 0, job.net.n_layers, False, params, work)
        loss_and_delta(&job.net, &tile, mode, job.samples.weights is not NULL, work)
        backward(&job.net, &tile, mode, 0, job.net.n_layers, params, work, out + i * n_params, 1.0, 0.0, 0.0)
        i += member.size


def sample_gradients(Plan plan, const LayerSpec[::1] layers, const real[::1] params,
                     real[:, ::1] gradients__out, double[::1] statistics, real[::1] work, double[:, ::1] partials,
                     unsigned char[::1] sparse, Source X, Source y, int n_threads):
    """gradients__out (n_samples, n_params) := the gradient of each sample's loss. The plan has tiles of one row."""
    cdef Job job = make_job(plan, &layers[0], layers.shape[0], statistics, partials, sparse)
    cdef Mode mode = prediction_mode()
    cdef const real* params_ = &params[0]
    cdef real* out = &gradients__out[0, 0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.rows.n_rows, n_params = params.shape[0]
    job.samples = make_samples(X, y, None, None)
    with nogil, parallel(num_threads=n_threads):
        row_gradients(&job, join(&job.barrier), n_samples, &mode, params_, out, n_params, work_)
