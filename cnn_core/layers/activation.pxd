from cnn_core.types cimport Net, Tile, real

cdef void activation_forward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil
cdef void activation_backward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil
