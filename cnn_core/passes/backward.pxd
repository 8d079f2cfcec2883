from cnn_core.types cimport Mode, Net, SparseRow, Tile, real

cdef void backward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                   const real* params, real* work, real* destination, double alpha, double beta,
                   double beta_bias) noexcept nogil
cdef void weight_gradient(const Net* net, Py_ssize_t i, const Tile* tile, SparseRow* rows, Py_ssize_t start,
                          Py_ssize_t stop, real* work, real* destination, double alpha, double beta) noexcept nogil
cdef void bias_gradient(const real* delta, Py_ssize_t n_rows, Py_ssize_t n_out, real alpha, real beta,
                        real* db) noexcept nogil
