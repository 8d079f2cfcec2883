"""The twin's Levenberg-Marquardt; reference.py has the network. NumPy in float64, without code from the package."""

import numpy as np


def levenberg_marquardt(net, X, T, epochs, *, sample_weight=None, weight_decay=0.0, alpha=0.0, damping=1e-3):
    """Train ``net`` in place by (J'J + decay + damping I) h = -g; return (3, epochs).

    These are after each step the loss, the damping, and the number of steps tried for it.

    Damping as in Madsen, Nielsen and Tingleff, 2004, starting from the largest diagonal element.
    """
    n, n_out = T.shape
    weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, float)
    factor = {"squared_error": 1.0, "mse": 2.0 / n_out}[net.row] / weight.sum()  # the loss is factor / 2 * sum w r^2
    penalty = alpha / weight.sum() * net.decay_mask()
    decay = weight_decay * net.decay_mask() + penalty

    def value(w):
        net.set_flat(w)
        return net.loss(X, T, weight, training=False) + 0.5 * decay @ w**2

    mu, nu, w, records = None, 2.0, net.flat(), []
    for _ in range(epochs):
        before = value(w)
        J, r = net.jacobian(X), net.forward(X) - T
        A = factor * np.einsum("nkp,nkq,n->pq", J, J, weight) + np.diag(decay)
        g = factor * np.einsum("nkp,nk,n->p", J, r, weight) + decay * w
        mu = damping * A.diagonal().max() if mu is None else mu
        tried = 0
        while True:
            tried += 1
            h = np.linalg.solve(A + mu * np.eye(len(w)), -g)
            gain = (before - value(w + h)) / (0.5 * h @ (mu * h - g))
            if gain > 0:
                break
            mu, nu = mu * nu, nu * 2.0
        w, mu, nu = w + h, mu * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0
        records.append((net.loss(X, T, weight, training=False) + 0.5 * penalty @ w**2, mu, tried))
    return np.array(records).T
