"""Chunks of training: step after step of gather, forward, loss, backward and update, without the GIL.

A chunk is a part of an epoch or many epochs, done by one team of threads. Like a predictor, `Epochs` gets its arrays
once and keeps them alive, so that a chunk costs no more than its steps.
"""
from cython.parallel cimport parallel
from libc.math cimport INFINITY, isfinite
from libc.setjmp cimport jmp_buf, setjmp
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from cnn_core.doors.workspace cimport Call, Pass
from cnn_core.machine.shuffling cimport BitGenerator, bits_of, shuffle
from cnn_core.machine.team cimport Member, alone, granted, join, swap_exit, wait_for_all
from cnn_core.passes.batches cimport Source, block_is_finite, make_samples, prefetch
from cnn_core.passes.tiles cimport LOSS_SLOT, Job
from cnn_core.steps.step cimport train_step
from cnn_core.steps.tiny cimport is_tiny, tiny_steps
from cnn_core.steps.way cimport Options, Way
from cnn_core.types cimport Group, Step, check_size, real

check_size(__name__, "Group", sizeof(Group))
check_size(__name__, "Step", sizeof(Step))

# The epochs of a fit, and its position.
cdef struct Course:
    Py_ssize_t n_samples
    Py_ssize_t batch_size
    Py_ssize_t least_rows    # of the last batch; fewer are part of the batch before
    Py_ssize_t step_stride   # rows from one step to the next: 0 if all steps share one row
    int n_threads
    BitGenerator* bits       # shuffles the order; NULL: samples in their own order
    int64_t* order           # (n_samples,)
    double* records          # (n_rows, 2): mean loss, learning rate of the first step
    Py_ssize_t n_rows
    double weight_of_all     # divisor of a sum over all samples
    Py_ssize_t n_steps       # done since training began
    Py_ssize_t first         # position in the epoch where the next batch begins
    Py_ssize_t n_finished    # finished epochs
    bint tiny                # the special kernel for small networks does the steps
    bint finite              # all losses and parameters were finite
    bint left                # a child was forked in the middle of a step, whose team it has left

# Copies of parameters and statistics after the newest epoch, and after the best of those before it.
cdef struct Kept:
    double* statistics       # (2, n_statistics)
    Py_ssize_t n_statistics
    double best_loss
    double newest_loss
    int newest               # row of the newest epoch's copy; the other row is the best


cdef uint64_t drawn_seed(BitGenerator* bits) noexcept:
    """Seed of the dropout masks: the number that `Generator.integers(2**63)` returns."""
    return bits.next_uint64(bits.state) >> 1


cdef double summed_loss(const Job* job, int n_threads) noexcept nogil:
    """Loss of the epoch so far, summed over all threads."""
    cdef double total = 0
    cdef int i
    for i in range(n_threads):
        total += job.partials[i * job.stride + LOSS_SLOT]
    return total


cdef void keep(Kept* kept, double loss, const double* statistics, const real* params, Py_ssize_t n_params,
               real* copies) noexcept nogil:
    """Copy the parameters after an epoch with this loss.

    The loss of an epoch says little about the weights at its end; they are known to be good once the next epoch is
    finite. So only now can the copy of the epoch before become the best one.
    """
    if kept.newest_loss < kept.best_loss:
        kept.best_loss = kept.newest_loss
        kept.newest = 1 - kept.newest
    kept.newest_loss = loss
    memcpy(copies + kept.newest * n_params, params, n_params * sizeof(real))
    if kept.n_statistics > 0:
        memcpy(kept.statistics + kept.newest * kept.n_statistics, statistics, kept.n_statistics * sizeof(double))


cdef void begin_epoch(Course* course, const Step* step) noexcept nogil:
    """Shuffle the order of the samples, and record the learning rate."""
    if course.bits is not NULL:
        shuffle(course.bits, course.order, course.n_samples)
    course.records[2 * (course.n_finished % course.n_rows) + 1] = step.learning_rate


cdef void finish_epoch(const Job* job, Course* course, Kept* kept, const real* params, Py_ssize_t n_params,
                       real* copies, const Way* way) noexcept nogil:
    """If loss and parameters are finite, record the loss, and keep the parameters or their averages."""
    cdef double loss = summed_loss(job, course.n_threads) / course.weight_of_all
    cdef int i
    course.finite = isfinite(loss) and block_is_finite(params, n_params)
    if not course.finite:
        return
    course.records[2 * (course.n_finished % course.n_rows)] = loss
    course.n_finished += 1
    if way.average is NULL:
        keep(kept, loss, job.net.statistics, params, n_params, copies)
    else:
        keep(kept, loss, way.average_statistics, <const real*> way.average, n_params, copies)
    for i in range(course.n_threads):
        job.partials[i * job.stride + LOSS_SLOT] = 0


cdef void train_steps(const Job* job, Member member, const Way* way, Course* course, Kept* kept,
                      const Step* steps, Py_ssize_t n_steps, real* params, real* gradients, real* state, real* work,
                      real* copies) noexcept nogil:
    """The work of one member of the team in a chunk, which ends early at an epoch that is not finite."""
    cdef Py_ssize_t stop, k = 0, first = course.first, number = course.n_steps
    cdef const Step* step = steps
    while k < n_steps and course.finite:
        if course.tiny:        # all remaining steps in the chunk and the epoch
            stop = min(course.n_samples, first + (n_steps - k) * course.batch_size)
            job.partials[LOSS_SLOT] += tiny_steps(&job.net, &job.samples, step, course.step_stride, first, stop,
                                                  course.batch_size, params)
        else:
            stop = first + course.batch_size
            if course.n_samples - stop < course.least_rows:
                stop = course.n_samples
            if member.size == 1 and job.samples.order is not NULL:
                prefetch(&job.samples.X, job.samples.order, stop, min(course.batch_size, course.n_samples - stop))
            train_step(job, member, way, step, number + k, first, stop - first, params, gradients, state, work)
        k += (stop - first + course.batch_size - 1) // course.batch_size if course.tiny else 1
        step = steps + k * course.step_stride
        first = stop
        if first == course.n_samples:
            first = 0
            if member.index == 0:
                finish_epoch(job, course, kept, params, way.updater.n_params, copies, way)
                if course.finite and k < n_steps:
                    begin_epoch(course, step)
            wait_for_all(member)
    if member.index == 0:
        course.first = first
        course.n_steps = number + k


cdef void train_in_team(Job* job, const Way* way, Course* course, Kept* kept, const Step* steps, Py_ssize_t n_steps,
                        real* params, real* gradients, real* state, real* work, real* copies) noexcept nogil:
    """Train for a chunk by a team; the child of a function in Python that forks comes back in the middle of a step."""
    cdef jmp_buf way_out
    if setjmp(way_out) != 0:
        course.left = True
        return
    swap_exit(&way_out)
    with parallel(num_threads=course.n_threads):
        train_steps(job, join(&job.barrier), way, course, kept, steps, n_steps, params, gradients, state, work, copies)
    swap_exit(NULL)


cdef void train(Job* job, const Way* way, Course* course, Kept* kept, const Step* steps, Py_ssize_t n_steps,
                real* params, real* gradients, real* state, real* work, real* copies) noexcept nogil:
    """Train for a chunk, by the caller alone or by a team."""
    if course.first == 0:
        begin_epoch(course, steps)
    if granted(course.n_threads) == 1:
        train_steps(job, alone(&job.barrier), way, course, kept, steps, n_steps, params, gradients, state, work,
                    copies)
    else:
        train_in_team(job, way, course, kept, steps, n_steps, params, gradients, state, work, copies)


cdef class Epochs:
    """The epochs of one fit: `begin` sets the samples, `run` does a number of steps."""

    cdef Pass over
    cdef Call call
    cdef Way way
    cdef Course course
    cdef Kept kept
    cdef const Step* steps
    cdef Py_ssize_t table_size   # steps
    cdef void* gradients
    cdef void* state
    cdef void* copies
    cdef size_t n_bytes          # of the parameters
    cdef int64_t[::1] order
    cdef Source X
    cdef Source y
    cdef const double[::1] weights
    cdef tuple borrowed          # all arguments, to keep alive what the pointers point to

    def __cinit__(self, *arguments):
        self.borrowed = arguments

    def __init__(self, Pass over, Options options, const unsigned char[::1] groups, object table, object gradients,
                 object state, object kept, object average, object draws, double[:, ::1] records):
        """over: parameters and workspace. groups: the bytes of the table of groups.

        table: (steps, dropout_rates): the bytes of any number of steps, and their rates (n_steps, n_layers). At the end
        of the table, the core starts again at its first row, and so with records (n_rows, 2); the caller must refill
        the one and read the other in time. A single step is used for all. The rates are None if the layers' own apply.
        gradients: (n_threads, n_params), (1, n_params) by rows, None if the update is direct. state: (n_slots,
        n_params), None if the rule keeps none.

        kept: (params (2, n_params), statistics (2, n_statistics)), room for the newest epoch and the best one; at the
        start, the best is the current network. average: (params (n_params,), statistics (n_statistics,)), updated by
        every step and kept instead of the network's; None without averaging.

        draws: (bit_generator, order, mask_seed, first_mask). order (n_samples,) is shuffled by a NumPy bit generator,
        whose lock the caller holds here and during `run`; None: samples stay in their own order. The dropout masks are
        those of mask_seed, starting with number first_mask; None: of a seed drawn from the bit generator. Call `begin`
        next.
        """
        cdef Py_ssize_t n_params = over.call.n_params
        if over.read_only:
            raise ValueError("the parameters are read-only")
        self.over = over
        self.call = over.call
        self.way.options = options
        self.way.updater.rule = options.rule
        self.way.updater.nesterov = options.nesterov
        self.way.updater.groups = <const Group*> &groups[0]
        self.way.updater.n_groups = groups.shape[0] // sizeof(Group)
        self.way.updater.n_params = n_params
        self.n_bytes = n_params * (sizeof(double) if self.call.double_precision else sizeof(float))
        self.course.batch_size = options.batch_size
        self.course.least_rows = options.least_rows
        self.course.n_threads = self.call.n_threads
        self.course.n_rows = records.shape[0]
        self.course.records = &records[0, 0]
        self.gradients = NULL
        if gradients is not None:
            self.gradients = over.numbers(gradients, n_params * (1 if options.by_rows else over.call.n_threads))
        self.state = NULL if state is None else over.numbers(state, n_params)
        self.take_table(table)
        self.take_copies(kept)
        self.way.average = self.way.average_statistics = NULL
        self.way.n_statistics = 0
        if average is not None:
            self.take_average(average)
        self.take_draws(draws)

    cdef int take_table(self, object table) except -1:
        cdef const unsigned char[::1] steps
        cdef const double[:, ::1] dropout_rates
        steps, dropout_rates = table
        self.steps = self.way.steps = <const Step*> &steps[0]
        self.table_size = steps.shape[0] // sizeof(Step)
        self.course.step_stride = 1 if self.table_size > 1 else 0
        self.way.dropout_rates = NULL if dropout_rates is None else &dropout_rates[0, 0]

    cdef int take_copies(self, object kept) except -1:
        cdef double[:, ::1] statistics = kept[1]
        self.copies = self.over.numbers(kept[0], 2 * self.call.n_params)
        self.kept.n_statistics = statistics.shape[1]
        self.kept.statistics = &statistics[0, 0] if statistics.shape[1] > 0 else NULL

    cdef int take_average(self, object average) except -1:
        cdef double[::1] statistics = average[1]
        self.way.average = self.over.numbers(average[0], self.call.n_params)
        if statistics.shape[0] > 0:
            self.way.average_statistics = &statistics[0]
            self.way.n_statistics = statistics.shape[0]

    cdef int take_draws(self, object draws) except -1:
        bit_generator, self.order, mask_seed, self.way.first_mask = draws
        if self.order is not None:
            self.course.bits = bits_of(bit_generator)
            self.course.order = &self.order[0]
        self.way.seed = drawn_seed(bits_of(bit_generator)) if mask_seed is None else mask_seed

    def begin(self, Source X, Source y, const double[::1] weights, double weight_of_all):
        """Set the samples: at the start, or after a whole epoch.

        `order` has room for them. `weights` (n_samples * n_weight,) may be None; weight_of_all is the sum of the rows'
        mean weights, or the number of samples if there are none or the loss counts rows.
        """
        cdef Py_ssize_t n_statistics = self.kept.n_statistics
        assert weights is None or weights.shape[0] == X.rows.n_rows * self.call.job.net.plan.n_weight
        self.X, self.y, self.weights = X, y, weights
        self.call.job.samples = make_samples(X, y, weights, self.order)
        self.course.n_samples = X.rows.n_rows
        self.course.weight_of_all = weight_of_all
        self.course.tiny = (self.way.options.direct and not self.way.options.penalised and self.course.n_threads == 1
                            and not self.way.options.limits_columns and self.way.average is NULL
                            and is_tiny(&self.call.job.net, &self.call.job.samples, self.course.batch_size))
        self.course.finite = True
        self.course.left = False
        self.kept.best_loss = self.kept.newest_loss = INFINITY
        self.kept.newest = 0
        memcpy(<char*> self.copies + self.n_bytes, self.call.params if self.way.average is NULL else self.way.average,
               self.n_bytes)
        if n_statistics > 0:
            memcpy(self.kept.statistics + n_statistics,
                   self.call.job.net.statistics if self.way.average is NULL else self.way.average_statistics,
                   n_statistics * sizeof(double))

    def run(self, Py_ssize_t n_steps):
        """Train for n_steps more steps.

        The table of steps and the records must have rows for all of them before they start again. Training stops at the
        first epoch that is not finite.
        """
        cdef const Step* steps = self.steps + self.course.n_steps % self.table_size
        assert self.X is not None
        assert self.table_size == 1 or n_steps <= self.table_size - self.course.n_steps % self.table_size
        with nogil:
            if self.call.double_precision:
                train(&self.call.job, &self.way, &self.course, &self.kept, steps, n_steps, <double*> self.call.params,
                      <double*> self.gradients, <double*> self.state, <double*> self.call.work, <double*> self.copies)
            else:
                train(&self.call.job, &self.way, &self.course, &self.kept, steps, n_steps, <float*> self.call.params,
                      <float*> self.gradients, <float*> self.state, <float*> self.call.work, <float*> self.copies)
            if self.course.first > 0:
                self.course.finite = isfinite(summed_loss(&self.call.job, self.course.n_threads))

    def position(self):
        """The position of training, for `go_to`: the seed of the dropout masks, steps and epochs done, the row where
        the next batch begins, the losses of the best epoch and of the newest, and the row of `copies` with the newest.
        """
        return (self.way.seed, self.course.n_steps, self.course.n_finished, self.course.first, self.kept.best_loss,
                self.kept.newest_loss, self.kept.newest)

    def go_to(self, uint64_t seed, Py_ssize_t n_steps, Py_ssize_t n_epochs, Py_ssize_t first, double best_loss,
              double newest_loss, int newest):
        """Continue from a `position`, after `begin`. The caller has restored the arrays before: parameters, statistics,
        state, order, copies, averages, summed losses (the first column of `partials`), and the current record.
        """
        self.way.seed = seed
        self.course.n_steps = n_steps
        self.course.n_finished = n_epochs
        self.course.first = first
        self.kept.best_loss = best_loss
        self.kept.newest_loss = newest_loss
        self.kept.newest = newest

    @property
    def n_steps(self):
        """Steps done since training began."""
        return self.course.n_steps

    @property
    def first(self):
        """The row where the next batch begins."""
        return self.course.first

    @property
    def n_epochs(self):
        """Number of finished epochs, all of them finite."""
        return self.course.n_finished

    @property
    def is_finite(self):
        """Whether the loss and the parameters have been finite so far."""
        return bool(self.course.finite)

    @property
    def was_left(self):
        """Whether this process was forked in the middle of a step of the last `run`, which is unfinished here."""
        return bool(self.course.left)

    @property
    def best(self):
        """Row of the copies with the best epoch that was followed by a finite one."""
        return 1 - self.kept.newest
