"""Samples, from what a user may pass to what the core reads.

rows inputs samples    X, y and weights, checked once
class_weights          weights of classes as weights of samples
chunks                 samples that come in pieces, for data larger than memory
few_rows               some rows to look at
splits                 training, validation and test parts
datasets readers       bundled digits, MNIST, and files
"""
