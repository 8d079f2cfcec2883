from cnn_core.types cimport Net, Tile, real

cdef void layer_norm_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                             real* work) noexcept nogil
cdef void layer_norm_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                              real* work) noexcept nogil
cdef void layer_norm_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination,
                              double alpha, double beta) noexcept nogil
cdef void layer_norm_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                          Py_ssize_t stride) noexcept nogil
