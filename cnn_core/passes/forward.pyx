"""One tile forward through a range of layers: each layer's own part, then its activation."""
from cnn_core.layers.activations cimport activate
from cnn_core.layers.kinds cimport layer_forward
from cnn_core.types cimport LayerSpec, Mode, Net, Tile, buffer, real


cdef void forward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                  bint activate_last, const real* params, real* work) noexcept nogil:
    """Outputs of layers start..stop-1 from the input of layer `start`.

    If `activate_last` is false, the network's last layer outputs its scores: a loss needs them.
    """
    cdef Py_ssize_t i
    cdef const LayerSpec* layer
    cdef real* z
    for i in range(start, stop):
        layer_forward(net, i, tile, mode, params, work)
        if i < net.n_layers - 1 or activate_last:
            layer = net.layers + i
            z = NULL if layer.scores < 0 else buffer(net, tile, work, layer.scores, layer.n_out)
            activate(layer, buffer(net, tile, work, layer.output, layer.n_out), z, tile.n_rows)
