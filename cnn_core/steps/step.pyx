"""One training step: a batch forward and back through the network, and the update; by one thread or a team.

A team splits the work in one of two ways. By tiles, every thread computes the gradient of its own tiles; all wait;
every thread sums the threads' gradients over its slice of the parameters and updates it; all wait. By rows, every
thread takes its tiles forward and back to the deltas, which stay in the workspace with the whole batch; all wait; every
thread computes its rows of each W's gradient from the whole batch and updates them; all wait. By rows there is nothing
to sum, which is faster if there are more weights than numbers in the batch's buffers.

If something needs the whole gradient before the update (`whole_gradient`), threads that split by rows wait once more,
and then update slices of the parameters as by tiles.

Plain gradient descent needs neither a gradient nor an update if nothing is summed: the matrix product that computes the
gradient adds -learning_rate / n times it directly to the weights.
"""
from cnn_core.layers.kinds cimport layer_share, layer_share_gradient
from cnn_core.machine.random cimport mix
from cnn_core.machine.team cimport Member, wait_for_all
from cnn_core.passes.backward cimport backward
from cnn_core.passes.batches cimport total_weight
from cnn_core.passes.forward cimport forward
from cnn_core.passes.gradient cimport batch_gradient, sum_gradients
from cnn_core.passes.losses cimport loss_and_delta
from cnn_core.passes.tiles cimport LOSS_SLOT, Job, count_tiles, load_tile, place_tile
from cnn_core.steps.averaging cimport move_average
from cnn_core.steps.max_norm cimport limit_columns
from cnn_core.steps.penalty cimport penalise
from cnn_core.steps.updates cimport RPROP_PLUS, update
from cnn_core.steps.way cimport Way
from cnn_core.steps.whole_gradient cimport change_gradient
from cnn_core.types cimport Mode, Net, Share, Step, Tile, real


cdef Mode training_mode(const Job* job, const Way* way, const Step* step, Py_ssize_t number) noexcept nogil:
    """Mode of the network in step `number`, counted from the start of training."""
    cdef Mode mode
    mode.training = True
    mode.full_rows = way.options.full_rows
    mode.dropout_key = mix(way.seed, way.first_mask + number)
    mode.dropout_factor = 1
    mode.dropout_rates = NULL
    if way.dropout_rates is not NULL:
        mode.dropout_rates = way.dropout_rates + (step - way.steps) * job.net.n_layers
    mode.label_smoothing = step.label_smoothing
    return mode


cdef inline double shrink(const Step* step, double scale) noexcept nogil:
    """Factor of the weights in plain descent: 1 - learning_rate * (weight_decay + alpha / n)."""
    return 1 - step.learning_rate * (step.weight_decay + step.alpha * scale)


cdef void add_penalty(const Job* job, Member member, const Way* way, const Step* step, double scale,
                      Py_ssize_t start, Py_ssize_t stop, const real* params, real* gradient) noexcept nogil:
    """Add the L2 penalty of params[start:stop] to this thread's loss, and to the gradient if there is one."""
    cdef double penalty = step.alpha * scale
    if penalty != 0:
        job.partials[member.index * job.stride + LOSS_SLOT] += step.alpha / 2 * penalise(
            way.updater.groups, way.updater.n_groups, penalty, start, stop, params, gradient)


cdef Step marked_by_the_loss(const Job* job, Member member, const Way* way, const Step* step, double scale,
                             real* state) noexcept nogil:
    """The step for iRprop+, marked if the loss rose since the last step. Members call it after adding their losses.

    The batch holds all samples. Its mean loss is kept in the first element of the rule's third state vector.
    """
    cdef Step marked = step[0]
    cdef real* kept = state + 2 * way.updater.n_params
    cdef real last = kept[0]
    cdef double loss = 0
    cdef int i
    wait_for_all(member)
    for i in range(member.size):
        loss += job.partials[i * job.stride + LOSS_SLOT]
    marked.momentum = <real> (loss * scale) > last
    if member.index == 0:
        kept[0] = <real> (loss * scale)
    return marked


cdef (Py_ssize_t, Py_ssize_t) slice_of(Member member, Py_ssize_t n_params) noexcept nogil:
    """Start and stop of this member's slice of the parameters, in whole vectors."""
    cdef Py_ssize_t size = (n_params // member.size // 16 + 1) * 16
    cdef Py_ssize_t start = min(n_params, member.index * size)
    return start, min(n_params, start + size)


cdef void use_gradient(const Job* job, Member member, const Way* way, const Step* step, double scale,
                       Py_ssize_t start, Py_ssize_t stop, real* params, real* gradient, real* state) noexcept nogil:
    """Update this member's slice of the parameters with the batch's gradient[start:stop]."""
    cdef Step marked
    add_penalty(job, member, way, step, scale, start, stop, params, gradient)
    if way.options.whole_gradient:
        change_gradient(job, member, way, step, start, stop, gradient)
    if way.updater.rule == RPROP_PLUS:
        marked = marked_by_the_loss(job, member, way, step, scale, state)
        update(&way.updater, &marked, start, stop, params, gradient, state)
    else:
        update(&way.updater, step, start, stop, params, gradient, state)


cdef void step_by_tiles(const Job* job, Member member, const Way* way, const Step* step, Mode* mode,
                        Py_ssize_t first, Py_ssize_t n_batch, double scale, real* params, real* gradients, real* state,
                        real* work) noexcept nogil:
    """gradients (n_threads, n_params); not used if the way is direct, which needs one thread and one tile.

    Parts of the batch with separate batch statistics add up in the gradients; the first part is the largest.
    """
    cdef Py_ssize_t n_params = way.updater.n_params, part = min(way.options.part_rows, n_batch), start, stop
    cdef Py_ssize_t largest = part + (n_batch % part if n_batch % part < way.options.least_rows else 0)
    cdef real* own = gradients + member.index * n_params
    if way.options.direct:
        add_penalty(job, member, way, step, scale, 0, n_params, params, <real*> NULL)
        batch_gradient(job, member, first, n_batch, mode, params, work, params, -step.learning_rate * scale,
                       shrink(step, scale), 1.0)
        return
    batch_gradient(job, member, first, largest, mode, params, work, own, scale, 0.0, 0.0)
    start = largest
    while start < n_batch:
        mode.dropout_key = mix(mode.dropout_key, start)
        batch_gradient(job, member, first + start, min(part, n_batch - start), mode, params, work, own, scale, 1.0, 1.0)
        start += part
    wait_for_all(member)
    start, stop = slice_of(member, n_params)
    sum_gradients(gradients, n_params, min(member.size, count_tiles(job, largest)), start, stop)
    use_gradient(job, member, way, step, scale, start, stop, params, gradients, state)


cdef void update_layer(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t i,
                       const Tile* batch, double scale, real* params, real* gradient, real* state,
                       real* work) noexcept nogil:
    """Compute the gradient of this member's share of layer i, and update the share."""
    cdef const Net* net = &job.net
    cdef Share share = layer_share(net, i, member.index, member.size)
    if way.options.direct:
        add_penalty(job, member, way, step, scale, share.start, share.stop, params, <real*> NULL)
        layer_share_gradient(net, i, batch, member.index, member.size, work, params, -step.learning_rate * scale,
                             shrink(step, scale), 1.0)
        return
    layer_share_gradient(net, i, batch, member.index, member.size, work, gradient, scale, 0.0, 0.0)
    if way.options.whole_gradient:
        return
    add_penalty(job, member, way, step, scale, share.start, share.stop, params, gradient)
    update(&way.updater, step, share.start, share.stop, params, gradient, state)
    if share.bias_start < share.bias_stop:
        update(&way.updater, step, share.bias_start, share.bias_stop, params, gradient, state)


cdef void step_by_rows(const Job* job, Member member, const Way* way, const Step* step, const Mode* mode,
                       Py_ssize_t first, Py_ssize_t n_batch, double scale, real* params, real* gradient, real* state,
                       real* work) noexcept nogil:
    """gradient (n_params,); not used if the way is direct. The workspace keeps the batch."""
    cdef const Net* net = &job.net
    cdef double* loss = job.partials + member.index * job.stride + LOSS_SLOT
    cdef Tile tile
    cdef Py_ssize_t start, stop, i = member.index
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
        if net.layers[i].learns:
            update_layer(job, member, way, step, i, &tile, scale, params, gradient, state, work)
    if way.options.whole_gradient:
        wait_for_all(member)
        start, stop = slice_of(member, way.updater.n_params)
        use_gradient(job, member, way, step, scale, start, stop, params, gradient, state)


cdef void follow_up(const Job* job, Member member, const Way* way, const Step* step, real* params) noexcept nogil:
    """The work after the update, once all members have done theirs."""
    cdef Py_ssize_t start, stop
    wait_for_all(member)
    if way.options.limits_columns:
        limit_columns(&job.net, member, step.max_norm, params)
        wait_for_all(member)
    if way.average is not NULL:
        start, stop = slice_of(member, way.updater.n_params)
        move_average(stop - start, params + start, <real*> way.average + start, step.average_share)
        if member.index == 0:
            move_average(way.n_statistics, job.net.statistics, way.average_statistics, step.average_share)


cdef void train_step(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t number,
                     Py_ssize_t first, Py_ssize_t n_batch, real* params, real* gradients, real* state,
                     real* work) noexcept nogil:
    """Train on the batch order[first : first + n_batch], as step `number` since the start of training."""
    cdef double weight = total_weight(&job.samples, first, n_batch, job.net.plan.n_weight)
    cdef double least = 1.2e-38 if real is float else 0      # from here on 1 / weight is finite in the network's type
    cdef double scale = 1 / weight if weight > least else 0  # the only place that takes a mean
    cdef double* loss = job.partials + member.index * job.stride + LOSS_SLOT
    cdef double before = loss[0]
    cdef Mode mode = training_mode(job, way, step, number)
    if way.options.counts_rows:
        loss[0] = 0
    if way.options.by_rows:
        step_by_rows(job, member, way, step, &mode, first, n_batch, scale, params, gradients, state, work)
    else:
        step_by_tiles(job, member, way, step, &mode, first, n_batch, scale, params, gradients, state, work)
    if way.options.counts_rows:
        loss[0] = before + loss[0] * scale * n_batch
    if way.options.limits_columns or way.average is not NULL:
        follow_up(job, member, way, step, params)
    wait_for_all(member)
