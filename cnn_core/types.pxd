"""The shapes of things: scalar types, the layer table and the small structs that travel through the core.

Python fills tables of LayerSpec, Group and Step, with the dtypes that `cnn_core.types` gives it, and hands over their
bytes. A module that reads such bytes calls `check_size` when it is imported. The plan comes as a dict.
"""
from libc.stdint cimport int32_t, int64_t, uint64_t

# A row of inputs as the list of its numbers that aren't 0: their columns, ascending, and values of the network's type.
cdef extern from "sparse_row.h" nogil:
    ctypedef struct SparseRow:
        const int32_t* columns
        const void* values
        Py_ssize_t length
        Py_ssize_t position

# The one fused type of the core: parameters, activations and gradients of a network share it.
ctypedef fused real:
    float
    double

cpdef enum Kind:
    DENSE = 0          # y = f(x W + b)
    ACTIVATION = 1     # y = f(x)
    DROPOUT = 2        # y = x * mask / (1 - rate)
    BATCH_NORM = 3     # y = gain * (x - mean over the batch) / deviation + shift
    LAYER_NORM = 4     # y = gain * (x - mean over the row) / deviation + shift
    PARAMETRIC = 5     # y = x + gain * (f(x) - x)

# One row of the layer table. Offsets into the flat parameter vector count elements. Offsets into the workspace count
# columns: a buffer of width n begins at offset * capacity and holds `capacity` rows of n elements.
cdef struct LayerSpec:
    int64_t kind
    int64_t activation
    int64_t n_in
    int64_t n_out
    int64_t weight           # params: W (n_in, n_out) of a layer that multiplies by it; -1: none
    int64_t bias             # params: b (n_out,), or the shift of a norm; -1: none
    int64_t gain             # params: (n_out,), what a norm multiplies by, or the share of f; -1: none
    int64_t statistics       # statistics: running mean, running variance, batch mean, batch 1/deviation, n_out each
    int64_t input            # workspace: x, which is the output of the layer below
    int64_t output           # workspace: y
    int64_t scores           # workspace: x W + b, kept where f' can't be had from y; -1: not kept
    int64_t delta            # workspace: d loss / d y, later d loss / d scores
    int64_t delta_below      # workspace: d loss / d x; -1: nothing below wants it
    int64_t learns           # 1: it has parameters, and this pass wants their gradient
    int64_t whole_batch      # 1: in training it waits for statistics of the whole batch
    int64_t curve            # code of the f of a parametric activation
    double slope             # parameter of the activation (leaky_relu, elu)
    double rate              # dropout: share of the units that are dropped
    double epsilon           # norms: added to the variance
    double momentum          # batch norm: share of the running statistics that a batch leaves in place

# A stretch of the parameter vector with its own factors on step size, decay and epsilon.
cdef struct Group:
    int64_t start
    int64_t length
    double learning_rate_factor
    double decay_factor
    double epsilon_factor

# The hyper-values of one update, read anew at every step.
cdef struct Step:
    double learning_rate
    double weight_decay
    double l1_decay
    double momentum          # SGD, RMSprop; beta_1 of the Adam family; iRprop+: 1 where the loss rose
    double beta_2            # decay of the mean square
    double epsilon
    double correction_1      # what the first moment is divided by (Adam family)
    double correction_2      # what the second moment is divided by
    double correction_3      # NAdam: weight of the gradient itself
    double label_smoothing
    double alpha             # L2 penalty: a batch of weight n has alpha / (2 n) * the sum of squares in its loss
    double clip_norm         # the gradient is at most so long; INFINITY: as long as it is
    double clip_value        # and its numbers so large
    double max_norm          # a unit's incoming weights are at most so long after the update
    double average_share     # of the new parameters in the moving average
    double look_ahead        # SGD: the momentum with which nesterov looks ahead

# What `fastmlp.layout` worked out for one workspace.
cdef struct Plan:
    int64_t loss
    double loss_parameter    # huber: delta, quantile: q
    int64_t custom           # address of what a custom loss calls
    int64_t capacity         # rows of each workspace buffer
    int64_t tile_rows        # rows that go through the network together
    int64_t keeps_batch      # 1: the buffers hold a whole batch (batch norm); 0: one tile for each thread
    int64_t target           # workspace: the targets (n_out columns)
    int64_t row_weight       # workspace: the sample weights (1 column)
    int64_t row_loss         # workspace: the loss of each row (1 column)

# A network as the kernels see it; nothing here depends on `real`.
cdef struct Net:
    Plan plan
    const LayerSpec* layers
    Py_ssize_t n_layers
    Py_ssize_t lowest        # layer that learns or hands a delta on: the backward pass ends with it
    double* statistics
    SparseRow* sparse_rows   # (capacity,): the inputs of the first layer where it leaves out zeros, else NULL
    SparseRow* cut_rows      # (n_threads, capacity): each thread's part of their columns; see step.pyx
    int32_t* columns         # (capacity, n_in): room for the columns of dense inputs' nonzero numbers

# Rows on their way through the network.
cdef struct Tile:
    Py_ssize_t first         # their first row in the workspace buffers
    Py_ssize_t position      # their first row in the batch
    Py_ssize_t n_rows

# Stretches of the parameters: those of a matrix, and those of a vector beside it.
cdef struct Share:
    Py_ssize_t start
    Py_ssize_t stop
    Py_ssize_t bias_start
    Py_ssize_t bias_stop

# How a pass behaves.
cdef struct Mode:
    bint training            # batch statistics and dropout
    bint keep_running        # batch norms take a step of their running statistics
    uint64_t dropout_key     # of this step
    double dropout_factor    # multiplies every dropout rate
    const double* dropout_rates      # (n_layers,) in this step; NULL: those of the layers
    double label_smoothing


cdef int check_size(str module, str name, size_t size) except -1


# Where row `first` of the buffer at column offset `offset` (width columns wide) begins.
cdef inline real* buffer(const Net* net, const Tile* tile, real* work, Py_ssize_t offset,
                         Py_ssize_t width) noexcept nogil:
    return work + offset * net.plan.capacity + tile.first * width


# Running statistics, no dropout, no label smoothing: how a network behaves when it isn't trained.
cdef inline Mode prediction_mode() noexcept nogil:
    cdef Mode mode
    mode.training = False
    mode.keep_running = False
    mode.dropout_key = 0
    mode.dropout_factor = 0
    mode.dropout_rates = NULL
    mode.label_smoothing = 0
    return mode
