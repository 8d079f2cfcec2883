"""Samples: from the arrays that a user passes to the rows that the core reads.

rows inputs samples    X, y and weights, checked once
class_weights          class weights, turned into sample weights
chunks                 samples in chunks, for data larger than memory
validation             the validation set of a fit
few_rows               a few rows to inspect
splits                 training, validation and test parts
datasets readers       the bundled digits, MNIST, and files
"""
