"""Plain gradient descent on networks of a few weights, as in textbooks, with the kernel of tiny.h.

It takes up to four dense layers of at most 16 inputs and outputs, with identity, sigmoid, tanh or relu; squared error
or mse; batches of at most 16 rows without sample weights. For such networks, the calls and passes of the general code
cost more than the arithmetic.
"""
from cnn_core.layers.activations cimport IDENTITY, RELU, SIGMOID, TANH
from cnn_core.passes.batches cimport Samples, gather
from cnn_core.passes.losses cimport MSE, SQUARED_ERROR
from cnn_core.types cimport LayerSpec, Net, Step, real

cdef extern from "tiny.h" nogil:
    int TINY_NARROW
    int TINY_ROWS
    int TINY_LAYERS
    ctypedef struct TinyNet:
        bint is_narrow
    ctypedef struct TinyStep:
        double rate
        double shrink
        double loss_factor
        double delta_factor
    void tiny_load_f(TinyNet* net, Py_ssize_t index, Py_ssize_t n_in, Py_ssize_t n_out, int activation,
                     const float* W, const float* b) noexcept
    void tiny_load_d(TinyNet* net, Py_ssize_t index, Py_ssize_t n_in, Py_ssize_t n_out, int activation,
                     const double* W, const double* b) noexcept
    void tiny_store_f(const TinyNet* net, Py_ssize_t index, float* W, float* b) noexcept
    void tiny_store_d(const TinyNet* net, Py_ssize_t index, double* W, double* b) noexcept
    void tiny_step_f(TinyNet* net, Py_ssize_t n_layers, const TinyStep* step, const float* X, const float* targets,
                     Py_ssize_t n_rows, double* loss) noexcept
    void tiny_step_d(TinyNet* net, Py_ssize_t n_layers, const TinyStep* step, const double* X, const double* targets,
                     Py_ssize_t n_rows, double* loss) noexcept

cdef enum:
    GATHERED = 64       # rows that are gathered at once
    WIDEST = 16


cdef bint is_tiny(const Net* net, const Samples* samples, Py_ssize_t batch_size) noexcept nogil:
    """Whether the kernel takes this network and these batches."""
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    if net.n_layers > TINY_LAYERS or batch_size > TINY_ROWS or samples.weights is not NULL:
        return False
    if net.sparse_rows is not NULL or net.plan.loss not in (SQUARED_ERROR, MSE):
        return False
    for i in range(net.n_layers):
        layer = net.layers + i
        if layer.weight < 0 or not layer.learns or max(layer.n_in, layer.n_out) > WIDEST:
            return False
        if layer.activation not in (IDENTITY, SIGMOID, TANH, RELU):
            return False
    return True


cdef bint all_narrow(const Net* net) noexcept nogil:
    """Whether the narrow vectors hold every layer."""
    cdef Py_ssize_t i
    for i in range(net.n_layers):
        if max(net.layers[i].n_in, net.layers[i].n_out) > TINY_NARROW:
            return False
    return True


cdef void exchange(const Net* net, TinyNet* tiny, real* params, bint load) noexcept nogil:
    """Parameters into the kernel's layers (load), or back."""
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    cdef real* W
    cdef real* b
    for i in range(net.n_layers):
        layer = net.layers + i
        W = params + layer.weight
        b = params + layer.bias if layer.bias >= 0 else NULL
        if real is float:
            if load:
                tiny_load_f(tiny, i, layer.n_in, layer.n_out, <int> layer.activation, W, b)
            else:
                tiny_store_f(tiny, i, W, b)
        else:
            if load:
                tiny_load_d(tiny, i, layer.n_in, layer.n_out, <int> layer.activation, W, b)
            else:
                tiny_store_d(tiny, i, W, b)


cdef double tiny_steps(const Net* net, const Samples* samples, const Step* steps, Py_ssize_t step_stride,
                       Py_ssize_t first_row, Py_ssize_t stop, Py_ssize_t batch_size, real* params) noexcept nogil:
    """Steps on the samples order[first_row:stop]; returns the sum of their losses."""
    cdef TinyNet tiny
    cdef TinyStep step
    cdef real[GATHERED * WIDEST] X, targets
    cdef Py_ssize_t n_in = samples.X.width, n_out = samples.y.width, n_block, n_rows, i
    cdef double loss = 0
    step.loss_factor = 0.5 if net.plan.loss == SQUARED_ERROR else 1.0 / n_out
    step.delta_factor = 2 * step.loss_factor
    tiny.is_narrow = all_narrow(net)
    exchange(net, &tiny, params, True)
    while first_row < stop:
        n_block = min(stop - first_row, GATHERED // batch_size * batch_size)
        gather(&samples.X, samples.order, first_row, n_block, &X[0])
        gather(&samples.y, samples.order, first_row, n_block, &targets[0])
        i = 0
        while i < n_block:
            n_rows = min(batch_size, n_block - i)
            step.rate = -steps.learning_rate / n_rows
            step.shrink = 1 - steps.learning_rate * steps.weight_decay
            if real is float:
                tiny_step_f(&tiny, net.n_layers, &step, &X[i * n_in], &targets[i * n_out], n_rows, &loss)
            else:
                tiny_step_d(&tiny, net.n_layers, &step, &X[i * n_in], &targets[i * n_out], n_rows, &loss)
            i += n_rows
            steps += step_stride
        first_row += n_block
    exchange(net, &tiny, params, False)
    return loss
