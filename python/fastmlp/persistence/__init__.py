"""Networks, estimators and fits on disk, without pickle.

models              save and load: a network and what belongs to it, in one safetensors file
model_file          that file, read without trusting it
description         what a network is made of, as JSON values
optimizer_states    where an optimizer stands, as JSON values and arrays
plain_values        the arguments of an estimator, as JSON values
state_files         the state of a fit, in a file that tells if it is whole
"""
