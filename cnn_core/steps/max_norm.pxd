from cnn_core.machine.team cimport Member
from cnn_core.types cimport Net, real

cdef void limit_columns(const Net* net, Member member, double limit, real* params) noexcept nogil
