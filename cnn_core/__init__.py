"""The compiled neural-network core of fastmlp: dense layers only, nothing convolutional.

    doors       what Python calls       epoch  updating  inference  predictor  derivatives  jacobian  surface
      |
    steps       from a gradient         step: gradient -> call, clipping -> update -> max-norm -> averaging
      |         to new parameters       tiny: all of it at once, for networks of a few weights
      |
    passes      rows through the        batches -> forward -> losses -> backward
      |         layers and back         gradient: one batch, tile by tile, by one thread or a team
      |
    layers      one kind each           dense  activation  parametric  dropout  batch_norm  layer_norm  scaling
      |                                 piecewise_linear
      |
    products    x W and x.T delta       matmul: the core's kernels or the BLAS       sparse: skips zeros
      |
    machine     what C has to offer     simd  team (threads)  access (whose turn)  shuffling  random

    types       the structs that all of them share

One line a module, from the top:

    doors/epoch           many steps in one call: the training of a fit
    doors/updating        one update by the caller's gradient
    doors/inference       predictions, losses, the outputs of every layer
    doors/predictor       predictions of a few rows, in microseconds
    doors/derivatives     the gradient of a batch, or of each sample
    doors/jacobian        derivatives of the outputs by inputs or parameters
    doors/surface         losses over a grid of parameters
    doors/workspace       a network and the memory for a pass, described once for all doors
    steps/step            one step of a team of threads
    steps/way             the options of a step
    steps/updates         the update rules
    steps/whole_gradient  a call to Python and clipping, between gradient and update
    steps/clipping        gradient clipping
    steps/penalty         the L2 penalty
    steps/max_norm        a bound on each unit's weights
    steps/averaging       the moving average of the parameters
    steps/tiny            plain gradient descent on networks of a few weights
    passes/gradient       a batch: its tiles, and the stops for layers that need all of it
    passes/tiles          a batch cut into tiles
    passes/batches        rows gathered in the epoch's order, converted and scaled
    passes/forward        a tile forward through the layers
    passes/losses         summed loss, and d loss / d scores
    passes/cross_entropy  the losses of classes and of labels
    passes/distributions  the losses with several outputs for each target
    passes/backward       a tile backward through the layers
    passes/custom         calls to Python: a custom loss, or what sees the gradient
    layers/kinds          passes each call on to the layer's kind
    layers/dense          y = x W + b
    layers/activation     y = x: the layer that is only an activation
    layers/parametric     y = x + a (f(x) - x)
    layers/scaling        y = s x, column by column
    layers/piecewise_linear     a number for each bin of a column
    layers/dropout        y = x through a random mask
    layers/batch_norm     columns scaled over the batch
    layers/layer_norm     rows scaled
    layers/activations    the activation functions, which every layer may end with
    layers/increasing     the one of several quantiles, which do not cross
    products/matmul       chooses between kernels for small shapes and the BLAS
    products/sparse       products that skip zeros
    products/blas         the one module that knows the BLAS
    machine/simd          one kernel for several processors, exp and tanh without branches
    machine/team          the threads of one call
    machine/access        who uses a network's arrays
    machine/shuffling     the order of an epoch
    machine/random        random numbers by a counter

The core computes and knows no policy: `fastmlp` computes every size and offset, checks every input and passes arrays.
A door takes them as typed memoryviews, releases the GIL once, and writes into the arrays it was given. Kernels borrow
memory, never raise, and have a formula with shapes as docstring. These places do more, each for a reason it states:

    allocate         doors/predictor (the array it returns), layers/activations (copies for a curve)
    raise            machine/access (a network in use), doors/workspace (arrays of another type or size),
                     types and products/blas (parts that don't fit together, at import)
    hold the GIL     doors/predictor, passes/custom
"""

import os

# The OpenMP runtime reads this when the first module below loads it. Idle threads then sleep instead of spinning: on a
# busy machine, a spinning thread holds a processor that the rest of the team needs. A value set by the user stays.
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
