"""Run one input at a time and detect undocumented errors, hangs and high memory use.

Memory is the peak of the process, which Linux lets a process reset; on other systems it is not checked.
"""

import contextlib
import time
import warnings

MOST_SECONDS = 10.0
"""Seconds of processor time; more is a hang."""
MOST_BYTES = 256 * 2**20
"""Memory above that of the process at the start."""


class FoundError(AssertionError):
    """An input did something that is never allowed."""


class Watch:
    """Runs targets and raises `FoundError`; ``peak`` is the most memory above the baseline so far, in bytes."""

    def __init__(self):
        self.peak = 0
        self.slowest = 0.0
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # resets the peak to the current use
        self._baseline = _memory("VmRSS:")

    def run(self, target, data):
        """Run the target on the data; `FoundError` if it does something that is never allowed."""
        start = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                target.run(data)
        except FoundError:
            raise
        except Exception as error:
            raise FoundError(f"{target.name}: {type(error).__name__}: {error!s:.500}") from error
        seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        self.peak = max(self.peak, _memory("VmHWM:") - self._baseline)
        if seconds > MOST_SECONDS:
            raise FoundError(f"{target.name}: took {seconds:.1f} s")
        if self.peak > MOST_BYTES:
            raise FoundError(f"{target.name}: took {self.peak / 2**20:.0f} MB")

    def memory(self):
        """Current memory of the process, in bytes."""
        return _memory("VmRSS:")


def _memory(key):
    """A field of the process's status, in bytes; 0 if there is none."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


def check_sentence(error, path=None, longest=1000):
    """Check that an error names the file, is short, and has no control characters."""
    text = str(error)
    if path is not None and not text.startswith(str(path)):
        raise FoundError(f"an error that doesn't name the file first: {text!r:.300}") from error
    if not text or len(text) > longest:
        raise FoundError(f"an error of {len(text)} characters: {text!r:.300}") from error
    if not text.isprintable():
        raise FoundError(f"an error with control characters: {text!r:.300}") from error
