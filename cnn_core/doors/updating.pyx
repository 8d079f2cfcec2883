"""One update by a gradient that the caller passes: the last part of a step, for training loops written in Python."""
from cnn_core.steps.updates cimport Updater, update
from cnn_core.types cimport Group, Step, check_size, real

check_size(__name__, "Group", sizeof(Group))
check_size(__name__, "Step", sizeof(Step))


def apply_gradient(real[::1] params, const unsigned char[::1] groups, const unsigned char[::1] step, int rule,
                   bint nesterov, real[::1] gradient, real[:, ::1] state=None):
    """params (n_params,) := the rule's update by gradient (n_params,); the decays are added to gradient.

    groups and step are bytes of the tables; state (n_slots, n_params) is None if the rule keeps none.
    """
    cdef Updater updater
    cdef real* state_ = NULL if state is None else &state[0, 0]
    updater.rule = rule
    updater.nesterov = nesterov
    updater.groups = <const Group*> &groups[0]
    updater.n_groups = groups.shape[0] // sizeof(Group)
    updater.n_params = params.shape[0]
    with nogil:
        update(&updater, <const Step*> &step[0], 0, updater.n_params, &params[0], &gradient[0], state_)
