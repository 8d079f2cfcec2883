"""How a step is done: what the caller chose, and what the update needs beside the gradient."""
from libc.stdint cimport int64_t, uint64_t

from cnn_core.steps.updates cimport Updater
from cnn_core.types cimport Step

# What the caller chose; comes as a dict.
cdef struct Options:
    Py_ssize_t batch_size    # of a step
    int rule                 # an Update
    bint nesterov
    bint penalised           # some step may have an alpha
    bint direct              # plain gradient descent straight into the parameters
    bint by_rows             # threads share the rows of W instead of adding up gradients of their own
    bint counts_rows         # the loss of a batch counts for its rows, not for the sum of their weights
    bint whole_gradient      # the whole gradient is made before any update: for the two that follow
    bint clips               # some step may have a clip_norm or clip_value
    int64_t call_out         # address of what is called with each gradient; 0: nothing
    bint limits_columns      # some step may have a max_norm
    Py_ssize_t part_rows     # rows of a batch that share batch statistics; the whole batch, or parts that accumulate

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
