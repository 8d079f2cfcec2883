"""Choices made from bytes: the same bytes give the same choices; after the last byte the first option is chosen."""


class Source:
    """Reads bytes as numbers and choices."""

    def __init__(self, data):
        self._data = bytes(data)
        self._at = 0

    def byte(self):
        """0 to 255; 0 after the last byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def below(self, n):
        """An integer from 0 to n - 1."""
        number = self.byte()
        return (number if n <= 256 else number * 256 + self.byte()) % n

    def one_in(self, n):
        """True once in n times on average; False after the last byte."""
        return self.below(n) == n - 1

    def choice(self, values):
        """One of the values."""
        return values[self.below(len(values))]

    def rest(self):
        """All remaining bytes."""
        self._at, start = len(self._data), self._at
        return self._data[start:]
