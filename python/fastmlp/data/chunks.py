"""Samples in chunks, for data larger than memory: the chunks of a source become blocks of whole batches.

    source -> checked chunks -> blocks of whole batches -> `streaming`

A long chunk is cut in place, without a copy. The rows left over at its end, less than a batch, are copied into the next
block. Only the last batch of an epoch may be smaller. Small chunks are joined. For a network with layers that use the
whole batch, a batch waits too, as what is left over at the end of the epoch may belong to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

from fastmlp.data.rows import Rows, Targets
from fastmlp.data.samples import TrainingData, check_samples
from fastmlp.data.weights import as_wide, width_of
from fastmlp.model.model import Model

Source: TypeAlias = "Iterable[Any] | Callable[..., Iterable[Any]]"

BLOCK_BYTES = 2**20
"""Smaller chunks are joined: training on a block should take longer than handing it over."""


class Chunks:
    """Samples in chunks, for data larger than memory: ``net.fit(fm.Chunks(source))``; also for validation.

    Parameters
    ----------
    source : callable or iterable
        A function that returns an iterator over chunks. It is called once per epoch, with the epoch's index from 0 if
        it has a parameter named ``epoch``. Or an iterable that can be used many times, such as a list. Each chunk is
        ``(X, y)`` or ``(X, y, sample_weight)``, as for `Network.fit`, with any number of rows. All chunks must have the
        same dtype of X and of y, and X must be dense in all or sparse in all. For `Network.predict`, a chunk may also
        be an array X or ``(X,)``.

    Raises
    ------
    TypeError
        If ``source`` is neither a function nor an iterable, or can be used only once, such as a generator.

    Notes
    -----
    In `Network.fit`, another thread gets the next chunk while the network learns from the last one. So each chunk must
    have its own arrays; do not reuse one buffer.

    Examples
    --------
    >>> import fastmlp as fm
    >>> def source():
    ...     for start in range(0, 100, 30):
    ...         X = np.arange(start, min(start + 30, 100)).reshape(-1, 1) / 100
    ...         yield X, 2 * X
    >>> net = fm.Network([1, 1], seed=0)
    >>> history = net.fit(fm.Chunks(source), epochs=200, batch_size=20, optimizer=fm.SGD(0.3))
    >>> net.predict([[0.5]]).round(2)
    array([[1.]])
    """

    def __init__(self, source: Source) -> None:
        if not callable(source) and not isinstance(source, Iterable):
            raise TypeError(f"source must be a function that returns an iterator, or an iterable, got {source!r:.60}")
        if isinstance(source, Iterator):
            raise TypeError(
                f"source must be usable in every epoch, got a {type(source).__name__}, which can be used only once; "
                "pass the function that makes it"
            )
        self.source = source
        self._takes_epoch = callable(source) and _has_parameter(source, "epoch")

    def of_epoch(self, epoch: int) -> Iterator[Any]:
        """Return an iterator over the source's chunks for one epoch.

        Parameters
        ----------
        epoch : int
            Index from 0.

        Returns
        -------
        iterator
            Of whatever the source gives, unchecked.

        Raises
        ------
        TypeError
            If the source returns something else than an iterable.
        """
        arguments = {"epoch": epoch} if self._takes_epoch else {}
        chunks = self.source(**arguments) if callable(self.source) else self.source
        if not isinstance(chunks, Iterable):
            raise TypeError(f"source must return an iterator of chunks, got {chunks!r:.60}")
        return iter(chunks)

    def in_order(self) -> Iterator[Any]:
        """Return an iterator over the chunks in the order in which predictions are expected.

        That of the first epoch, unless a subclass draws an order of its own for each epoch.

        Returns
        -------
        iterator
            Of whatever the source gives, unchecked.
        """
        return self.of_epoch(0)


def _has_parameter(function: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some compiled functions have no signature
        return False


class Blocks:
    """The chunks of all epochs, cut and joined into blocks.

    `cut` yields blocks of whole batches, and None at the end of each epoch, whose last batch may be smaller. Every
    chunk is checked; errors name the chunk and ``where``, with the number of the epoch in it. From the first block on,
    ``most`` is the largest number of rows that a block can have.
    """

    def __init__(
        self,
        network: Model,
        chunks: Chunks,
        n_epochs: int = 1,
        batch_size: int = 1,
        class_weight: object = None,
        where: str = "epoch {}",
    ) -> None:
        self.network = network
        self.chunks = chunks
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.where = where
        self.kept = batch_size if network.layout.trains_on_batch else 0  # rows that wait for the end of the epoch
        self.enough = self.most = 0
        self._first: TrainingData | None = None

    def cut(self, first_epoch: int = 1) -> Generator[TrainingData | None, None, None]:
        """The blocks from this epoch (from 1) on, and None at the end of each epoch."""
        for epoch in range(first_epoch, self.n_epochs + 1):
            yield from self.of_epoch(epoch)
            yield None

    def of_epoch(self, epoch: int) -> Generator[TrainingData, None, None]:
        """The blocks of one epoch (from 1)."""
        waiting: list[TrainingData] = []
        for place, chunk in read(self.chunks, epoch, self.where):
            yield from self._cut(waiting, self._checked(chunk, place))
        if waiting:
            yield join(waiting)

    def _checked(self, chunk: Any, place: str) -> TrainingData:
        """Check a chunk, and that it has the dtypes of the first one, which also sets the size of the blocks."""
        if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
            got = f"a {type(chunk).__name__}" + (f" of {len(chunk)}" if isinstance(chunk, (tuple, list)) else "")
            raise TypeError(f"{place} must be (X, y) or (X, y, sample_weight), got {got}")
        data = check_samples(self.network, *chunk, class_weight=self.class_weight, place=f" of {place}")
        if self._first is None:
            self._first = data
            self.enough, most = block_sizes(data, self.batch_size)
            self.most = most + self.kept
        _check_alike(data, self._first, place)
        width = width_of(self._first.weights)
        return data if width == 1 else data._replace(weights=as_wide(data.weights, len(data.X), width))

    def _cut(self, waiting: list[TrainingData], data: TrainingData) -> Iterator[TrainingData]:
        """Cut the waiting rows and a new chunk into blocks; the rows left over wait."""
        n_waiting, n_rows = sum(len(part.X) for part in waiting), len(data.X)
        if n_waiting + n_rows < self.enough + self.kept:
            waiting.append(data)
            return
        ready = (n_waiting + n_rows - self.kept) // self.batch_size * self.batch_size
        start = -n_waiting % self.batch_size  # the chunk's first rows complete the last waiting batch
        if ready < n_waiting + start:  # they must wait too
            all_waiting = join(waiting)
            yield part_of(all_waiting, 0, ready)
            waiting[:] = [join([part_of(all_waiting, ready, n_waiting)]), data]
            return
        if waiting:
            yield join([*waiting, part_of(data, 0, start)] if start else waiting)
            waiting.clear()
        stop = ready - n_waiting
        for low in range(start, stop, self.most):
            yield part_of(data, low, min(low + self.most, stop))
        if stop < n_rows:
            waiting.append(join([part_of(data, stop, n_rows)]))  # a copy, so that the chunk can be freed


def block_sizes(data: TrainingData, batch_size: int) -> tuple[int, int]:
    """The smallest and the largest number of rows of a block, both multiples of the batch size."""
    rows = data.X
    n_bytes = rows.data.nbytes + (0 if rows.columns is None else rows.columns.nbytes)
    enough = -(-BLOCK_BYTES * len(rows) // max(n_bytes, len(rows)))
    enough = max(1, -(-min(enough, BLOCK_BYTES) // batch_size)) * batch_size
    return enough, max(enough, len(rows) // batch_size * batch_size)


def read(chunks: Chunks, epoch: int | None = None, where: str = "") -> Iterator[tuple[str, Any]]:
    """The chunks of the source in this epoch (from 1), each with its place in words: its number, and ``where``.

    Without an epoch, in the order for predictions. Errors of the source become ``RuntimeError`` with that place. Raises
    ``ValueError`` if there is no chunk.
    """
    where = where.format(epoch)
    number, place = 0, f"chunk {{}} of {where}" if where else "chunk {}"
    try:
        for number, chunk in enumerate(chunks.in_order() if epoch is None else chunks.of_epoch(epoch - 1), 1):
            yield place.format(number), chunk
    except Exception as error:
        raise RuntimeError(f"the source failed at {place.format(number + 1)}: {error!r}") from error
    if number == 0:
        raise ValueError(f"source must give at least one chunk, got none{f' in {where}' if where else ''}")


def _check_alike(data: TrainingData, like: TrainingData, place: str) -> None:
    if width_of(data.weights) > width_of(like.weights):
        raise TypeError(
            f"sample_weight of {place} must have one weight for each row like that of the first chunk, got one for "
            "each target"
        )
    for name, rows, first in (("X", data.X, like.X), ("y", data.targets.rows, like.targets.rows)):
        if (rows.starts is None) != (first.starts is None):
            kinds = ["dense" if each.starts is None else "sparse" for each in (first, rows)]
            raise TypeError(f"{name} of {place} must be {kinds[0]} like that of the first chunk, got {kinds[1]}")
        if rows.code != first.code:
            raise TypeError(f"{name} of {place} must be {first.dtype} like that of the first chunk, got {rows.dtype}")


def part_of(data: TrainingData, start: int, stop: int) -> TrainingData:
    """The rows from start to stop, without a copy."""
    rows = (_part_of_rows(rows, start, stop) for rows in (data.X, data.targets.rows))
    X, y = rows
    weights = None if data.weights is None else data.weights[start:stop]
    observed = None if data.targets.observed is None else data.targets.observed[start:stop]
    return TrainingData(X, Targets(y, data.targets.is_class, observed), weights)


def _part_of_rows(rows: Rows, start: int, stop: int) -> Rows:
    if rows.starts is None:
        return Rows(rows.data[start:stop], rows.code)
    return Rows(rows.data, rows.code, rows.starts[start : stop + 1], rows.columns)


def join(parts: list[TrainingData]) -> TrainingData:
    """Copy the rows of all parts into one. If some parts have weights, the rows of the others get weight 1."""
    weights = None
    if any(part.weights is not None for part in parts):
        width = max(width_of(part.weights) for part in parts)
        weights = np.concatenate([as_wide(part.weights, len(part.X), width) for part in parts])
    y = _join_rows([part.targets.rows for part in parts])
    there = [part.targets.observed for part in parts if part.targets.observed is not None]
    observed = np.concatenate(there) if there else None
    targets = Targets(y, parts[0].targets.is_class, observed)
    return TrainingData(_join_rows([part.X for part in parts]), targets, weights)


def _join_rows(parts: list[Rows]) -> Rows:
    code = parts[0].code
    if parts[0].starts is None:
        shape = sum(map(len, parts)), parts[0].data.shape[1]
        return Rows(np.concatenate([rows.data for rows in parts], out=np.empty(shape, np.uint8)), code)  # in C order
    numbers, columns, starts, n_numbers = [], [], [np.zeros(1, dtype=np.int64)], 0
    for rows in parts:
        assert rows.starts is not None and rows.columns is not None
        low, high = int(rows.starts[0]), int(rows.starts[-1])
        numbers.append(rows.data[low:high])
        columns.append(rows.columns[low:high])
        starts.append(rows.starts[1:] - low + n_numbers)
        n_numbers += high - low
    return Rows(np.concatenate(numbers), code, np.concatenate(starts), np.concatenate(columns))
