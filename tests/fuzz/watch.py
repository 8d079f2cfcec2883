"""One input at a time: what is raised beside the documented errors, what takes too long, and what takes memory.

Memory is the process's high-water mark, which Linux lets a process set back; elsewhere it isn't watched.
"""

import contextlib
import time
import warnings

MOST_SECONDS = 10.0
"""Of processor time: more is a hang."""
MOST_BYTES = 256 * 2**20
"""Above what the process had when the watch began."""


class FoundError(AssertionError):
    """An input that did what none may do."""


class Watch:
    """Runs targets and raises `FoundError`; ``peak`` is the most memory above the baseline so far, in bytes."""

    def __init__(self):
        self.peak = 0
        self.slowest = 0.0
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the high-water mark falls to what is in use now
        self._baseline = _memory("VmRSS:")

    def run(self, target, data):
        """Give the data to the target; `FoundError` for what it must not do."""
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
        """What the process has now, in bytes."""
        return _memory("VmRSS:")


def _memory(key):
    """A line of the process's status, in bytes; 0 where there is none."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0


def check_sentence(error, path=None, longest=1000):
    """An error is one sentence for people: it names the file, fits a screen, and sends nothing odd to a terminal."""
    text = str(error)
    if path is not None and not text.startswith(str(path)):
        raise FoundError(f"an error that doesn't name the file first: {text!r:.300}") from error
    if not text or len(text) > longest:
        raise FoundError(f"an error of {len(text)} characters: {text!r:.300}") from error
    if not text.isprintable():
        raise FoundError(f"an error with control characters: {text!r:.300}") from error
