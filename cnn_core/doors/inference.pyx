"""Forward only: predictions, and the loss and accuracy of labelled samples, tile by tile on all threads."""
from cython.parallel cimport parallel
from libc.string cimport memcpy

from cnn_core.machine.team cimport Member, join
from cnn_core.passes.batches cimport LABEL, Source, make_samples
from cnn_core.passes.forward cimport forward
from cnn_core.passes.gradient cimport (
    CORRECT_SLOT, LOSS_SLOT, Job, load_inputs, load_tile, make_job, own_tile, place_tile,
)
from cnn_core.passes.losses cimport count_correct, loss_and_delta
from cnn_core.types cimport LayerSpec, Mode, Plan, Tile, buffer, prediction_mode, real


cdef void predict_tiles(const Job* job, Member member, Py_ssize_t n_samples, Py_ssize_t first, Py_ssize_t stop,
                        const real* params, real* out, real* work) noexcept nogil:
    """out (n_samples, n_out): this member's tiles of those from `first` to `stop`."""
    cdef const LayerSpec* last = job.net.layers + job.net.n_layers - 1
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef Py_ssize_t i
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, n_samples)
        load_inputs(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, True, params, work)
        memcpy(out + tile.position * last.n_out, buffer(&job.net, &tile, work, last.output, last.n_out),
               tile.n_rows * last.n_out * sizeof(real))
        i += member.size


def predict(Plan plan, const LayerSpec[::1] layers, const real[::1] params, double[::1] statistics,
            real[::1] work, double[:, ::1] partials, unsigned char[::1] sparse, Source X, real[:, ::1] out,
            Py_ssize_t first, Py_ssize_t stop, int n_threads):
    """out (n_samples, n_out) := the network's outputs, for the tiles from `first` to `stop`."""
    cdef Job job = make_job(plan, &layers[0], layers.shape[0], statistics, partials, sparse)
    cdef const real* params_ = &params[0]
    cdef real* out_ = &out[0, 0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.rows.n_rows
    job.samples = make_samples(X, None, None, None)
    if n_threads == 1:
        with nogil:
            predict_tiles(&job, join(&job.barrier), n_samples, first, stop, params_, out_, work_)
    else:
        with nogil, parallel(num_threads=n_threads):
            predict_tiles(&job, join(&job.barrier), n_samples, first, stop, params_, out_, work_)


cdef void activation_tiles(const Job* job, Member member, Py_ssize_t n_samples, Py_ssize_t first, Py_ssize_t stop,
                           const real* params, real* out, real* work) noexcept nogil:
    """This member's tiles of every layer's outputs, which stand in `out` layer by layer, each (n_samples, n_out)."""
    cdef const LayerSpec* layer
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef real* there
    cdef Py_ssize_t i, k
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, n_samples)
        load_inputs(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, True, params, work)
        there = out
        for k in range(job.net.n_layers):
            layer = job.net.layers + k
            memcpy(there + tile.position * layer.n_out, buffer(&job.net, &tile, work, layer.output, layer.n_out),
                   tile.n_rows * layer.n_out * sizeof(real))
            there += n_samples * layer.n_out
        i += member.size


def activations(Plan plan, const LayerSpec[::1] layers, const real[::1] params, double[::1] statistics,
                real[::1] work, double[:, ::1] partials, unsigned char[::1] sparse, Source X, real[::1] out,
                Py_ssize_t first, Py_ssize_t stop, int n_threads):
    """out := the outputs (n_samples, n_out) of every layer, one layer behind another, for the tiles from first to stop.
    """
    cdef Job job = make_job(plan, &layers[0], layers.shape[0], statistics, partials, sparse)
    cdef const real* params_ = &params[0]
    cdef real* out_ = &out[0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.rows.n_rows
    job.samples = make_samples(X, None, None, None)
    with nogil, parallel(num_threads=n_threads):
        activation_tiles(&job, join(&job.barrier), n_samples, first, stop, params_, out_, work_)


cdef void evaluate_tiles(const Job* job, Member member, Py_ssize_t n_samples, Py_ssize_t first, Py_ssize_t stop,
                         const real* params, real* work) noexcept nogil:
    """Adds this member's losses and right answers to its row of `partials`."""
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef Py_ssize_t i
    cdef bint weighted = job.samples.weights is not NULL
    cdef double* partial
    partial = job.partials + member.index * job.stride
    i = own_tile(member, first)
    while i < stop:
        tile = place_tile(job, member, i, n_samples)
        load_tile(job, &tile, 0, work)
        forward(&job.net, &tile, &mode, 0, job.net.n_layers, False, params, work)
        partial[LOSS_SLOT] += loss_and_delta(&job.net, &tile, &mode, weighted, work)
        partial[CORRECT_SLOT] += count_correct(&job.net, &tile, weighted, job.samples.y.dtype == LABEL, work)
        i += member.size


def evaluate(Plan plan, const LayerSpec[::1] layers, const real[::1] params, double[::1] statistics,
             real[::1] work, double[:, ::1] partials, unsigned char[::1] sparse, Source X, Source y,
             const double[::1] weights, Py_ssize_t first, Py_ssize_t stop, int n_threads):
    """partials[thread] += (summed loss, summed weight of right answers, ...) of its tiles from `first` to `stop`."""
    cdef Job job = make_job(plan, &layers[0], layers.shape[0], statistics, partials, sparse)
    cdef const real* params_ = &params[0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.rows.n_rows
    job.samples = make_samples(X, y, weights, None)
    if n_threads == 1:
        with nogil:
            evaluate_tiles(&job, join(&job.barrier), n_samples, first, stop, params_, work_)
    else:
        with nogil, parallel(num_threads=n_threads):
            evaluate_tiles(&job, join(&job.barrier), n_samples, first, stop, params_, work_)
