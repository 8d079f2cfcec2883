from cnn_core.types cimport LayerSpec, Mode, Net, Tile, real

cdef void dense(const LayerSpec* layer, Py_ssize_t n_rows, const real* params, const real* x, real* y) noexcept nogil
cdef void forward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                  bint activate_last, const real* params, real* work) noexcept nogil
