"""The way to the BLAS; nothing in it is for Python."""
