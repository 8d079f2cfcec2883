"""The twin's update rules, training loop and central differences; reference.py has the network.

NumPy in float64, the plainest form of every formula, no code shared with the package.
"""

import functools

import numpy as np

Array = np.ndarray

# --- Update rules: new w from w, the gradient g and a state dict that starts empty; vectors (n_params,). ---


def coupled(rule):
    """Add the decay to the gradient before the rule: g + decay (weight_decay w + l1_decay sign(w))."""

    @functools.wraps(rule)
    def decayed(w, g, state, *, weight_decay=0.0, l1_decay=0.0, decay=1.0, **hyper):
        return rule(w, g + decay * (weight_decay * w + l1_decay * np.sign(w)), state, **hyper)

    return decayed


@coupled
def sgd(w, g, state, *, lr, momentum=0.0, nesterov=False):  # v = mu v + g; w -= lr v, or lr (g + mu v)
    v = state["v"] = momentum * state.get("v", 0.0) + g
    return w - lr * (g + momentum * v if nesterov else v)


@coupled
def rmsprop(w, g, state, *, lr=1e-3, rho=0.9, eps=1e-8, momentum=0.0):  # Tieleman & Hinton 2012
    s = state["s"] = rho * state.get("s", 0.0) + (1.0 - rho) * g**2
    v = state["v"] = momentum * state.get("v", 0.0) + g / (np.sqrt(s) + eps)
    return w - lr * v


@coupled
def adagrad(w, g, state, *, lr=1e-2, eps=1e-10, initial=0.0):  # Duchi et al. 2011
    s = state["s"] = state.get("s", initial) + g**2
    return w - lr * g / (np.sqrt(s) + eps)


def _moments(g, state, b1, b2, eps):  # t, m = b1 m + (1 - b1) g, and sqrt(v / (1 - b2^t)) + eps
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = b1 * state.get("m", 0.0) + (1.0 - b1) * g
    v = state["v"] = b2 * state.get("v", 0.0) + (1.0 - b2) * g**2
    return t, m, np.sqrt(v / (1.0 - b2**t)) + eps


@coupled
def adam(w, g, state, *, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):  # Kingma & Ba 2015
    t, m, root = _moments(g, state, b1, b2, eps)
    return w - lr * (m / (1.0 - b1**t)) / root


def adamw(w, g, state, *, lr=1e-3, weight_decay=0.01, decay=1.0, **hyper):  # Loshchilov & Hutter 2019
    return adam(w * (1.0 - lr * weight_decay * decay), g, state, lr=lr, decay=decay, **hyper)


@coupled
def nadam(w, g, state, *, lr=2e-3, b1=0.9, b2=0.999, eps=1e-8, momentum_decay=0.004):  # Dozat 2016
    t, m, root = _moments(g, state, b1, b2, eps)
    mu, mu_next = (b1 * (1.0 - 0.5 * 0.96 ** (i * momentum_decay)) for i in (t, t + 1))
    product = state["product"] = state.get("product", 1.0) * mu
    return w - lr * ((1.0 - mu) / (1.0 - product) * g + mu_next / (1.0 - product * mu_next) * m) / root


@coupled
def rprop(w, g, state, *, lr=0.01, eta_plus=1.2, eta_minus=0.5, step_min=1e-6, step_max=50.0):
    """iRprop-: a step size per weight that grows while the sign of g stays the same (Igel & Huesken 2000)."""
    s, step = np.sign(g * state.get("g", 0.0)), state.get("step", np.full_like(w, lr))
    step = np.where(s > 0, np.minimum(step * eta_plus, step_max), step)
    step = state["step"] = np.where(s < 0, np.maximum(step * eta_minus, step_min), step)
    g = state["g"] = np.where(s < 0, 0.0, g)
    return w - np.sign(g) * step


@coupled
def rprop_plus(w, g, state, *, lr=0.01, eta_plus=1.2, eta_minus=0.5, step_min=1e-6, step_max=50.0):
    """iRprop+: if g of a weight changes sign and the loss has risen, its last step is undone (same paper)."""
    new = w.copy()
    rose, state["last"] = state["loss"] > state.get("last", np.inf), state["loss"]
    before, step, last = (state.setdefault(name, np.full_like(w, v)) for name, v in (("g", 0), ("step", lr), ("by", 0)))
    for i in range(len(w)):
        if g[i] * before[i] < 0:
            step[i] = max(step[i] * eta_minus, step_min)
            new[i] -= last[i] if rose else 0.0
            before[i] = 0.0
            continue
        if g[i] * before[i] > 0:
            step[i] = min(step[i] * eta_plus, step_max)
        last[i] = -np.sign(g[i]) * step[i]
        new[i] += last[i]
        before[i] = g[i]
    return new


RULES = {rule.__name__: rule for rule in (sgd, rmsprop, adagrad, adam, adamw, nadam, rprop, rprop_plus)}

# --- Training and checking ---


def value_at(value, step):
    """A number, or the value of a schedule at the step."""
    return value(step) if callable(value) else value


def clip(g, clip_norm=None, clip_value=None):
    """Clip each element to [-clip_value, clip_value], then scale the gradient to a norm of at most clip_norm."""
    g = g if clip_value is None else np.clip(g, -clip_value, clip_value)
    length = np.sqrt((g**2).sum())
    return g if clip_norm is None or length <= clip_norm else g * (clip_norm / length)


def limit_columns(net, max_norm):
    """Scale each column of W with a norm above max_norm down to max_norm."""
    for layer in net.layers:
        if layer["kind"] == "dense":
            lengths = np.sqrt((layer["W"] ** 2).sum(axis=0))
            layer["W"] = layer["W"] * np.where(lengths > max_norm, max_norm / np.maximum(lengths, 1e-300), 1.0)


def running(net):
    """All running means and variances in one vector."""
    return np.concatenate([[], *(layer[p] for layer in net.layers for p in ("mean", "var") if p in layer)])


def average_of(path, decay):
    """Weighted mean of vectors: weight 1 for the newest, decay for the one before, decay^2 for the next, and so on."""
    weights = decay ** np.arange(len(path) - 1.0, -1.0, -1.0)
    return weights @ np.array(path) / weights.sum()


def train(
    net, X, T, order_per_epoch, batch_size, rule="sgd", *, sample_weight=None, on_step=None, kept=None, alpha=0,
    counts_rows=False, clip_norm=None, clip_value=None, max_norm=None, accumulate=1, factors=1.0, **hyper,
):  # fmt: skip
    """Train ``net`` in place; return per epoch (n_epochs,) the weighted mean loss, seen before each update.

    Each epoch takes the rows in the given order in batches; the last batch may be smaller. With batch norms, fewer rows
    than half a batch at the end belong to the last batch. ``hyper`` goes to the
    rule, with callables replaced by ``value(step)``, step from 0. ``on_step(step, rows)`` may set dropout masks.
    ``kept``, initially an empty dict, carries the rule's state and the step number from one call to the next.
    A batch of total weight n minimises its mean loss + alpha / (2 n) * the sum of W^2; the returned loss includes both.
    With counts_rows it is the mean of the batches' mean losses, weighted by their numbers of rows.
    ``accumulate`` batches make one step. ``factors`` (n_params,) multiply the learning rate; parameters with factor 0
    do not change. ``kept["path"]`` and ``kept["running"]`` list the parameters and running statistics after every
    step.
    """
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    kept = {} if kept is None else kept
    state, losses = kept.setdefault("state", {}), []
    step = kept.get("step", 0)
    for order in order_per_epoch:
        total = 0.0
        full = min(batch_size, len(order))
        least = max(2, -(-full // 2)) if net.uses_batch() else 1
        stops = range(batch_size * accumulate, len(order) - least + 1, batch_size * accumulate)
        for rows in np.split(order, stops):
            if on_step is not None:
                on_step(step, rows)
            now = {name: value_at(value, step) for name, value in hyper.items()}
            strength = value_at(alpha, step)
            w, n = net.flat(), weight[rows].sum()
            learning = np.broadcast_to(factors, w.shape) > 0
            decay = net.decay_mask() * learning
            loss, g = strength / 2.0 * (decay * w**2).sum(), strength * decay * w
            rest = len(rows) % full if len(rows) % full < least else 0  # part of the first batch of the step
            for part in np.split(rows, range(full + rest, len(rows), full)):
                loss += net.loss(X[part], T[part], weight[part], "sum")
                g = g + net.flat_gradient(X[part], T[part], weight[part], "sum")
                net.update_running(X[part], full)
            total, state["loss"] = total + (loss * len(rows) / n if counts_rows else loss), loss / n
            g = clip(learning * g / n, value_at(clip_norm, step), value_at(clip_value, step))
            if np.ndim(factors):
                now["lr"] = now["lr"] * factors
            net.set_flat(RULES[rule](w, g, state, decay=decay, **now))
            if max_norm is not None:
                limit_columns(net, value_at(max_norm, step))
            net.set_flat(np.where(learning, net.flat(), w))
            kept.setdefault("path", []).append(net.flat())
            kept.setdefault("running", []).append(running(net))
            step = kept["step"] = step + 1
        losses.append(total / (len(order) if counts_rows else weight[order].sum()))
    return np.array(losses)


def numerical_gradient(f, w: Array, h: float = 1e-5) -> Array:
    """Return (f(w + h e_i) - f(w - h e_i)) / 2h for each i, shape (n_params,), of a scalar function f."""
    return np.array([(f(w + e) - f(w - e)) / (2.0 * h) for e in h * np.eye(len(w))])
