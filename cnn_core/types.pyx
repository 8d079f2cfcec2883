"""Python's view of the layer kinds; the structs are described in types.pxd."""
