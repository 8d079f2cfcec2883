"""A layer that only applies an activation to its input.

`passes.forward` applies the activation of every layer after the layer's own part; the own part of this one is a copy.
"""
from libc.string cimport memcpy

from cnn_core.types cimport LayerSpec, Net, Tile, buffer, real


cdef void activation_forward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil:
    """y (n_rows, n) := x."""
    cdef const LayerSpec* layer = net.layers + i
    memcpy(buffer(net, tile, work, layer.output, layer.n_out), buffer(net, tile, work, layer.input, layer.n_in),
           tile.n_rows * layer.n_out * sizeof(real))


cdef void activation_backward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil:
    """delta_below (n_rows, n) := delta."""
    cdef const LayerSpec* layer = net.layers + i
    memcpy(buffer(net, tile, work, layer.delta_below, layer.n_in), buffer(net, tile, work, layer.delta, layer.n_out),
           tile.n_rows * layer.n_in * sizeof(real))
