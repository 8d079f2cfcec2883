"""Between gradient and update: the only place that sees the whole gradient of a step, and may change it.

    gradient (n_params) -> a call out of the core -> clipping -> update

One thread calls a function written in Python, such as a callback or a sum over several processes, while the others
wait. Only steps that ask for it come here; all others use the fused code in `step`.
"""
from cnn_core.machine.team cimport Member, wait_for_all
from cnn_core.passes.custom cimport call_with_gradient
from cnn_core.passes.tiles cimport Job
from cnn_core.steps.clipping cimport clip
from cnn_core.steps.way cimport Way
from cnn_core.types cimport Step, real


cdef void change_gradient(const Job* job, Member member, const Way* way, const Step* step, Py_ssize_t start,
                          Py_ssize_t stop, real* gradient) noexcept nogil:
    """Let Python see the gradient, then clip it. Each member has finished its own slice gradient[start:stop]."""
    if way.options.call_out != 0:
        wait_for_all(member)
        if member.index == 0:
            call_with_gradient(way.options.call_out, gradient, way.updater.n_params)
        wait_for_all(member)
    if way.options.clips:
        clip(job, member, way.updater.groups, way.updater.n_groups, step, start, stop, gradient)
