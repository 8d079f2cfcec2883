"""A chunk of an epoch: step after step of gather, forward, loss, backward and update, without the GIL.

One team of threads serves the whole chunk. Each step is one batch: every thread takes its tiles (`batch_gradient`),
all wait, every thread updates its slice of the parameters from the sum of the threads' gradients, all wait.

Plain gradient descent on one thread and one tile needs neither gradient nor update: the matrix product that would make
the gradient adds -learning_rate / n times it to the weights.
"""
from cython.parallel cimport parallel
from libc.stdint cimport int64_t, uint64_t

from cnn_core.batches cimport Source, make_samples, prefetch, total_weight
from cnn_core.gradient cimport LOSS_SLOT, Job, batch_gradient, count_tiles, make_job, sum_gradients
from cnn_core.random cimport mix
from cnn_core.team cimport Member, join, team_has_threads, wait_for_all
from cnn_core.tiny cimport is_tiny, tiny_steps
from cnn_core.types cimport Group, LayerSpec, Mode, Plan, Step, real
from cnn_core.updates cimport update

# How the parameters change.
cdef struct Updater:
    int rule
    bint nesterov
    bint direct              # plain gradient descent straight into the parameters
    bint tiny                # so few of them that a kernel of its own does the steps
    const Group* groups
    Py_ssize_t n_groups
    const Step* steps        # one for each batch of the chunk
    Py_ssize_t n_params
    uint64_t seed
    Py_ssize_t first_step    # number of the chunk's first step since training began


def has_threads():
    """Whether the core was built with OpenMP."""
    return bool(team_has_threads())


cdef void train_step(const Job* job, Member member, const Updater* updater, Py_ssize_t k, Py_ssize_t first,
                     Py_ssize_t n_batch, real* params, real* gradients, real* state, real* work) noexcept nogil:
    """The batch order[first : first + n_batch] as step k of the chunk."""
    cdef const Step* step = updater.steps + k
    cdef double weight = total_weight(&job.samples, first, n_batch)
    cdef double scale = 1 / weight if weight > 0 else 0      # the one place where a mean is taken
    cdef Py_ssize_t n_params = updater.n_params, n_gradients, slice_size, start, stop
    cdef Mode mode
    mode.training = True
    mode.keep_running = True
    mode.dropout_key = mix(updater.seed, updater.first_step + k)
    mode.dropout_factor = step.dropout_factor
    mode.label_smoothing = step.label_smoothing
    if updater.direct:
        batch_gradient(job, member, first, n_batch, &mode, params, work, params, -step.learning_rate * scale,
                       1 - step.learning_rate * step.weight_decay, 1.0)
        return
    batch_gradient(job, member, first, n_batch, &mode, params, work, gradients + member.index * n_params, scale, 0.0,
                   0.0)
    wait_for_all(member)
    n_gradients = min(member.size, count_tiles(job, n_batch))
    slice_size = (n_params // member.size // 16 + 1) * 16
    start = min(n_params, member.index * slice_size)
    stop = min(n_params, start + slice_size)
    sum_gradients(gradients, n_params, n_gradients, start, stop)
    update(updater.rule, updater.groups, updater.n_groups, step, start, stop, updater.nesterov, params, gradients,
           state, n_params)
    wait_for_all(member)


cdef void train_steps(const Job* job, Member member, const Updater* updater, Py_ssize_t n_steps, Py_ssize_t first,
                      Py_ssize_t last, Py_ssize_t batch_size, real* params, real* gradients, real* state,
                      real* work) noexcept nogil:
    """What one member of the team does for the samples order[first:last]."""
    cdef Py_ssize_t k, start
    if updater.tiny:
        job.partials[LOSS_SLOT] += tiny_steps(&job.net, &job.samples, updater.steps, first, last, batch_size, params)
        return
    for k in range(n_steps):
        start = first + k * batch_size
        if member.size == 1 and job.samples.order is not NULL:
            prefetch(&job.samples.X, job.samples.order, start + batch_size,
                     max(0, min(batch_size, last - start - batch_size)))
        train_step(job, member, updater, k, start, min(batch_size, last - start), params, gradients, state, work)


def run_epoch(const Plan[::1] plan, const LayerSpec[::1] layers, const Group[::1] groups, const Step[::1] steps,
              real[::1] params, real[:, ::1] gradients, real[:, ::1] state, double[::1] statistics, real[::1] work,
              double[:, ::1] partials, unsigned char[::1] sparse, Source X, Source y, const double[::1] weights,
              const int64_t[::1] order,
              Py_ssize_t first, Py_ssize_t last, Py_ssize_t batch_size, int rule, bint nesterov, bint direct,
              uint64_t seed, Py_ssize_t first_step, int n_threads):
    """Train on the samples order[first:last] in batches of `batch_size`, one row of `steps` for each batch.

    Changes params, state and statistics; adds each thread's summed loss to partials[thread, 0]. Memory belongs to
    the caller: gradients (n_threads, n_params), work (columns of the layout * capacity,), partials (n_threads, ...).
    `state` may be None where the rule keeps none; `shift`, `scale`, `weights` and `order` where there are none.
    """
    cdef Job job = make_job(plan, layers, statistics, partials, sparse)
    cdef Updater updater
    cdef real* params_ = &params[0]
    cdef real* gradients_ = NULL if gradients is None else &gradients[0, 0]
    cdef real* state_ = NULL if state is None else &state[0, 0]
    cdef real* work_ = &work[0]
    job.samples = make_samples(X, y, weights, order)
    updater.rule = rule
    updater.nesterov = nesterov
    updater.direct = direct
    updater.tiny = direct and n_threads == 1 and is_tiny(&job.net, &job.samples, batch_size)
    updater.groups = &groups[0]
    updater.n_groups = groups.shape[0]
    updater.steps = &steps[0]
    updater.n_params = params.shape[0]
    updater.seed = seed
    updater.first_step = first_step
    cdef Py_ssize_t n_steps = (last - first + batch_size - 1) // batch_size
    assert n_steps == steps.shape[0]
    if n_threads == 1:
        with nogil:
            train_steps(&job, join(&job.barrier), &updater, n_steps, first, last, batch_size, params_, gradients_,
                        state_, work_)
    else:
        with nogil, parallel(num_threads=n_threads):
            train_steps(&job, join(&job.barrier), &updater, n_steps, first, last, batch_size, params_, gradients_,
                        state_, work_)
