from cnn_core.types cimport Net, Tile, real

cdef void piecewise_linear_forward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil
cdef void piecewise_linear_backward(const Net* net, Py_ssize_t i, const Tile* tile, real* work) noexcept nogil
