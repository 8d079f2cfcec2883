"""One tile backward through a range of layers: each layer's activation, then its own part.

    delta := delta * f'(z)                         (n_rows, n_out)

then the layer's delta_below, and its gradient, which goes to `destination`. This has the layout of the parameters. It
may be a gradient (alpha 1 / n, beta 0 or 1) or the parameters themselves (alpha -learning_rate / n): then the product
is the update, and `delta_below` is computed before it.
"""
from cnn_core.layers.activations cimport through_activation
from cnn_core.layers.kinds cimport layer_backward, layer_gradient
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, buffer, real


cdef void backward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                   const real* params, real* work, real* destination, double alpha, double beta,
                   double beta_bias) noexcept nogil:
    """Layers stop-1 down to `start`, from d loss / d y of layer stop-1 (d loss / d scores for the network's last).

    In training, none of these layers may need the whole batch: `batch_gradient` handles those that do. If destination
    is NULL, only the deltas are computed. The pass ends at layer `net.lowest`.
    """
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    cdef const real* z
    for i in range(stop - 1, max(start, net.lowest) - 1, -1):
        layer = net.layers + i
        if i < net.n_layers - 1:
            z = NULL if layer.scores < 0 else buffer(net, tile, work, layer.scores, layer.n_out)
            through_activation(layer, buffer(net, tile, work, layer.delta, layer.n_out),
                               <const real*> buffer(net, tile, work, layer.output, layer.n_out), z, tile.n_rows)
        if layer.delta_below >= 0:
            layer_backward(net, i, tile, mode, params, work)
        if destination is not NULL and layer.learns:
            layer_gradient(net, i, tile, work, destination, alpha, beta, beta_bias)
