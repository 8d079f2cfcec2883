from cnn_core.types cimport LayerSpec, Net, Tile, real

cdef void batch_norm_forward(const Net* net, Py_ssize_t i, const Tile* tile, bint training, const real* params,
                             real* work) noexcept nogil
cdef void batch_norm_backward(const Net* net, Py_ssize_t i, const Tile* tile, const real* params,
                              real* work) noexcept nogil

# Only for layers that need the whole batch: the stops of the forward and backward pass, see passes.gradient.
cdef void clear_moments(double* partial, Py_ssize_t n) noexcept nogil
cdef void add_moments(const LayerSpec* layer, const Net* net, const Tile* tile, const real* work,
                      double* partial) noexcept nogil
cdef void finish_moments(const LayerSpec* layer, const double* partials, Py_ssize_t stride, Py_ssize_t n_threads,
                         double* statistics, Py_ssize_t full_rows) noexcept nogil
cdef void add_delta_sums(const LayerSpec* layer, const Net* net, const Tile* tile, const real* work,
                         double* partial) noexcept nogil
cdef void finish_delta_sums(const LayerSpec* layer, double* partials, Py_ssize_t stride,
                            Py_ssize_t n_threads) noexcept nogil
cdef void back_through_batch(const LayerSpec* layer, const Net* net, const Tile* tile, Py_ssize_t n_batch,
                             const real* params, real* work, const double* sums) noexcept nogil
cdef void batch_norm_gradient(const LayerSpec* layer, const double* sums, real* destination, double alpha,
                              double beta) noexcept nogil
