from cnn_core.types cimport LayerSpec, Net, Share, Tile, real

cdef void dense_forward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params, real* work) noexcept nogil
cdef void dense_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params, real* work) noexcept nogil
cdef void dense_gradient(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* destination, double alpha,
                         double beta, double beta_bias) noexcept nogil
cdef Share dense_share(const LayerSpec* layer, int index, int size) noexcept nogil
cdef void dense_share_gradient(const Net* net, Py_ssize_t i, const Tile* batch, int index, int size, real* work,
                               real* destination, double alpha, double beta, double beta_bias) noexcept nogil
cdef void dense_rows(const Net* net, Py_ssize_t i, const Tile* tile, real* work, real* rows,
                     Py_ssize_t stride) noexcept nogil
