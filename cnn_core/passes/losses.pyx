"""Losses: raw scores and targets in, summed loss and output delta out, in one pass.

The last layer passes on its scores, because some losses are computed together with the activation: cross-entropy with
softmax, binary cross-entropy with sigmoid and Poisson with exp have the simple delta o - t; Poisson with softplus needs
the scores because log(softplus(z)) loses all precision far below zero. Any other pair takes three steps: activation,
d loss / d output, derivative of the activation. A custom loss always gets the scores.

Losses are summed, in double, and deltas are not divided by the batch's size: a caller that wants a mean divides once.
The loss of one row is: squared_error 1/2 sum_k e_k^2, mse mean_k e_k^2, absolute_error mean_k |e_k|, huber (Huber
1964) mean_k of e^2/2 inside +-d and d (|e| - d/2) outside, quantile (Koenker and Bassett 1978) mean_k max(-q e,
(1 - q) e), poisson mean_k (o_k - t_k log o_k), cross_entropy -sum_k t_k log o_k, binary_cross_entropy
-sum_k (t_k log o_k + (1 - t_k) log(1 - o_k)); e = o - t, o the output, t the target. With a weight for each target,
each term of the sum or mean is multiplied by its own. `distributions` has the losses with several outputs for a target.
"""
from libc.math cimport exp as exp_
from libc.math cimport fabs, fmax, log1p
from libc.math cimport log as log_
from libc.stdint cimport int64_t
from libc.string cimport memset

from cnn_core.layers.activations cimport EXP, SIGMOID, SOFTMAX, SOFTPLUS, activate, limited_exp, through_activation
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.passes.cross_entropy cimport binary_cross_entropy, cross_entropy
from cnn_core.passes.custom cimport call_custom
from cnn_core.passes.distributions cimport gaussian, quantiles
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, buffer, real


cdef CLONES_VOID squared(const real* y, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                         Py_ssize_t n_out, real loss_factor, real delta_factor) noexcept nogil:
    """row_loss (n_rows) := loss_factor * sum_k e_k^2; delta (n_rows, n_out) := delta_factor * e."""
    cdef Py_ssize_t i, j
    cdef real e, total
    for i in range(n_rows * n_out):
        delta[i] = delta_factor * (y[i] - t[i])
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            e = y[j] - t[j]
            total += e * e
        row_loss[i] = loss_factor * total


cdef CLONES_VOID exp_poisson(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                             Py_ssize_t n_out) noexcept nogil:
    """row_loss := mean_k e^z_k - t_k z_k; delta := (e^z - t) / n_out."""
    cdef Py_ssize_t i, j
    cdef real total
    for i in range(n_rows * n_out):
        delta[i] = limited_exp(z[i])
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            total += delta[j] - t[j] * z[j]
        row_loss[i] = total / n_out
    for i in range(n_rows * n_out):
        delta[i] = (delta[i] - t[i]) / n_out


cdef void softplus_poisson(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                           Py_ssize_t n_out) noexcept nogil:
    """row_loss := mean_k y_k - t_k log y_k with y = softplus(z); delta := (s - t s / y) / n_out with s = sigmoid(z).

    Below -40, y = s = e^z to the last bit: log y = z and s / y = 1.
    """
    cdef Py_ssize_t i, j
    cdef double score, y, s, log_y, ratio, total
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            score = z[j]
            y = fmax(score, 0) + log1p(exp_(-fabs(score)))
            s = 1 / (1 + exp_(-score))
            log_y, ratio = score, 1
            if score > -40:
                log_y, ratio = log_(y), s / y
            total += y - t[j] * log_y
            delta[j] = <real> ((s - t[j] * ratio) / n_out)
        row_loss[i] = <real> (total / n_out)


cdef void robust(int loss, const real* y, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                 Py_ssize_t n_out, double parameter) noexcept nogil:
    """The losses that depend on the error's size or sign by cases: absolute_error, huber, quantile."""
    cdef Py_ssize_t i, j
    cdef double e, total, slope
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            e = <double> y[j] - t[j]
            if loss == ABSOLUTE_ERROR:
                total += fabs(e)
                slope = (e > 0) - (e < 0)
            elif loss == HUBER:
                if fabs(e) <= parameter:
                    total += e * e / 2
                    slope = e
                else:
                    total += parameter * (fabs(e) - parameter / 2)
                    slope = parameter if e > 0 else -parameter
            else:
                total += fmax(-parameter * e, (1 - parameter) * e)
                slope = 1 - parameter if e > 0 else (-parameter if e < 0 else 0)
            delta[j] = <real> (slope / n_out)
        row_loss[i] = <real> (total / n_out)


cdef inline bint is_fused(int loss, int64_t activation) noexcept nogil:
    return (loss == CUSTOM
            or (loss == CROSS_ENTROPY and activation == SOFTMAX)
            or (loss == BINARY_CROSS_ENTROPY and activation == SIGMOID)
            or (loss == POISSON and (activation == EXP or activation == SOFTPLUS)))


cdef void row_losses(const Net* net, const real* y, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                     Py_ssize_t n_out, real smoothing) noexcept nogil:
    """row_loss (n_rows) and delta (n_rows, n_out), without weights, of a loss with one target for each output."""
    cdef int loss = <int> net.plan.loss
    cdef int64_t activation = net.layers[net.n_layers - 1].activation
    if loss == SQUARED_ERROR:
        squared(y, t, delta, row_loss, n_rows, n_out, <real> 0.5, <real> 1)
    elif loss == MSE:
        squared(y, t, delta, row_loss, n_rows, n_out, <real> (1.0 / n_out), <real> (2.0 / n_out))
    elif loss == CROSS_ENTROPY:
        cross_entropy(y, t, delta, row_loss, n_rows, n_out, smoothing)
    elif loss == BINARY_CROSS_ENTROPY:
        binary_cross_entropy(y, t, delta, row_loss, n_rows, n_out, smoothing)
    elif loss == POISSON and activation == EXP:
        exp_poisson(y, t, delta, row_loss, n_rows, n_out)
    elif loss == POISSON:
        softplus_poisson(y, t, delta, row_loss, n_rows, n_out)
    else:
        robust(loss, y, t, delta, row_loss, n_rows, n_out, net.plan.loss_parameter)


cdef enum:
    AT_ONCE = 64            # targets whose losses are computed in one call


cdef void weighted_target_losses(const Net* net, const real* y, const real* t, const real* weight, real* delta,
                                 real* row_loss, Py_ssize_t n_rows, Py_ssize_t n_out, real smoothing) noexcept nogil:
    """The same with weight (n_rows, n_out): each output is a row of its own, which counts as its share of the row."""
    cdef real[AT_ONCE] losses
    cdef real share = 1 if net.plan.loss in (SQUARED_ERROR, BINARY_CROSS_ENTROPY) else <real> (1.0 / n_out)
    cdef Py_ssize_t start = 0, n, i
    memset(row_loss, 0, n_rows * sizeof(real))
    while start < n_rows * n_out:
        n = min(<Py_ssize_t> AT_ONCE, n_rows * n_out - start)
        row_losses(net, y + start, t + start, delta + start, losses, n, 1, smoothing)
        for i in range(n):
            delta[start + i] *= share * weight[start + i]
            row_loss[(start + i) // n_out] += share * weight[start + i] * losses[i]
        start += n


cdef void weigh_rows(const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                     Py_ssize_t n_out) noexcept nogil:
    """delta (n_rows, n_out) and row_loss (n_rows) times weight (n_rows)."""
    cdef Py_ssize_t i, j
    for i in range(n_rows):
        row_loss[i] *= weight[i]
        for j in range(n_out):
            delta[i * n_out + j] *= weight[i]


cdef double loss_and_delta(const Net* net, const Tile* tile, const Mode* mode, bint weighted,
                           real* work) noexcept nogil:
    """Summed (weighted) loss of the tile; delta of the last layer (n_rows, n_out) := d loss / d scores.

    The scores are in the last layer's output buffer; an unfused loss leaves the outputs there.
    """
    cdef const LayerSpec* last = net.layers + net.n_layers - 1
    cdef Py_ssize_t n_rows = tile.n_rows, n_out = last.n_out, i
    cdef real* y = buffer(net, tile, work, last.output, n_out)
    cdef real* t = buffer(net, tile, work, net.plan.target, net.plan.n_target)
    cdef real* delta = buffer(net, tile, work, last.delta, n_out)
    cdef real* weight = buffer(net, tile, work, net.plan.row_weight, net.plan.n_weight)
    cdef real* z = NULL if last.scores < 0 else buffer(net, tile, work, last.scores, n_out)
    cdef real* row_loss = buffer(net, tile, work, net.plan.row_loss, 1)
    cdef real smoothing = <real> mode.label_smoothing
    cdef int loss = <int> net.plan.loss
    cdef bint fused = is_fused(loss, last.activation)
    cdef double total = 0
    if not fused:
        activate(last, y, z, n_rows)
    if loss == CUSTOM:
        call_custom(net.plan.custom, y, t, delta, row_loss, n_rows, n_out, net.plan.n_target)
    elif loss == GAUSSIAN:
        gaussian(y, t, weight if net.plan.n_weight > 1 else <const real*> NULL, delta, row_loss, n_rows,
                 net.plan.n_target, net.plan.loss_parameter)
    elif loss == QUANTILE and net.plan.levels != 0:
        quantiles(y, t, weight if net.plan.n_weight > 1 else <const real*> NULL, delta, row_loss, n_rows,
                  net.plan.n_target, last.group, <const double*> <void*> net.plan.levels)
    elif net.plan.n_weight > 1:
        weighted_target_losses(net, y, t, weight, delta, row_loss, n_rows, n_out, smoothing)
    else:
        row_losses(net, y, t, delta, row_loss, n_rows, n_out, smoothing)
    if not fused:
        through_activation(last, delta, y, z, n_rows)
    if weighted and net.plan.n_weight == 1:
        weigh_rows(weight, delta, row_loss, n_rows, n_out)
    for i in range(n_rows):
        total += row_loss[i]
    return total


cdef inline double mean_of(const real* values, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total = 0
    for i in range(n):
        total += values[i]
    return total / n


cdef double count_correct(const Net* net, const Tile* tile, bint weighted, bint labelled,
                          const real* work) noexcept nogil:
    """(Weighted) number of rows that are classified correctly. A label of weight 0 is neither right nor wrong.

    With one output per class (`labelled`, or any loss but binary cross-entropy), the largest score must be where the
    largest target is. Otherwise every output must be on its target's side of 1/2. Call it after `loss_and_delta`. The
    number is 0 for a loss that does not take one target for each output: then no row has a class.
    """
    cdef const LayerSpec* last = net.layers + net.n_layers - 1
    cdef Py_ssize_t n_out = last.n_out, i, j, best, wanted
    cdef const real* y = buffer(net, tile, <real*> work, last.output, n_out)
    cdef const real* t = buffer(net, tile, <real*> work, net.plan.target, n_out)
    cdef Py_ssize_t n_weight = net.plan.n_weight
    cdef const real* weight = buffer(net, tile, <real*> work, net.plan.row_weight, n_weight)
    cdef bint sides = n_out == 1 or (net.plan.loss == BINARY_CROSS_ENTROPY and not labelled)
    cdef bint right
    cdef double threshold = 0 if is_fused(<int> net.plan.loss, last.activation) else 0.5
    cdef double total = 0
    if net.plan.n_target != n_out:
        return 0
    for i in range(tile.n_rows):
        right = True
        if sides:
            for j in range(n_out):
                if (y[j] > threshold) != (t[j] > 0.5) and (n_weight == 1 or weight[i * n_weight + j] > 0):
                    right = False
        else:
            best = 0
            wanted = 0
            for j in range(1, n_out):
                if y[j] > y[best]:
                    best = j
                if t[j] > t[wanted]:
                    wanted = j
            right = best == wanted
        if right:
            total += mean_of(weight + i * n_weight, n_weight) if weighted else 1
        y += n_out
        t += n_out
    return total
