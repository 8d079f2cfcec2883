"""The compiled neural-network core of fastmlp: dense layers only, nothing convolutional.

    doors       what Python calls       epoch  inference  predictor  derivatives  jacobian  surface
      |
    steps       from a gradient         step: gradient -> clipping -> update -> max-norm -> averaging
      |         to new parameters       tiny: all of it at once, for networks of a few weights
      |
    passes      rows through the        batches -> forward -> losses -> backward
      |         layers and back         gradient: one batch through them, tile by tile, shared by threads
      |
    layers      one kind each           dense  activation  dropout  batch_norm  layer_norm        kinds: which is which
      |
    products    x W and x.T delta       matmul: kernels of our own or the BLAS       sparse: zeros are skipped
      |
    machine     what C has to offer     simd  team (threads)  access (a lock)  shuffling  random

    types       the structs that travel through all of them

One line a module, from the top:

    doors/epoch           many steps in one call: the training of a fit
    doors/inference       predictions, losses, the outputs of every layer
    doors/predictor       predictions of a few rows, in microseconds
    doors/derivatives     the gradient of a batch, or of each sample
    doors/jacobian        derivatives of the outputs by inputs or parameters
    doors/surface         losses over a grid of parameters
    steps/step            one step of a team of threads
    steps/updates         the update rules
    steps/clipping        gradient clipping
    steps/penalty         the L2 penalty
    steps/max_norm        a bound on each unit's weights
    steps/averaging       the moving average of the parameters
    steps/tiny            plain gradient descent on networks of a few weights
    passes/batches        rows gathered in the epoch's order, converted and scaled
    passes/forward        a tile forward through the layers
    passes/losses         summed loss, and d loss / d scores
    passes/custom         a loss written in Python
    passes/backward       a tile back through the layers
    passes/gradient       a batch: its tiles, and the stops for layers that need all of it
    layers/kinds          hands each call to its kind of layer
    layers/activations    the activation functions, which every layer may end with

The core computes and knows no policy: `fastmlp` works out every size and offset, checks every input and passes arrays.
A door takes them as typed memoryviews, releases the GIL once, and writes into what it was given. Kernels borrow memory,
never raise, and have their formula with shapes as docstring. These places do more, each for a reason it states:

    allocate    doors/predictor (the array it returns)    layers/activations (copies for a curve)
    raise       machine/access (a network in use)    products/blas (an unknown SciPy or machine, at import)
    hold the GIL    doors/predictor and passes/custom
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
