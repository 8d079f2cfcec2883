"""Choices out of bytes: the same bytes make the same choices, and bytes that have run out choose the first."""


class Source:
    """Reads bytes as numbers and choices."""

    def __init__(self, data):
        self._data = bytes(data)
        self._at = 0

    def byte(self):
        """0 to 255, and 0 at the end."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, n):
        """A whole number from 0 to below n."""
        number = self.byte()
        return (number if n <= 256 else number * 256 + self.byte()) % n

    def one_in(self, n):
        """Whether something happens that does so once in n times; never at the end of the bytes."""
        return self.below(n) == n - 1

    def choice(self, values):
        """One of the values."""
        return values[self.below(len(values))]

    def rest(self):
        """All bytes that are left."""
        self._at, start = len(self._data), self._at
        return self._data[start:]
