"""Names of parametrized tests: the same in every process, so that several processes can share the tests."""

import re


def short(value):
    """The start of a value's repr, without addresses of functions."""
    return re.sub(r" at 0x\w+", "", repr(value))[:50]
