from cnn_core.types cimport Mode, Net, Tile, real

cdef void forward(const Net* net, const Tile* tile, const Mode* mode, Py_ssize_t start, Py_ssize_t stop,
                  bint activate_last, const real* params, real* work) noexcept nogil
