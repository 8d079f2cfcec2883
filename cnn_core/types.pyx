"""Python's view of the structs and the layer kinds, and of where memory lies; the structs are described in types.pxd.

STRUCTS: one zeroed element of each struct that Python fills tables with; NumPy reads the dtype from it.
SIZES: bytes of each struct that modules share as bytes.
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
    """ImportError if the module was compiled with another size of the struct than this one."""
    if size != SIZES[name]:
        raise ImportError(
            f"{module} was compiled with a struct {name} of {size} bytes, cnn_core.types with one of {SIZES[name]}: "
            "they come from different builds. Build the core again with `pip install -e .`, or reinstall fastmlp"
        )
    return 0


def bytes_to_boundary(const unsigned char[::1] memory):
    """How many bytes behind its beginning the memory, which isn't empty, has its first 64-byte boundary."""
    return -(<Py_ssize_t> &memory[0]) & 63
