from cnn_core.types cimport LayerSpec, Net, Share, Tile, real

cdef void scaling_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params, real* work) noexcept nogil
cdef void scaling_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                           real* work) noexcept nogil
cdef void scaling_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination, double alpha,
                           double beta) noexcept nogil
cdef Share scaling_share(const LayerSpec* layer, int index, int size) noexcept nogil
cdef void scaling_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size, real* work,
                                 real* destination, double alpha, double beta) noexcept nogil
cdef void scaling_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                       Py_ssize_t stride) noexcept nogil
