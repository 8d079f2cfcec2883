"""Python's view of the layer kinds, and of where memory lies; the structs are described in types.pxd."""


def bytes_to_boundary(const unsigned char[::1] memory):
    """How many bytes behind its beginning the memory, which isn't empty, has its first 64-byte boundary."""
    return -(<Py_ssize_t> &memory[0]) & 63
