"""The version of the package, also what a model file says it was written by."""

__version__ = "0.1.0"
