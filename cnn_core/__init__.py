"""The compiled neural-network core of fastmlp: dense layers only, nothing convolutional.

    batches -> forward -> losses -> backward -> updates          one module each, C-level functions only
                  \\________ gradient ________/                   one batch through them, tile by tile
                  \\_____________ step _____________/             the same and the update, shared by threads
    epoch      derivatives      inference      surface            the doors that Python calls
    jacobian                                                      of the outputs rather than of a loss
    predictor                                                     a few rows at a time, in microseconds

Rules of the core: it borrows memory and never allocates, it never raises, it knows no policy. Python
(`fastmlp.model.layout`) works out every size and offset, checks every input and passes arrays; the doors take them as
typed memoryviews, release the GIL once, and write into what they were given. `types` holds the structs, `blas` is the
one way to the BLAS and `matmul` chooses between it and kernels of our own, `sparse` has those for inputs that are
mostly zeros and `tiny` the one for networks of a few weights, `penalty` is the part of the loss that only the weights
have,
`custom` calls a loss written in Python, `clipping` bounds a gradient and `max_norm` the weights, `averaging` follows
the weights along their path, `simd` and `team` are what plain C has to offer. Objects that keep arrays are the
exception, where describing these anew would take longer than the work: `predictor`, for a row, `epoch`, for an epoch of
a few steps, whose order of samples is drawn by `shuffling`, and `batches.Source`, the samples. `access` tells who is at
a network's arrays, for all Python threads; it alone raises, as nobody may get a turn between its look and its note.
"""

import os

# The OpenMP runtime reads this when the first module below loads it. Its idle threads then sleep instead of spinning: a
# spinning one holds a processor that, on a busy machine, the rest of the team is waiting for. Who sets it keeps it.
_chosen = "OMP_WAIT_POLICY" in os.environ
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
try:
    import cnn_core.products.blas  # isort: skip
    import cnn_core.doors.epoch  # noqa: F401
except ModuleNotFoundError as error:
    if error.name not in ("cnn_core", "cnn_core.products.blas"):
        raise
    raise ImportError(
        f"cnn_core has no compiled modules in {__path__[0]}. That folder is a source tree which hides the installed "
        "package: run Python from another folder, or build in place with `pip install -e .`"
    ) from error
finally:
    if not _chosen:
        del os.environ["OMP_WAIT_POLICY"]
