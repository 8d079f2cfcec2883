"""The core's types: the number type of a network, the layer table, and the small structs that functions share.

Python fills tables of LayerSpec, Group and Step, with dtypes from `cnn_core.types`, and passes their bytes. A module
that reads such bytes calls `check_size` when it is imported. The Plan comes as a dict.
"""
from libc.stdint cimport int32_t, int64_t, uint64_t

# A row of inputs as the list of its nonzeros: ascending columns, and values of the network's type.
cdef extern from "sparse_row.h" nogil:
    ctypedef struct SparseRow:
        const int32_t* columns
        const void* values
        Py_ssize_t length
        Py_ssize_t position

# The network's type: that of its parameters, activations and gradients.
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
    SCALING = 6        # y = gain * x
    PIECEWISE_LINEAR = 7     # y = clamp((x - edge) / width of the bin, 0, 1) - 1/2, for each bin

# One row of the layer table. Offsets into the flat parameter vector count elements. Offsets into the workspace count
# columns: a buffer of width n begins at offset * capacity and holds `capacity` rows of n elements.
cdef struct LayerSpec:
    int64_t kind
    int64_t activation
    int64_t n_in
    int64_t n_out
    int64_t weight           # params: W (n_in, n_out) of a dense layer; -1: none
    int64_t bias             # params: b (n_out,), or a norm's shift; -1: none
    int64_t gain             # params: a norm's gain (n_out,), the share of f (parametric), a scale; -1: none
    int64_t statistics       # statistics: running mean, running variance, batch mean, batch 1/deviation, n_out each
    int64_t constants        # constants: edges of bins (piecewise linear); -1: none
    int64_t input            # workspace: x, the output of the layer below
    int64_t output           # workspace: y
    int64_t scores           # workspace: the scores, kept if f' needs them (parametric: f(x)); -1: not kept
    int64_t delta            # workspace: d loss / d y, later d loss / d scores
    int64_t delta_below      # workspace: d loss / d x; -1: not needed below
    int64_t learns           # 1: it has parameters, and this pass computes their gradient
    int64_t whole_batch      # 1: training needs statistics of the whole batch
    int64_t curve            # parametric activation: the code of f
    int64_t group            # last layer: outputs of each target
    double slope             # parameter of the activation (leaky_relu, elu)
    double rate              # dropout: fraction of the units that are dropped
    double epsilon           # norms: added to the variance
    double momentum          # batch norm: fraction of the running statistics that a batch keeps

# A range of the parameter vector with its own factors for step size, decay and epsilon.
cdef struct Group:
    int64_t start
    int64_t length
    double learning_rate_factor
    double decay_factor
    double epsilon_factor

# The hyperparameters of one step.
cdef struct Step:
    double learning_rate
    double weight_decay
    double l1_decay
    double momentum          # SGD, RMSprop; beta_1 of the Adam family; iRprop+: 1 if the loss rose
    double beta_2            # decay of the mean square
    double epsilon
    double correction_1      # divisor of the first moment (Adam family)
    double correction_2      # divisor of the second moment
    double correction_3      # NAdam: weight of the gradient itself
    double label_smoothing
    double alpha             # L2 penalty: a batch of weight n adds alpha / (2 n) * sum of squares to its loss
    double clip_norm         # largest norm of the gradient; INFINITY: no limit
    double clip_value        # largest absolute value of its elements; INFINITY: no limit
    double max_norm          # largest norm of a unit's incoming weights after the update
    double average_share     # weight of the new parameters in the moving average
    double look_ahead        # SGD: momentum of the look-ahead with nesterov

# What `fastmlp.model.layout` computed for one workspace.
cdef struct Plan:
    int64_t loss
    double loss_parameter    # huber: delta, quantile: q, gaussian: beta
    int64_t levels           # several quantiles: address of their doubles; 0: one, or another loss
    int64_t custom           # address of the Python object that computes a custom loss
    int64_t capacity         # rows of each workspace buffer
    int64_t tile_rows        # rows that go through the network together
    int64_t keeps_batch      # 1: the buffers hold a whole batch (batch norm); 0: one tile for each thread
    int64_t target           # workspace: the targets (n_target columns)
    int64_t n_target         # targets of each row: n_out, unless the loss takes another number
    int64_t row_weight       # workspace: the sample weights (n_weight columns)
    int64_t n_weight         # weights of each row: 1, or one for each target
    int64_t row_loss         # workspace: the loss of each row (1 column)

# A network as the kernels see it; nothing here depends on `real`.
cdef struct Net:
    Plan plan
    const LayerSpec* layers
    Py_ssize_t n_layers
    Py_ssize_t lowest        # lowest layer that learns or passes a delta on: the backward pass ends there
    double* statistics
    const double* constants
    SparseRow* sparse_rows   # (capacity,): the first layer's inputs if it skips zeros, else NULL
    SparseRow* cut_rows      # (n_threads, capacity): each thread's share of their columns; see step.pyx
    int32_t* columns         # (capacity, n_in): memory for the nonzero columns of dense inputs

# Rows that go through the network together.
cdef struct Tile:
    Py_ssize_t first         # their first row in the workspace buffers
    Py_ssize_t position      # their first row in the batch
    Py_ssize_t n_rows

# A thread's share of a layer's parameters: a range of its matrix and one of its vector.
cdef struct Share:
    Py_ssize_t start
    Py_ssize_t stop
    Py_ssize_t bias_start
    Py_ssize_t bias_stop

# The mode of a pass: training or not, dropout, label smoothing.
cdef struct Mode:
    bint training            # batch statistics and dropout
    Py_ssize_t full_rows     # rows that count fully in the running statistics; 0: those stay as they are
    uint64_t dropout_key     # this step's
    double dropout_factor    # multiplies every dropout rate
    const double* dropout_rates      # (n_layers,), this step's; NULL: the layers' own
    double label_smoothing


cdef int check_size(str module, str name, size_t size) except -1


# The tile's first row in the buffer at column offset `offset`, which is `width` columns wide.
cdef inline real* buffer(const Net* net, const Tile* tile, real* work, Py_ssize_t offset,
                         Py_ssize_t width) noexcept nogil:
    return work + offset * net.plan.capacity + tile.first * width


# Running statistics, no dropout, no label smoothing.
cdef inline Mode prediction_mode() noexcept nogil:
    cdef Mode mode
    mode.training = False
    mode.full_rows = 0
    mode.dropout_key = 0
    mode.dropout_factor = 0
    mode.dropout_rates = NULL
    mode.label_smoothing = 0
    return mode
