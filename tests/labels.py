"""Names of parametrized tests: the same in every process, so that several may share the tests."""

import re


def short(value):
    """The beginning of a value's repr, without the addresses of functions."""
    return re.sub(r" at 0x\w+", "", repr(value))[:50]
