"""How a step is done: the caller's options, and what the update needs besides the gradient."""
from libc.stdint cimport int64_t, uint64_t

from cnn_core.steps.updates cimport Updater
from cnn_core.types cimport Step

# The caller's options; they come as a dict.
cdef struct Options:
    Py_ssize_t batch_size    # rows of a step
    int rule                 # an Update
    bint nesterov
    bint penalised           # some step may have an alpha
    bint direct              # plain gradient descent, added straight to the parameters
    bint by_rows             # threads share the rows of W instead of summing their own gradients
    bint counts_rows         # a batch's loss is weighted by its number of rows, not by the sum of their weights
    bint whole_gradient      # the whole gradient is computed before any update: for the next two
    bint clips               # some step may have a clip_norm or clip_value
    int64_t call_out         # address of a Python object to call with each gradient; 0: none
    bint limits_columns      # some step may have a max_norm
    Py_ssize_t part_rows     # rows that share batch statistics: a whole batch, or parts whose gradients add up
    Py_ssize_t full_rows     # rows that count fully in running statistics
    Py_ssize_t least_rows    # of an epoch's last batch, and of a part; fewer join the batch before, or the first part

cdef struct Way:
    Updater updater
    Options options
    void* average            # (n_params,) of the network's type: the moving average of the parameters; NULL: none
    double* average_statistics
    Py_ssize_t n_statistics
    uint64_t seed            # of the dropout masks
    Py_ssize_t first_mask    # number of the first step's mask in the seed's sequence
    const Step* steps        # the table of the steps
    const double* dropout_rates      # a row (n_layers,) for each of them; NULL: the layers' own
