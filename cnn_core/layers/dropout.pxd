from cnn_core.types cimport Mode, Net, Tile, real

cdef void dropout_forward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, real* work) noexcept nogil
cdef void dropout_backward(const Net* net, Py_ssize_t i, const Tile* tile, const Mode* mode, real* work) noexcept nogil
