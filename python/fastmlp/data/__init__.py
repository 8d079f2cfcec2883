"""Samples: from the arrays that a user passes to the rows that the core reads.

rows inputs samples    X, y and weights, checked once
weights class_weights  weights of rows, of single targets and of classes
missing                missing targets, turned into weights of 0
chunks                 samples in chunks, for data larger than memory
validation             the validation set of a fit
overflow               numbers too large when they are scaled
few_rows               a few rows to inspect
splits                 training, validation and test parts
datasets readers       the bundled digits, MNIST, and files
"""
