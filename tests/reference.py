"""The NumPy twin of fastmlp: every formula of the compiled core again, in float64, written to be read.

It shares no code with the package: a mistake would go unseen only if it were made twice. Everything is naive: new
arrays, no tiles, no threads; only the tails of the formulas are numerically stable. Read it from top to bottom:
activations -> losses -> Net (forward, loss, backward). Update rules and train are in reference_training.py.

Shapes: n samples, n_in and n_out widths; raw scores ``z``, outputs ``yhat = f(z)`` and targets ``t`` are all
``(n, n_out)`` (labels go through ``one_hot`` first). A flat vector has the order of ``net.params``: all dense
weights row by row, layer by layer; then, layer by layer, the biases, the gain and shift of norm layers, the blend of
parametric activations, and the scales of columns.
"""

from itertools import pairwise

import numpy as np
from scipy.special import erfc, expit, log_softmax, softmax, xlogy

Array = np.ndarray

# --- Activations: f(z) and f'(z), elementwise. At a kink f' is the left derivative. ---

SLOPE = 0.01  # leaky_relu
ALPHA, LAMBDA = 1.6732632423543772, 1.0507009873554805  # selu (Klambauer et al. 2017)


def softplus(z):  # log(1 + e^z)
    return np.logaddexp(0.0, z)


def elu(z, alpha=1.0):  # z where z > 0, else alpha (e^z - 1)
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0.0)))


def elu_derivative(z, alpha=1.0):
    return np.where(z > 0, 1.0, alpha * np.exp(np.minimum(z, 0.0)))


def normal_cdf(z):  # Phi(z) = (1 + erf(z / sqrt 2)) / 2, by erfc for the left tail
    return 0.5 * erfc(-z / np.sqrt(2.0))


ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "leaky_relu": lambda z, slope=SLOPE: np.where(z > 0, z, slope * z),
    "elu": elu,
    "selu": lambda z: LAMBDA * elu(z, ALPHA),
    "softplus": softplus,
    "silu": lambda z: z * expit(z),
    "gelu": lambda z: z * normal_cdf(z),
    "mish": lambda z: z * np.tanh(softplus(z)),
    "exp": np.exp,  # output only
    "softmax": lambda z: softmax(z, axis=1),  # output only; rows sum to one
}
DERIVATIVES = {  # softmax is not elementwise: see activation_backward
    "identity": np.ones_like,
    "sigmoid": lambda z: expit(z) * expit(-z),
    "tanh": lambda z: 1.0 - np.tanh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z, slope=SLOPE: np.where(z > 0, 1.0, slope),
    "elu": elu_derivative,
    "selu": lambda z: LAMBDA * elu_derivative(z, ALPHA),
    "softplus": expit,
    "silu": lambda z: expit(z) * (1.0 + z * expit(-z)),
    "gelu": lambda z: normal_cdf(z) + z * np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi),
    "mish": lambda z: np.tanh(softplus(z)) + z * (1.0 - np.tanh(softplus(z)) ** 2) * expit(z),
    "exp": np.exp,
}


def activation_backward(name: str, z: Array, g: Array, *slope: float) -> Array:
    """Return dl/dz (n, width) from g = dl/df(z): g f'(z), or p (g - sum_k g_k p_k) for p = softmax(z)."""
    if name == "softmax":
        p = softmax(z, axis=1)
        return p * (g - (g * p).sum(axis=1, keepdims=True))
    return g * DERIVATIVES[name](z, *slope)


# --- Losses: one number per sample (n,), and its gradient (n, n_out). ---
# The first argument is yhat and the gradient dl/dyhat; for the rows named in FROM_SCORES it is z and dl/dz.

FROM_SCORES = {  # (loss, output activation) -> row of the two tables
    ("cross_entropy", "softmax"): "cross_entropy",
    ("binary_cross_entropy", "sigmoid"): "binary_cross_entropy",
    ("poisson", "exp"): "poisson_from_scores",
}


def smooth(t, eps, n_classes):  # label smoothing
    return t * (1.0 - eps) + eps / n_classes


def huber(yhat, t, delta=1.0):  # r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2)
    r = np.abs(yhat - t)
    return np.where(r <= delta, 0.5 * r**2, delta * (r - 0.5 * delta)).mean(axis=1)


def cross_entropy_gradient(z, t, label_smoothing=0.0):  # p sum_k t'_k - t': the lecture's o - t
    t = smooth(t, label_smoothing, t.shape[1])
    return softmax(z, axis=1) * t.sum(axis=1, keepdims=True) - t


def binary_cross_entropy(z, t, label_smoothing=0.0):  # sum_k of -t' log p - (1 - t') log(1 - p)
    t = smooth(t, label_smoothing, 2)
    return (t * softplus(-z) + (1.0 - t) * softplus(z)).sum(axis=1)


LOSSES = {
    "squared_error": lambda yhat, t: 0.5 * ((yhat - t) ** 2).sum(axis=1),
    "mse": lambda yhat, t: ((yhat - t) ** 2).mean(axis=1),
    "absolute_error": lambda yhat, t: np.abs(yhat - t).mean(axis=1),
    "huber": huber,
    "quantile": lambda yhat, t, q=0.5: np.maximum(q * (t - yhat), (q - 1.0) * (t - yhat)).mean(axis=1),
    "poisson": lambda yhat, t: (yhat - xlogy(t, yhat)).mean(axis=1),
    "poisson_from_scores": lambda z, t: (np.exp(z) - t * z).mean(axis=1),
    "cross_entropy": lambda z, t, label_smoothing=0.0: (
        -np.sum(smooth(t, label_smoothing, t.shape[1]) * log_softmax(z, axis=1), axis=1)
    ),
    "binary_cross_entropy": binary_cross_entropy,
}
LOSS_GRADIENTS = {
    "squared_error": lambda yhat, t: yhat - t,
    "mse": lambda yhat, t: 2.0 * (yhat - t) / t.shape[1],
    "absolute_error": lambda yhat, t: np.sign(yhat - t) / t.shape[1],
    "huber": lambda yhat, t, delta=1.0: np.clip(yhat - t, -delta, delta) / t.shape[1],
    "quantile": lambda yhat, t, q=0.5: ((yhat > t) * (1.0 - q) - (yhat < t) * q) / t.shape[1],
    "poisson": lambda yhat, t: (1.0 - t / yhat) / t.shape[1],
    "poisson_from_scores": lambda z, t: (np.exp(z) - t) / t.shape[1],
    "cross_entropy": cross_entropy_gradient,
    "binary_cross_entropy": lambda z, t, label_smoothing=0.0: expit(z) - smooth(t, label_smoothing, 2),
}


def one_hot(labels: Array, n_classes: int) -> Array:
    """Return rows (n, n_classes) with a single 1, at the label."""
    return np.eye(n_classes)[labels]


# --- Piecewise-linear encoding ---


def piecewise_linear(x, edges, plain, weight):  # columns that pass, then f (t - 1/2) for every bin of every column
    blocks = [x[:, [c]] for c, e in enumerate(edges) if plain or e is None]
    for c, e in enumerate(edges):
        bins = () if e is None else tuple(pairwise(e))
        for low, high in bins:
            t = np.clip((x[:, [c]] - low) / (high - low), 0.0, 1.0)
            blocks.append(2.0 * weight / np.sqrt(len(bins)) * (t - 0.5))
    return np.hstack(blocks)


def piecewise_linear_backward(x, g, edges, plain, weight):  # dl/dx: a bin's slope only inside it
    out, columns = np.zeros_like(x), iter(g.T)
    for c in (c for c, e in enumerate(edges) if plain or e is None):
        out[:, c] = next(columns)
    for c, e in enumerate(edges):
        for low, high in () if e is None else pairwise(e):
            inside = (low < x[:, c]) & (x[:, c] <= high)
            out[:, c] += inside * next(columns) * 2.0 * weight / np.sqrt(len(e) - 1) / (high - low)
    return out


# --- The network ---

FIELDS = {
    "dense": ("W", "b", "name"),  # (n_in, n_out), (n_out,) or None, activation: a name, or (name, slope)
    "activation": ("name",),
    "dropout": ("rate", "mask"),  # mask (n, width) of 0 and 1, None: nothing is dropped
    "batch_norm": ("gain", "shift", "eps"),  # (width,), (width,), number
    "layer_norm": ("gain", "shift", "eps"),
    "parametric": ("blend", "name"),  # (width,), activation
    "scaling": ("scale",),  # (width,)
    "piecewise_linear": ("edges", "plain", "weight"),  # for each column its edges or None; bool; number
}
PARAMETERS = ("W", "b", "gain", "shift", "blend", "scale")


class Net:
    """Layers and a loss; forward and backward by hand.

    ``layers`` are tuples (kind, *FIELDS[kind]), such as ``("dense", W, b, "relu")``; ``loss_options`` are delta,
    q or label_smoothing. The network sees ``(X - shift) * scale`` per column. In ``training``
    the network uses batch statistics and dropout masks; otherwise running statistics (initially mean 0, variance 1).
    """

    def __init__(self, layers, loss="squared_error", shift=0.0, scale=1.0, running=0.1, **loss_options):
        self.shift, self.scale, self.running, self.loss_options = shift, scale, running, loss_options
        self.layers = []  # dicts; a dense layer becomes two: affine map and activation
        for kind, *values in layers:
            layer = {"kind": kind} | dict(zip(FIELDS[kind], values, strict=True))
            layer |= {p: np.array(layer[p], float) for p in PARAMETERS if layer.get(p) is not None}
            if kind == "batch_norm":
                layer |= {"mean": np.zeros_like(layer["gain"]), "var": np.ones_like(layer["gain"])}
            if kind == "dense":
                self.layers.append(layer)
                layer = {"kind": "activation", "name": layer.pop("name")}
            if layer["kind"] in ("activation", "parametric"):
                name = layer["name"]
                layer["name"], *layer["slope"] = name if isinstance(name, tuple) else (name,)
            self.layers.append(layer)
        if self.layers[-1]["kind"] != "activation":
            self.layers.append({"kind": "activation", "name": "identity", "slope": []})
        pair = (loss, self.layers[-1]["name"])
        self.from_scores, self.row = pair in FROM_SCORES, FROM_SCORES.get(pair, loss)
        if "cross_entropy" in loss and not self.from_scores:
            raise ValueError(f"the loss {pair[0]} does not go with the output {pair[1]}")

    def forward(self, X: Array, training: bool = False) -> Array:
        """Return yhat (n, n_out)."""
        return self._inputs(X, training)[-1]

    def sample_losses(self, X: Array, T: Array, training: bool = True) -> Array:
        """Return the unweighted loss of every sample (n,)."""
        return LOSSES[self.row](self._compared(self._inputs(X, training), T), T, **self.loss_options)

    def loss(self, X, T, sample_weight=None, reduction="mean", training=True) -> float:
        """Return sum_i w_i l_i, divided by sum_i w_i if the reduction is "mean"."""
        return float(self.sample_losses(X, T, training) @ _coefficients(len(X), sample_weight, reduction))

    def gradients(self, X, T, sample_weight=None, reduction="mean", training=True) -> list[tuple]:
        """Return (dW, db or None) for each dense layer and (dgain, dshift) for each norm layer, in order."""
        grads = self._backward(X, T, sample_weight, reduction, training)
        return [(g["W"], g.get("b")) if "W" in g else (g["gain"], g["shift"]) for g in grads if "W" in g or "gain" in g]

    def flat_gradient(self, X, T, sample_weight=None, reduction="mean", training=True) -> Array:
        """Return the gradient (n_params,) in flat order."""
        grads = self._backward(X, T, sample_weight, reduction, training)
        return self._flattened(grads)

    def sample_gradients(self, X: Array, T: Array, training: bool = False) -> Array:
        """Return (n, n_params): row i is the gradient of the loss of sample i.

        In training the batch is all of X, so row i also has the part of sample i's gradient through batch statistics.
        """
        return np.stack([self.flat_gradient(X, T, w, "sum", training) for w in np.eye(len(X))])

    def layer_outputs(self, X: Array) -> list[Array]:
        """Return (n, width) for every layer as the user counts them: dense layers include their activation."""
        pairs = zip(self.layers, self._inputs(X, False)[1:], strict=True)
        return [y for layer, y in pairs if layer["kind"] != "dense"]

    def input_gradients(self, X: Array) -> Array:
        """Return (n, n_out, n_in): dyhat_k/dX_j, outside training."""
        inputs = self._inputs(X, False)
        one = np.ones((len(X), 1))
        each = [self._through(inputs, one * e, False)[1] for e in np.eye(inputs[-1].shape[1])]
        return np.stack(each, axis=1) * self.scale

    def jacobian(self, X: Array) -> Array:
        """Return (n, n_out, n_params): dyhat_k/dw of every single sample, outside training."""
        inputs = self._inputs(X, False)
        n, n_out = inputs[-1].shape
        each = [self._through(inputs, e.reshape(n, n_out), False)[0] for e in np.eye(n * n_out)]
        return np.stack([self._flattened(grads) for grads in each]).reshape(n, n_out, -1)

    def flat(self) -> Array:
        """Return a copy of all parameters (n_params,)."""
        return np.concatenate([self.layers[k][name].ravel() for k, name in self._slots()])

    def set_flat(self, w: Array) -> None:
        """Set all parameters from a flat vector."""
        for k, name in self._slots():
            shape, size = self.layers[k][name].shape, self.layers[k][name].size
            self.layers[k][name], w = np.array(w[:size], float).reshape(shape), w[size:]

    def decay_mask(self) -> Array:
        """Return (n_params,): 1 for dense weights, 0 for all others, which never decay."""
        return np.concatenate([np.full(self.layers[k][p].size, float(p == "W")) for k, p in self._slots()])

    def uses_batch(self) -> bool:
        """Whether a layer uses the statistics of the batch in training."""
        return any(layer["kind"] == "batch_norm" and not layer.get("frozen") for layer in self.layers)

    def update_running(self, X: Array, full: int | None = None) -> None:
        """r = s r + (1 - s) * batch value, s = (1 - running)^(n / full), with the unbiased variance (n - 1)."""
        stays = (1.0 - self.running) ** (len(X) / (full or len(X)))
        for layer, x in zip(self.layers, self._inputs(X, training=True), strict=False):
            if layer["kind"] == "batch_norm" and not layer.get("frozen"):
                unbiased = x.var(axis=0) * len(x) / max(len(x) - 1, 1)
                layer["mean"] = stays * layer["mean"] + (1.0 - stays) * x.mean(axis=0)
                layer["var"] = stays * layer["var"] + (1.0 - stays) * unbiased

    def _slots(self):  # (layer, parameter) in flat order
        layers = enumerate(self.layers)
        every = [(k, p) for k, layer in layers for p in PARAMETERS if layer.get(p) is not None]
        return sorted(every, key=lambda slot: slot[1] != "W")

    def _inputs(self, X, training):  # the input of each layer, then yhat
        x = (np.asarray(X, float) - self.shift) * self.scale
        inputs = [x]
        for layer in self.layers:
            if layer["kind"] == "dense":  # (n, n_in) @ (n_in, n_out) + (n_out,)
                x = x @ layer["W"] + (0.0 if layer["b"] is None else layer["b"])
            elif layer["kind"] == "activation":
                x = ACTIVATIONS[layer["name"]](x, *layer["slope"])
            elif layer["kind"] == "parametric":
                x = x + layer["blend"] * (ACTIVATIONS[layer["name"]](x, *layer["slope"]) - x)
            elif layer["kind"] == "scaling":
                x = x * layer["scale"]
            elif layer["kind"] == "piecewise_linear":
                x = piecewise_linear(x, layer["edges"], layer["plain"], layer["weight"])
            elif layer["kind"] == "dropout":
                x = x * _kept(layer, training)
            else:
                x = layer["gain"] * _standardised(layer, x, training)[0] + layer["shift"]
            inputs.append(x)
        return inputs

    def _compared(self, inputs, T):  # what the loss takes besides T: z or yhat
        if np.shape(T) != inputs[-1].shape:
            raise ValueError(f"targets have shape {np.shape(T)}, outputs {inputs[-1].shape}")
        return inputs[-2] if self.from_scores else inputs[-1]

    def _backward(self, X, T, sample_weight, reduction, training):  # one dict of gradients per layer
        inputs = self._inputs(X, training)
        g = LOSS_GRADIENTS[self.row](self._compared(inputs, T), T, **self.loss_options)
        g = g * _coefficients(len(X), sample_weight, reduction)[:, None]
        return self._through(inputs, g, training, len(self.layers) - self.from_scores)[0]

    def _flattened(self, grads):
        return np.concatenate([grads[k][name].ravel() for k, name in self._slots()])

    def _through(self, inputs, g, training, n_layers=None):  # the same from any dl/d(output); and dl/d(scaled X)
        grads = [{} for _ in self.layers]
        for k in reversed(range(len(self.layers) if n_layers is None else n_layers)):  # g: dl/d(output) to dl/d(input)
            layer, x = self.layers[k], inputs[k]
            if layer["kind"] == "dense":
                grads[k] = {"W": x.T @ g} | ({} if layer["b"] is None else {"b": g.sum(axis=0)})
                g = g @ layer["W"].T
            elif layer["kind"] == "activation":
                g = activation_backward(layer["name"], x, g, *layer["slope"])
            elif layer["kind"] == "parametric":
                curved = ACTIVATIONS[layer["name"]](x, *layer["slope"])
                grads[k] = {"blend": (g * (curved - x)).sum(axis=0)}
                g = g + layer["blend"] * (activation_backward(layer["name"], x, g, *layer["slope"]) - g)
            elif layer["kind"] == "scaling":
                grads[k] = {"scale": (g * x).sum(axis=0)}
                g = g * layer["scale"]
            elif layer["kind"] == "piecewise_linear":
                g = piecewise_linear_backward(x, g, layer["edges"], layer["plain"], layer["weight"])
            elif layer["kind"] == "dropout":
                g = g * _kept(layer, training)
            else:  # with h = gain g: (h - mean h - xhat mean(h xhat)) / sd; given statistics: h / sd
                xhat, sd, axis = _standardised(layer, x, training)
                grads[k] = {"gain": (g * xhat).sum(axis=0), "shift": g.sum(axis=0)}
                g = g * layer["gain"]
                if axis is not None:
                    g = g - g.mean(axis, keepdims=True) - xhat * (g * xhat).mean(axis, keepdims=True)
                g = g / sd
        return grads, g


def _kept(layer, training):  # kept units are scaled up, so that predictions need no factor
    return layer["mask"] / (1.0 - layer["rate"]) if training and layer["mask"] is not None else 1.0


def _standardised(layer, x, training):  # xhat = (x - mean) / sd, sd = sqrt(biased variance + eps), their axis
    if layer["kind"] == "batch_norm" and (layer.get("frozen") or not training):  # frozen: as in predictions
        sd = np.sqrt(layer["var"] + layer["eps"])
        return (x - layer["mean"]) / sd, sd, None
    axis = 0 if layer["kind"] == "batch_norm" else 1
    sd = np.sqrt(x.var(axis, keepdims=True) + layer["eps"])
    return (x - x.mean(axis, keepdims=True)) / sd, sd, axis


def _coefficients(n, sample_weight, reduction):  # (n,): w for "sum", w / sum w for "mean"
    w = np.ones(n) if sample_weight is None else np.asarray(sample_weight, float)
    return {"mean": w / w.sum(), "sum": w}[reduction]
