"""The loss as a function of one or two chosen parameters, over a grid, on all threads.

Every thread has a copy of the parameters, writes a grid point into it and runs the samples forward; where they fit one
tile, they are gathered once. So a million evaluations of a toy network take a fraction of a second.
"""
from cython.parallel cimport parallel

from cnn_core.batches cimport make_samples
from cnn_core.forward cimport forward
from cnn_core.gradient cimport Job, count_tiles, load_tile, make_job, place_tile
from cnn_core.losses cimport loss_and_delta
from cnn_core.team cimport Member, join
from cnn_core.types cimport LayerSpec, Mode, Plan, Tile, prediction_mode, real


cdef void surface_rows(const Job* job, Member member, Py_ssize_t n_samples, Py_ssize_t index_0, Py_ssize_t index_1,
                       const double[::1] grid_0, const double[::1] grid_1, real* params, Py_ssize_t n_params,
                       real* work, double[:, ::1] losses__out) noexcept nogil:
    """losses__out (n_0, n_1): this member's rows."""
    cdef Mode mode = prediction_mode()
    cdef Tile tile
    cdef Py_ssize_t i, j, t, n_tiles = count_tiles(job, n_samples)
    cdef double total
    params += member.index * n_params
    i = member.index
    while i < grid_0.shape[0]:
        for j in range(grid_1.shape[0]):
            params[index_1] = <real> grid_1[j]
            params[index_0] = <real> grid_0[i]
            total = 0
            for t in range(n_tiles):
                tile = place_tile(job, member, t, n_samples)
                if n_tiles > 1 or (i == member.index and j == 0):
                    load_tile(job, &tile, 0, work)
                forward(&job.net, &tile, &mode, 0, job.net.n_layers, False, params, work)
                total += loss_and_delta(&job.net, &tile, &mode, job.samples.weights is not NULL, work)
            losses__out[i, j] = total
        i += member.size


def loss_surface(const Plan[::1] plan, const LayerSpec[::1] layers, real[:, ::1] params, double[::1] statistics,
                 real[::1] work, double[:, ::1] partials,
                 const unsigned char[:, ::1] X, int X_dtype, const unsigned char[::1] shift,
                 const unsigned char[::1] scale,
                 const unsigned char[:, ::1] y, int y_dtype, const double[::1] weights,
                 Py_ssize_t index_0, Py_ssize_t index_1, const double[::1] grid_0, const double[::1] grid_1,
                 double[:, ::1] losses__out, int n_threads):
    """losses__out (n_0, n_1) := summed loss of the samples with parameter index_0 at grid_0[i], index_1 at grid_1[j].

    `params` (n_threads, n_params) are copies that are written over. For one parameter alone, index_1 is index_0 and
    grid_1 has one element: index_0 is written last.
    """
    cdef Job job = make_job(plan, layers, statistics, partials)
    cdef real* params_ = &params[0, 0]
    cdef real* work_ = &work[0]
    cdef Py_ssize_t n_samples = X.shape[0], n_params = params.shape[1]
    job.samples = make_samples(X, X_dtype, layers[0].n_in, shift, scale, y, y_dtype,
                               layers[layers.shape[0] - 1].n_out, weights, None)
    with nogil, parallel(num_threads=n_threads):
        surface_rows(&job, join(&job.barrier), n_samples, index_0, index_1, grid_0, grid_1, params_, n_params,
                     work_, losses__out)
