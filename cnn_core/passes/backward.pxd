from cnn_core.types cimport Mode, Net, Tile, real

cdef void backward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                   const real* params, real* work, real* destination, double alpha, double beta,
                   double beta_bias) noexcept nogil
