from libc.stdint cimport uint64_t
from cnn_core.types cimport LayerSpec, Mode, Tile, real

cdef void drop(const LayerSpec* layer, Py_ssize_t index, const Tile* tile, const Mode* mode, const real* x,
               real* y) noexcept nogil
