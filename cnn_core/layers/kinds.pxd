"""Passes each call on to the layer's kind; nothing else in the core asks what kind a layer is.

A kind has its own file in this folder, with those of the six functions that it needs, and a line in each of them here.
Everything else about a layer is in its row of the table (`types.LayerSpec`), as an offset or a flag.
"""
from cnn_core.layers.activation cimport activation_backward, activation_forward
from cnn_core.layers.batch_norm cimport batch_norm_backward, batch_norm_forward
from cnn_core.layers.dense cimport (
    dense_backward, dense_forward, dense_gradient, dense_rows, dense_share, dense_share_gradient,
)
from cnn_core.layers.dropout cimport dropout_backward, dropout_forward
from cnn_core.layers.layer_norm cimport (
    layer_norm_backward, layer_norm_forward, layer_norm_gradient, layer_norm_rows,
)
from cnn_core.layers.parametric cimport (
    parametric_backward, parametric_forward, parametric_gradient, parametric_rows, parametric_share,
    parametric_share_gradient,
)
from cnn_core.layers.piecewise_linear cimport piecewise_linear_backward, piecewise_linear_forward
from cnn_core.layers.scaling cimport (
    scaling_backward, scaling_forward, scaling_gradient, scaling_rows, scaling_share, scaling_share_gradient,
)
from cnn_core.types cimport (
    ACTIVATION, BATCH_NORM, DENSE, DROPOUT, LAYER_NORM, PARAMETRIC, PIECEWISE_LINEAR, SCALING, Mode, Net, Share, Tile,
    real,
)


cdef inline void layer_forward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, const real* params,
                               real* work) noexcept nogil:
    """y (n_rows, n_out) of layer i, before its activation, from x (n_rows, n_in)."""
    cdef Py_ssize_t kind = net.layers[i].kind
    if kind == DENSE:
        dense_forward(net, i, tile, params, work)
    elif kind == ACTIVATION:
        activation_forward(net, i, tile, work)
    elif kind == DROPOUT:
        dropout_forward(net, i, tile, mode, work)
    elif kind == BATCH_NORM:
        batch_norm_forward(net, i, tile, mode.training, params, work)
    elif kind == LAYER_NORM:
        layer_norm_forward(net, i, tile, params, work)
    elif kind == PARAMETRIC:
        parametric_forward(net, i, tile, params, work)
    elif kind == SCALING:
        scaling_forward(net, i, tile, params, work)
    elif kind == PIECEWISE_LINEAR:
        piecewise_linear_forward(net, i, tile, work)


cdef inline void layer_backward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, const real* params,
                                real* work) noexcept nogil:
    """delta_below (n_rows, n_in) of layer i, from delta (n_rows, n_out), d loss / d y before the activation."""
    cdef Py_ssize_t kind = net.layers[i].kind
    if kind == DENSE:
        dense_backward(net, i, tile, params, work)
    elif kind == ACTIVATION:
        activation_backward(net, i, tile, work)
    elif kind == DROPOUT:
        dropout_backward(net, i, tile, mode, work)
    elif kind == BATCH_NORM:
        batch_norm_backward(net, i, tile, params, work)
    elif kind == LAYER_NORM:
        layer_norm_backward(net, i, tile, params, work)
    elif kind == PARAMETRIC:
        parametric_backward(net, i, tile, params, work)
    elif kind == SCALING:
        scaling_backward(net, i, tile, params, work)
    elif kind == PIECEWISE_LINEAR:
        piecewise_linear_backward(net, i, tile, work)


cdef inline void layer_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination,
                                double alpha, double beta, double beta_bias) noexcept nogil:
    """destination := alpha * the tile's gradient of layer i + beta * destination; vectors use beta_bias.

    A batch norm that learns has no gradient of a single tile; `passes.gradient` computes it from the batch.
    """
    cdef Py_ssize_t kind = net.layers[i].kind
    if kind == DENSE:
        dense_gradient(net, i, tile, work, destination, alpha, beta, beta_bias)
    elif kind == LAYER_NORM:
        layer_norm_gradient(net, i, tile, work, destination, alpha, beta_bias)
    elif kind == PARAMETRIC:
        parametric_gradient(net, i, tile, work, destination, alpha, beta_bias)
    elif kind == SCALING:
        scaling_gradient(net, i, tile, work, destination, alpha, beta_bias)


cdef inline void layer_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                            Py_ssize_t stride) noexcept nogil:
    """rows (n_rows, stride) := the gradient of layer i for each row of the tile."""
    cdef Py_ssize_t kind = net.layers[i].kind
    if kind == DENSE:
        dense_rows(net, i, tile, work, rows, stride)
    elif kind == LAYER_NORM:
        layer_norm_rows(net, i, tile, work, rows, stride)
    elif kind == PARAMETRIC:
        parametric_rows(net, i, tile, work, rows, stride)
    elif kind == SCALING:
        scaling_rows(net, i, tile, work, rows, stride)


cdef inline Share layer_share(const Net* net, Py_ssize_t i, int index, int size) noexcept nogil:
    """This member's parameters of layer i, if the team shares the parameters instead of the batch."""
    cdef Share nothing
    if net.layers[i].kind == DENSE:
        return dense_share(net.layers + i, index, size)
    if net.layers[i].kind == PARAMETRIC:
        return parametric_share(net.layers + i, index, size)
    if net.layers[i].kind == SCALING:
        return scaling_share(net.layers + i, index, size)
    nothing.start = nothing.stop = nothing.bias_start = nothing.bias_stop = 0
    return nothing


cdef inline void layer_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size,
                                      real* work, real* destination, double alpha, double beta,
                                      double beta_bias) noexcept nogil:
    """`layer_gradient` of that share, from the whole batch."""
    if net.layers[i].kind == DENSE:
        dense_share_gradient(net, i, batch, index, size, work, destination, alpha, beta, beta_bias)
    elif net.layers[i].kind == PARAMETRIC:
        parametric_share_gradient(net, i, batch, index, size, work, destination, alpha, beta_bias)
    elif net.layers[i].kind == SCALING:
        scaling_share_gradient(net, i, batch, index, size, work, destination, alpha, beta_bias)
