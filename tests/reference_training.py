"""The twin's update rules, its training loop and central differences; see reference.py for the network.

Like there: NumPy in float64, the plainest form of every formula, no code shared with the package.
"""

import functools

import numpy as np

Array = np.ndarray

# --- Update rules: new w from w, the gradient g and a state dict that starts empty; vectors (n_params,). ---


def coupled(rule):
    """Add decay to the gradient before the rule sees it: g + decay (weight_decay w + l1_decay sign(w))."""

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
    """iRprop-: a step size per weight, grown while the sign of g holds (Igel & Huesken 2000)."""
    s, step = np.sign(g * state.get("g", 0.0)), state.get("step", np.full_like(w, lr))
    step = np.where(s > 0, np.minimum(step * eta_plus, step_max), step)
    step = state["step"] = np.where(s < 0, np.maximum(step * eta_minus, step_min), step)
    g = state["g"] = np.where(s < 0, 0.0, g)
    return w - np.sign(g) * step


@coupled
def rprop_plus(w, g, state, *, lr=0.01, eta_plus=1.2, eta_minus=0.5, step_min=1e-6, step_max=50.0):
    """iRprop+: the last step of a weight whose slope has turned is taken back if the loss rose (same paper)."""
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


def train(
    net, X, T, order_per_epoch, batch_size, rule="sgd", *, sample_weight=None, on_step=None, kept=None, alpha=0, **hyper
):
    """Train ``net`` in place; return per epoch (n_epochs,) the weighted mean loss, seen before each update.

    Each epoch takes its rows in the given order, batch by batch, the last one ragged. ``hyper`` goes to the
    rule, callables in it as ``value(step)``, step from 0; ``on_step(step, rows)`` may set dropout masks. ``kept``, at
    first an empty dict, carries the rule's state and the step number from one call to the next.
    A batch of weight n minimises its mean loss + alpha / (2 n) * the sum of W^2, and the loss returned has both.
    """
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, float)
    kept = {} if kept is None else kept
    state, losses = kept.setdefault("state", {}), []
    step = kept.get("step", 0)
    for order in order_per_epoch:
        total = 0.0
        for rows in (order[start : start + batch_size] for start in range(0, len(order), batch_size)):
            if on_step is not None:
                on_step(step, rows)
            now = {name: value(step) if callable(value) else value for name, value in hyper.items()}
            strength = alpha(step) if callable(alpha) else alpha
            decaying, n = net.decay_mask() * net.flat(), weight[rows].sum()
            loss = net.loss(X[rows], T[rows], weight[rows], "sum") + n * strength / (2.0 * n) * (decaying**2).sum()
            total, state["loss"] = total + loss, loss / n
            g = net.flat_gradient(X[rows], T[rows], weight[rows], "mean") + strength / n * decaying
            net.update_running(X[rows])
            net.set_flat(RULES[rule](net.flat(), g, state, decay=net.decay_mask(), **now))
            step = kept["step"] = step + 1
        losses.append(total / weight[order].sum())
    return np.array(losses)


def numerical_gradient(f, w: Array, h: float = 1e-5) -> Array:
    """Return (f(w + h e_i) - f(w - h e_i)) / 2h for each i, shape (n_params,), of a scalar function f."""
    return np.array([(f(w + e) - f(w - e)) / (2.0 * h) for e in h * np.eye(len(w))])
