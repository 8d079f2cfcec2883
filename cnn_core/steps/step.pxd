from libc.stdint cimport uint64_t
from cnn_core.passes.gradient cimport Job
from cnn_core.machine.team cimport Member
from cnn_core.types cimport Step, real
from cnn_core.steps.updates cimport Updater

# What the caller chose; comes as a dict.
cdef struct Options:
    Py_ssize_t batch_size    # of a step
    int rule                 # an Update
    bint nesterov
    bint penalised           # some step may have an alpha
    bint direct              # plain gradient descent straight into the parameters
    bint by_rows             # threads share the rows of W instead of adding up gradients of their own
    bint counts_rows         # the loss of a batch counts for its rows, not for the sum of their weights
    bint clips               # some step may have a clip_norm or clip_value
    bint limits_columns      # some step may have a max_norm
    Py_ssize_t part_rows     # rows of a batch that share batch statistics; the whole batch, or parts that accumulate

# How a step is done.
cdef struct Way:
    Updater updater
    Options options
    void* average            # (n_params,) of the network's type: the moving average of the parameters; NULL: none
    double* average_statistics
    Py_ssize_t n_statistics
    uint64_t seed            # of the dropout masks
    Py_ssize_t first_mask    # the number that the first step's mask has among those of the seed
    const Step* steps        # the table that the steps come from
    const double* dropout_rates      # beside it, a row (n_layers,) for each; NULL: they don't change

cdef void train_step(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t number,
                     Py_ssize_t first, Py_ssize_t n_batch, real* params, real* gradients, real* state,
                     real* work) noexcept nogil
