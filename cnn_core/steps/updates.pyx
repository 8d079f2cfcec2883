"""Update rules: one flat loop each, over parameters w, gradient g and state vectors.

Every rule but adamw first adds the decays to the gradient: g := g + weight_decay * w + l1_decay * sign(w).
Sources: momentum, Polyak 1964, in the form of Sutskever et al. 2013 (nesterov); adagrad, Duchi et al. 2011; rmsprop,
Tieleman and Hinton 2012; adam, Kingma and Ba 2015; adamw, Loshchilov and Hutter 2019; nadam, Dozat 2016; rprop,
Riedmiller and Braun 1993 in the variants iRprop- and iRprop+ of Igel and Huesken 2000.
"""
from cnn_core.machine.simd cimport CLONES_VOID
from cnn_core.types cimport Group, Step, real

cdef extern from "<math.h>" nogil:
    float sqrtf(float x)
    double sqrtd "sqrt"(double x)


cdef inline real root(real x) noexcept nogil:
    if real is float:
        return sqrtf(x)
    else:
        return sqrtd(x)


cdef CLONES_VOID add_decay(Py_ssize_t n, const real* w, real* g, real weight_decay, real l1_decay) noexcept nogil:
    """g := g + weight_decay * w + l1_decay * sign(w)."""
    cdef Py_ssize_t i
    for i in range(n):
        g[i] += weight_decay * w[i] + l1_decay * (<real> (w[i] > 0) - <real> (w[i] < 0))


cdef CLONES_VOID sgd(Py_ssize_t n, real* w, const real* g, real learning_rate) noexcept nogil:
    """w := w - learning_rate * g."""
    cdef Py_ssize_t i
    for i in range(n):
        w[i] -= learning_rate * g[i]


cdef CLONES_VOID momentum_sgd(Py_ssize_t n, real* w, const real* g, real* v, real learning_rate, real momentum,
                              bint nesterov, real look_ahead) noexcept nogil:
    """v := momentum * v + g; w := w - learning_rate * (v, or g + look_ahead * v for nesterov).

    look_ahead is the momentum, unless v is scaled differently: see `fastmlp.estimators.rules`.
    """
    cdef Py_ssize_t i
    for i in range(n):
        v[i] = momentum * v[i] + g[i]
    if nesterov:
        for i in range(n):
            w[i] -= learning_rate * (g[i] + look_ahead * v[i])
    else:
        for i in range(n):
            w[i] -= learning_rate * v[i]


cdef CLONES_VOID rmsprop(Py_ssize_t n, real* w, const real* g, real* s, real* v, real learning_rate, real momentum,
                         real rho, real rest, real epsilon) noexcept nogil:
    """s := rho * s + rest * g^2; v := momentum * v + g / (sqrt(s) + epsilon); w := w - learning_rate * v.

    rest = 1 - rho, computed in double.
    """
    cdef Py_ssize_t i
    for i in range(n):
        s[i] = rho * s[i] + rest * g[i] * g[i]
        v[i] = momentum * v[i] + g[i] / (root(s[i]) + epsilon)
        w[i] -= learning_rate * v[i]


cdef CLONES_VOID adagrad(Py_ssize_t n, real* w, const real* g, real* s, real learning_rate,
                         real epsilon) noexcept nogil:
    """s := s + g^2; w := w - learning_rate * g / (sqrt(s) + epsilon)."""
    cdef Py_ssize_t i
    for i in range(n):
        s[i] += g[i] * g[i]
        w[i] -= learning_rate * g[i] / (root(s[i]) + epsilon)


cdef CLONES_VOID adam(Py_ssize_t n, real* w, const real* g, real* m, real* v, real shrink, real rate, real beta_1,
                      real rest_1, real beta_2, real rest_2, real epsilon, real inverse_correction_2,
                      real rate_gradient) noexcept nogil:
    """m := beta_1 * m + rest_1 * g; v := beta_2 * v + rest_2 * g^2, rest = 1 - beta, computed in double;
    w := shrink * w - (rate * m + rate_gradient * g) / (sqrt(v / correction_2) + epsilon).

    adam: rate = learning_rate / correction_1; adamw: shrink = 1 - learning_rate * weight_decay; nadam: rate_gradient.
    """
    cdef Py_ssize_t i
    for i in range(n):
        m[i] = beta_1 * m[i] + rest_1 * g[i]
        v[i] = beta_2 * v[i] + rest_2 * g[i] * g[i]
        w[i] = shrink * w[i] - (rate * m[i] + rate_gradient * g[i]) / (root(v[i] * inverse_correction_2) + epsilon)


cdef inline real sign(real x) noexcept nogil:
    return <real> (x > 0) - <real> (x < 0)


cdef void rprop(Py_ssize_t n, real* w, const real* g, real* previous, real* size, bint take_back) noexcept nogil:
    """w := w - sign(g) * size, with a size for each weight: times 1.2 (at most 50) while g keeps its sign.

    When the sign changes, size is multiplied by 0.5 (at least 1e-6) and there is no step; with take_back, the last step
    is undone.
    """
    cdef Py_ssize_t i
    cdef real slope, turn
    for i in range(n):
        slope = g[i]
        turn = slope * previous[i]
        if turn > 0:
            size[i] = min(size[i] * <real> 1.2, <real> 50)
        elif turn < 0:
            if take_back:
                w[i] += size[i] * sign(previous[i])
            size[i] = max(size[i] * <real> 0.5, <real> 1e-6)
            slope = 0
        w[i] -= size[i] * sign(slope)
        previous[i] = slope


cdef void update_group(int rule, const Group* group, const Step* step, Py_ssize_t n, bint nesterov, real* w, real* g,
                       real* s0, real* s1) noexcept nogil:
    """One rule on parameters of one group; s0 and s1 are the state vectors."""
    cdef double rate = step.learning_rate * group.learning_rate_factor
    cdef double decay = step.weight_decay * group.decay_factor
    cdef double l1 = step.l1_decay * group.decay_factor
    cdef double epsilon = step.epsilon * group.epsilon_factor
    cdef double shrink = 1 - rate * decay if rule == ADAMW else 1
    if rule == ADAMW:
        decay = 0
    if decay != 0 or l1 != 0:
        add_decay(n, w, g, <real> decay, <real> l1)
    if rule == SGD and s0 is NULL:
        sgd(n, w, g, <real> rate)
    elif rule == SGD:
        momentum_sgd(n, w, g, s0, <real> rate, <real> step.momentum, nesterov, <real> step.look_ahead)
    elif rule == RMSPROP:
        rmsprop(n, w, g, s0, s1, <real> rate, <real> step.momentum, <real> step.beta_2, <real> (1 - step.beta_2),
                <real> epsilon)
    elif rule == ADAGRAD:
        adagrad(n, w, g, s0, <real> rate, <real> epsilon)
    elif rule == RPROP or rule == RPROP_PLUS:
        rprop(n, w, g, s0, s1, rule == RPROP_PLUS and step.momentum > 0)
    else:
        adam(n, w, g, s0, s1, <real> shrink, <real> (rate / step.correction_1), <real> step.momentum,
             <real> (1 - step.momentum), <real> step.beta_2, <real> (1 - step.beta_2), <real> epsilon,
             <real> (1 / step.correction_2), <real> (rate * step.correction_3))


cdef void update(const Updater* updater, const Step* step, Py_ssize_t start, Py_ssize_t stop, real* params,
                 real* gradient, real* state) noexcept nogil:
    """Update params[start:stop] by the rule, group by group. `state` is (n_slots, n_params) or NULL."""
    cdef Py_ssize_t k, low, high
    cdef real* s0
    cdef real* s1
    for k in range(updater.n_groups):
        low = max(start, updater.groups[k].start)
        high = min(stop, updater.groups[k].start + updater.groups[k].length)
        if low < high:
            s0 = NULL if state is NULL else state + low
            s1 = NULL if state is NULL else state + updater.n_params + low
            update_group(updater.rule, updater.groups + k, step, high - low, updater.nesterov, params + low,
                         gradient + low, s0, s1)
