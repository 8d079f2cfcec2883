"""Networks, estimators and fits on disk, without pickle.

models              save and load a network, with its optimizer state and estimator, as one safetensors file
model_file          read such a file without trusting it
description         the structure of a network as JSON values
optimizer_states    the state of an optimizer as JSON values and arrays
plain_values        the arguments of an estimator as JSON values
"""
