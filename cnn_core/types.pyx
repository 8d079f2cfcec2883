"""What Python sees of the structs and layer kinds, and the alignment of memory; types.pxd describes the structs.

STRUCTS: one zeroed element of each struct that Python makes tables of; NumPy reads the dtype from it.
SIZES: size in bytes of each struct that modules share as bytes.
"""
cdef LayerSpec layer_spec
cdef Group group
cdef Step step

STRUCTS = {
    "LayerSpec": memoryview(<LayerSpec[:1]> &layer_spec),
    "Group": memoryview(<Group[:1]> &group),
    "Step": memoryview(<Step[:1]> &step),
}
SIZES = {
    "LayerSpec": sizeof(LayerSpec),
    "Group": sizeof(Group),
    "Step": sizeof(Step),
    "SparseRow": sizeof(SparseRow),
}


cdef int check_size(str module, str name, size_t size) except -1:
    """Raise ImportError if `module` was compiled with another size of the struct."""
    if size != SIZES[name]:
        raise ImportError(
            f"{module} was compiled with a struct {name} of {size} bytes, cnn_core.types with one of {SIZES[name]}: "
            "they come from different builds. Build the core again with `pip install -e .`, or reinstall fastmlp"
        )
    return 0


def bytes_to_boundary(const unsigned char[::1] memory):
    """Offset in bytes of the first 64-byte boundary in `memory`, which must not be empty."""
    return -(<Py_ssize_t> &memory[0]) & 63
