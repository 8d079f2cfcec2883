"""One step: a batch through the network and back, and the update; by one thread or a team.

A team shares the work in one of two ways. By tiles, every thread makes the gradient of its own tiles; all wait; every
thread adds the threads' gradients up over its slice of the parameters and updates it; all wait. By rows, every thread
takes its tiles forward and back as far as the deltas, which stay in the workspace with the whole batch; all wait; every
thread makes its rows of each W's gradient from the whole batch and updates them; all wait. Then nothing is added up,
which pays where there are more weights than numbers in the batch's buffers.

Plain gradient descent needs neither gradient nor update where nothing is added up: the matrix product that would make
the gradient adds -learning_rate / n times it to the weights.
"""
from cnn_core.backward cimport backward, bias_gradient, weight_gradient
from cnn_core.batches cimport total_weight
from cnn_core.forward cimport forward
from cnn_core.gradient cimport LOSS_SLOT, Job, batch_gradient, count_tiles, load_tile, place_tile, sum_gradients
from cnn_core.losses cimport loss_and_delta
from cnn_core.penalty cimport penalise
from cnn_core.random cimport mix
from cnn_core.sparse cimport cut
from cnn_core.team cimport Member, wait_for_all
from cnn_core.types cimport DENSE, LayerSpec, Mode, Net, SparseRow, Step, Tile, buffer, real
from cnn_core.updates cimport RPROP_PLUS, update


cdef Mode training_mode(const Job* job, const Way* way, const Step* step, Py_ssize_t number) noexcept nogil:
    """How the network behaves in the step of that number since training began."""
    cdef Mode mode
    mode.training = True
    mode.keep_running = True
    mode.dropout_key = mix(way.seed, number)
    mode.dropout_factor = 1
    mode.dropout_rates = NULL
    if way.dropout_rates is not NULL:
        mode.dropout_rates = way.dropout_rates + (step - way.steps) * job.net.n_layers
    mode.label_smoothing = step.label_smoothing
    return mode


cdef inline double shrink(const Step* step, double scale) noexcept nogil:
    """What plain descent multiplies the weights by: 1 - learning_rate * (weight_decay + alpha / n)."""
    return 1 - step.learning_rate * (step.weight_decay + step.alpha * scale)


cdef void add_penalty(const Job* job, Member member, const Way* way, const Step* step, double scale,
                      Py_ssize_t start, Py_ssize_t stop, const real* params, real* gradient) noexcept nogil:
    """The L2 penalty of params[start:stop] into this thread's loss, and into the gradient if there is one."""
    cdef double penalty = step.alpha * scale
    if penalty != 0:
        job.partials[member.index * job.stride + LOSS_SLOT] += step.alpha / 2 * penalise(
            way.updater.groups, way.updater.n_groups, penalty, start, stop, params, gradient)


cdef Step told_of_the_loss(const Job* job, Member member, const Way* way, const Step* step, double scale,
                           real* state) noexcept nogil:
    """The step, for iRprop+: knowing whether the loss has risen since the last one. All members have added to theirs.

    The batch holds all samples. Its mean loss is kept in the first element of the rule's third state vector.
    """
    cdef Step told = step[0]
    cdef real* kept = state + 2 * way.updater.n_params
    cdef real last = kept[0]
    cdef double loss = 0
    cdef int i
    wait_for_all(member)
    for i in range(member.size):
        loss += job.partials[i * job.stride + LOSS_SLOT]
    told.momentum = <real> (loss * scale) > last
    if member.index == 0:
        kept[0] = <real> (loss * scale)
    return told


cdef void step_by_tiles(const Job* job, Member member, const Way* way, const Step* step, const Mode* mode,
                        Py_ssize_t first, Py_ssize_t n_batch, double scale, real* params, real* gradients, real* state,
                        real* work) noexcept nogil:
    """gradients (n_threads, n_params); none where the way is direct, which one thread and one tile may go."""
    cdef Py_ssize_t n_params = way.updater.n_params, slice_size, start, stop
    cdef Step told
    if way.direct:
        add_penalty(job, member, way, step, scale, 0, n_params, params, <real*> NULL)
        batch_gradient(job, member, first, n_batch, mode, params, work, params, -step.learning_rate * scale,
                       shrink(step, scale), 1.0)
        return
    batch_gradient(job, member, first, n_batch, mode, params, work, gradients + member.index * n_params, scale, 0.0,
                   0.0)
    wait_for_all(member)
    slice_size = (n_params // member.size // 16 + 1) * 16
    start = min(n_params, member.index * slice_size)
    stop = min(n_params, start + slice_size)
    sum_gradients(gradients, n_params, min(member.size, count_tiles(job, n_batch)), start, stop)
    add_penalty(job, member, way, step, scale, start, stop, params, gradients)
    if way.updater.rule == RPROP_PLUS:
        told = told_of_the_loss(job, member, way, step, scale, state)
        update(&way.updater, &told, start, stop, params, gradients, state)
    else:
        update(&way.updater, step, start, stop, params, gradients, state)
    wait_for_all(member)


cdef void update_layer(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t i,
                       const Tile* batch, double scale, real* params, real* gradient, real* state,
                       real* work) noexcept nogil:
    """This member's rows of the W of dense layer i; the biases are the first member's."""
    cdef const Net* net = &job.net
    cdef const LayerSpec* layer = net.layers + i
    cdef Py_ssize_t start = layer.n_in * member.index // member.size
    cdef Py_ssize_t stop = layer.n_in * (member.index + 1) // member.size
    cdef const real* delta = buffer(net, batch, work, layer.delta, layer.n_out)
    cdef Py_ssize_t first_weight = layer.weight + start * layer.n_out, last_weight = layer.weight + stop * layer.n_out
    cdef bint has_bias = layer.bias >= 0 and member.index == 0
    cdef SparseRow* rows = NULL
    if i == 0 and net.sparse_rows is not NULL:
        rows = net.cut_rows + member.index * net.plan.capacity
        cut(net.sparse_rows, batch.n_rows, start, stop, delta, rows)
    if way.direct:
        add_penalty(job, member, way, step, scale, first_weight, last_weight, params, <real*> NULL)
        weight_gradient(net, i, batch, rows, start, stop, work, params, -step.learning_rate * scale,
                        shrink(step, scale))
        if has_bias:
            bias_gradient(delta, batch.n_rows, layer.n_out, <real> (-step.learning_rate * scale), <real> 1,
                          params + layer.bias)
        return
    weight_gradient(net, i, batch, rows, start, stop, work, gradient, scale, 0.0)
    add_penalty(job, member, way, step, scale, first_weight, last_weight, params, gradient)
    update(&way.updater, step, first_weight, last_weight, params, gradient, state)
    if has_bias:
        bias_gradient(delta, batch.n_rows, layer.n_out, <real> scale, <real> 0, gradient + layer.bias)
        update(&way.updater, step, layer.bias, layer.bias + layer.n_out, params, gradient, state)


cdef void step_by_rows(const Job* job, Member member, const Way* way, const Step* step, const Mode* mode,
                       Py_ssize_t first, Py_ssize_t n_batch, double scale, real* params, real* gradient, real* state,
                       real* work) noexcept nogil:
    """gradient (n_params), none where the way is direct; the workspace keeps the batch. Dense layers alone learn."""
    cdef const Net* net = &job.net
    cdef double* loss = job.partials + member.index * job.stride + LOSS_SLOT
    cdef Tile tile
    cdef Py_ssize_t i = member.index
    while i < count_tiles(job, n_batch):
        tile = place_tile(job, member, i, n_batch)
        load_tile(job, &tile, first, work)
        forward(net, &tile, mode, 0, net.n_layers, False, params, work)
        loss[0] += loss_and_delta(net, &tile, mode, job.samples.weights is not NULL, work)
        backward(net, &tile, mode, 0, net.n_layers, params, work, <real*> NULL, 0.0, 0.0, 0.0)
        i += member.size
    wait_for_all(member)
    tile.first = tile.position = 0
    tile.n_rows = n_batch
    for i in range(net.n_layers):
        if net.layers[i].kind == DENSE:
            update_layer(job, member, way, step, i, &tile, scale, params, gradient, state, work)
    wait_for_all(member)


cdef void train_step(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t number,
                     Py_ssize_t first, Py_ssize_t n_batch, real* params, real* gradients, real* state,
                     real* work) noexcept nogil:
    """The batch order[first : first + n_batch] as the step of that number since training began."""
    cdef double weight = total_weight(&job.samples, first, n_batch)
    cdef double scale = 1 / weight if weight > 0 else 0      # the one place where a mean is taken
    cdef Mode mode = training_mode(job, way, step, number)
    if way.by_rows:
        step_by_rows(job, member, way, step, &mode, first, n_batch, scale, params, gradients, state, work)
    else:
        step_by_tiles(job, member, way, step, &mode, first, n_batch, scale, params, gradients, state, work)
